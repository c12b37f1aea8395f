"""Restoration serves pairs whose source is made of the target, alike for any number of ranks and after any resume."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ganlit.contracts import Pair
from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation, each
from ganlit.data.images.restoration import Restoration
from ganlit.errors import UserError


class Dimmed(Degradation):
    """Half as large, and darker by what is drawn."""

    scale = 2

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        share = draws.uniform()
        draws.tell("share", share)
        return (avg_pool2d(images, 2) + 1) * each(share) - 1


def restoration(folder: Path, **options: Any) -> Restoration:
    given = {"resolution": 8, "batch": 4, "val_images": 8, "test_images": 8, "fit": "crop"} | options
    data = Restoration(Dimmed(), str(folder), **given)
    data.prepare_data()
    return data


@pytest.fixture
def folder(make_folder: Any) -> Path:
    return make_folder([f"{name}.png" for name in range(20)])


def served(data: Restoration, world: int, seen: int = 0) -> Pair:
    """The first global batch, put together from what all ranks are served."""
    shares = []
    for rank in range(world):
        data.trainer = SimpleNamespace(
            global_rank=rank,
            world_size=world,
            lightning_module=SimpleNamespace(images_seen=seen),
            strategy=SimpleNamespace(root_device=torch.device("cpu")),
        )
        shares.append(data.to_network(next(iter(data.train_dataloader()))))
    data.trainer = None
    return Pair(*(torch.stack(parts, 1).flatten(0, 1) for parts in zip(*shares, strict=True)))


def test_ranks_share_what_one_process_is_served(folder: Path) -> None:
    data = restoration(folder, tile=12)
    one, two = served(data, 1), served(data, 2)
    assert all(torch.equal(*parts) for parts in zip(one, two, strict=True))
    assert one.source.shape == (4, 3, 4, 4)
    shares = (one.source + 1).flatten(1).sum(1) / (avg_pool2d(one.target, 2) + 1).flatten(1).sum(1)
    torch.testing.assert_close((avg_pool2d(one.target, 2) + 1) * each(shares) - 1, one.source, atol=1e-5, rtol=0)
    assert len(shares.unique()) == 4


def test_an_image_is_degraded_anew_in_each_pass_and_alike_in_each_validation(folder: Path) -> None:
    data = restoration(folder)
    passes = [data.degraded(data.dataset[torch.tensor([3 + 20 * turn])])[1]["share"] for turn in range(5)]
    assert len(torch.cat(passes).unique()) == 5
    first, second = (data.to_network(next(iter(data.val_dataloader()))) for _ in range(2))
    assert torch.equal(first.source, second.source)


def test_what_was_drawn_is_logged_in_training_alone(folder: Path) -> None:
    data = restoration(folder)
    batch, latest = data.dataset[torch.arange(4)], {}
    share = data.degraded(batch)[1]["share"].mean()
    for training, logged in ((False, {}), (True, {"degradation/share": share})):
        data.trainer = SimpleNamespace(training=training, lightning_module=SimpleNamespace(latest=latest))
        data.on_after_batch_transfer(batch, 0)
        assert latest == logged


def test_held_out_images_are_never_trained_on(folder: Path) -> None:
    data = restoration(folder, held_out=0.25, tile=12)
    assert (len(data.dataset), len(data.measured), len(data.reference.items)) == (15, 5, 5)
    shown = {tuple(item.flatten().tolist()) for item in data.stored.reference.items[data.trained]}
    assert not shown & {tuple(item.flatten().tolist()) for item in data.stored.reference.items[data._parts[1]]}
    assert torch.equal(data.measured[torch.arange(5)].target, data.reference.items)


def test_unpaired_it_hides_what_belongs_together_but_from_validations(folder: Path) -> None:
    data = restoration(folder, paired=False)
    shown = data.to_network(data.dataset[torch.arange(20)])
    made = (avg_pool2d(shown.target, 2) + 1).flatten(1)
    same = torch.nn.functional.cosine_similarity(made, (shown.source + 1).flatten(1)) > 0.9999
    assert same.sum() < 6
    measured = data.to_network(data.measured[torch.arange(20)])
    made = (avg_pool2d(measured.target, 2) + 1).flatten(1)
    assert (torch.nn.functional.cosine_similarity(made, (measured.source + 1).flatten(1)) > 0.9999).all()


def test_sources_are_a_reference_too(folder: Path) -> None:
    data = restoration(folder)
    real = data.reference_of("source")
    assert (len(real.items), real.items[:2].shape, real.name) == (20, (2, 3, 4, 4), "photos-degraded")
    assert real.digest == restoration(folder).reference_of("source").digest
    assert real.digest != restoration(folder, seed=1).reference_of("source").digest
    assert data.reference_of("target") is data.reference
    assert data.form_of("source").channels == 3


def test_so_are_those_of_what_is_trained_on_where_others_are_held_out(folder: Path) -> None:
    data = restoration(folder, held_out=0.25, tile=12)
    sources, targets = data.trained_of("source"), data.trained_of("target")
    assert len(sources.items) == len(targets.items) == len(sources.labels) == 15
    assert sources.name == f"{targets.name}-degraded"
    assert sources.digest != data.reference_of("source").digest
    network = data.modality.to_network
    made = (avg_pool2d(network(targets.items[torch.arange(15)]), 2) + 1).flatten(1)
    seen = (network(sources.items[:]) + 1).flatten(1)
    assert (torch.nn.functional.cosine_similarity(made, seen) > 0.999).all()
    whole = restoration(folder)
    assert whole.trained_of("source").digest == whole.reference_of("source").digest


def test_sizes_that_do_not_fit_are_refused(folder: Path) -> None:
    with pytest.raises(UserError, match=r"data\.init_args\.tile"):
        restoration(folder, tile=4)
    with pytest.raises(UserError, match=r"makes 4 pixels of 9"):
        restoration(folder, resolution=9).setup("fit")


def test_tiles_of_one_photograph_are_trained_on_or_held_out_together(tmp_path: Path) -> None:
    for name in range(6):
        pixels = np.full((16, 24, 3), 40 * name, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    data = restoration(tmp_path, fit="tiles", held_out=0.2)
    trained, measured = (data._parts[place] for place in (0, 1))
    items = data.stored.reference.items[:, 0, 0, 0]
    assert (len(items), len(measured)) == (36, 12)
    assert not set(items[trained].tolist()) & set(items[measured].tolist())


def test_sixteen_bits_are_kept_and_mirrored(tmp_path: Path) -> None:
    for name in range(4):
        pixels = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000 + name
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    data = restoration(tmp_path, channels=1, depth=16, fit="exact", flip=True)
    plain, mirrored = data.dataset[torch.arange(4)], data.dataset[torch.arange(4) + 4]
    assert plain.target.dtype == torch.uint16
    assert torch.equal(mirrored.target, plain.target.flip(-1))
    torch.testing.assert_close(data.to_network(plain).target[0, 0, 7, 7], torch.tensor(63000 / 32767.5 - 1))
