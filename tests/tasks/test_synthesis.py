"""A game that is learned: eight Gaussians on a circle, none of them forgotten."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from points import PointDiscriminator, PointGenerator
from torch import Tensor

from ganlit.contracts import Labelled, Reference
from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError


def test_all_eight_modes_are_found(new_game: Callable, play_game: Callable) -> None:
    module = new_game()
    trainer = play_game(module, batches=2500, batch=128)
    ring = trainer.train_dataloader.dataset
    points = module.validation_step(Labelled(torch.zeros(4000, 2), torch.zeros(4000, dtype=torch.long)), 0).output
    distance = torch.cdist(points, ring.modes)
    nearest = distance.argmin(dim=1)
    on_a_mode = distance.min(dim=1).values < 5 * ring.deviation
    share = torch.bincount(nearest[on_a_mode], minlength=8) / len(points)
    assert on_a_mode.float().mean() > 0.8
    assert share.min() > 0.05, share


class Pixels(PointGenerator):
    """Its points are images of two channels and one pixel."""

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return super().forward(z, label)[:, :, None, None]


class PixelsJudged(PointDiscriminator):
    """Points again, to the discriminator of points."""

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        return super().forward(item[:, :, 0, 0], label)


def holding(images: torch.Tensor, labels: list[int]) -> SimpleNamespace:
    """As much of a data module as tells what it holds."""
    label = torch.tensor(labels)
    reference = Reference("points-train", "abc", images, label, ("left", "right"))
    return SimpleNamespace(
        modality=ImageModality(), reference=reference, batch=4, grid=lambda *_: Labelled(images[:1], label[:1])
    )


def test_data_of_another_shape_is_refused_before_training(new_game: Callable) -> None:
    module = new_game(generator=Pixels(), discriminator=PixelsJudged())
    with pytest.raises(UserError, match=r"points-train has images of \[3, 8, 8\].*generator makes \[2, 1, 1\]"):
        module.check_data(holding(torch.zeros(4, 3, 8, 8), [0, 1, 0, 1]))
    module.check_data(holding(torch.zeros(4, 2, 1, 1), [0, 1, 0, 1]))


def test_more_classes_than_the_generator_knows_are_refused(new_game: Callable) -> None:
    module = new_game(generator=Pixels())
    module.generator.classes = 2
    with pytest.raises(UserError, match="points-train has 3 classes but the generator knows 2"):
        module.check_data(holding(torch.zeros(4, 2, 1, 1), [0, 1, 2, 1]))
