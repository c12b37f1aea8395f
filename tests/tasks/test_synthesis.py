"""A game that is learned: eight Gaussians on a circle, none of them forgotten."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from points import PointDiscriminator, PointGenerator
from torch import Tensor

from ganlit.compute import twice
from ganlit.contracts import Labelled, Reference
from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError
from ganlit.losses.regularizers.generator import PathLength
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator
from ganlit.tasks.synthesis import Synthesis


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


def styled(new_game: Callable) -> Synthesis:
    generator = StyleGenerator(16, 1, 2, 4, 4, 1, 64, 4, style_mixing=0.0)
    discriminator = StyleDiscriminator(16, 1, 2, 64, 4)
    penalties = [PathLength(every=1)]
    return new_game(generator=generator, discriminator=discriminator, generator_regularizers=penalties).train()


@pytest.mark.parametrize("bf16", [False, True])
def test_of_items_with_styles_only_those_are_traced_that_a_penalty_reads(new_game: Callable, bf16: bool) -> None:
    module, label = styled(new_game), torch.tensor([0, 1, 1, 0, 1, 0])
    torch.manual_seed(1)
    latent, made = module.traced(label, 2)
    torch.manual_seed(1)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        again, mixed = module.traced(label, 2)
    assert latent.shape == (2, 6, 4)
    assert made.output.shape == (6, 1, 16, 16)
    assert mixed.output.dtype == torch.float32
    torch.testing.assert_close(again, latent)
    torch.testing.assert_close(mixed.output[:2], made.output[:2])
    assert torch.equal(mixed.output[2:], made.output[2:]) is not bf16
    of_those, of_others = (
        torch.autograd.grad(part.sum(), latent, retain_graph=True)[0].abs().sum(dim=(1, 2))
        for part in (made.output[:2], made.output[2:])
    )
    assert of_those.min() > 0
    assert of_others.max() == 0


def test_traced_items_are_those_that_the_generator_makes(new_game: Callable) -> None:
    module, label = styled(new_game).double(), torch.tensor([0, 1, 1, 0])
    module.latents = lambda label: (
        torch.linspace(-1, 1, 4 * len(label), dtype=torch.float64).view(-1, 4).requires_grad_()
    )
    plain = module.generate(label).output
    for count in (2, 4):
        torch.testing.assert_close(module.traced(label, count)[1].output, plain, rtol=1e-12, atol=1e-12)


def test_only_passes_that_are_differentiated_twice_pay_for_it(
    new_game: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, label = styled(new_game), torch.tensor([0, 1, 1, 0])
    module.generator_regularizers[0].every = module.regularizers[0].every = 2
    batch, asked = Labelled(torch.rand(4, 1, 16, 16), label), []
    monkeypatch.setattr(twice, "output", lambda *given, plain=twice.output: (asked.append(1), plain(*given))[1])
    module.images = len(label)
    for step, pays in ((0, True), (1, False)):
        module.step = step
        for player in ("discriminator", "generator"):
            asked.clear()
            getattr(module, f"{player}_terms")(batch)
            assert bool(asked) is pays
