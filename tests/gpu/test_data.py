"""How batches come to a device."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from duels import BATCH, duel, plain, trained
from lightning.pytorch import Callback
from noises import Noises
from places import Place

from ganlit.contracts import Labelled

pytestmark = pytest.mark.gpu


def test_batches_lie_in_pinned_memory_where_a_gpu_takes_them_from(place: Place) -> None:
    """From which they are copied while the host goes on."""
    data = Noises(batch=BATCH, tick=BATCH / 1000)
    for loader in (data.train_dataloader(), data.val_dataloader()):
        batch, expected = next(iter(loader)), data.dataset[next(iter(loader.sampler))]
        assert type(batch) is Labelled
        for part, other in zip(batch, expected, strict=True):
            assert part.device.type == "cpu"
            assert part.is_pinned() == (place.name == "cuda")
            assert torch.equal(part, other)


class Arrivals(Callback):
    """Keeps what steps are given."""

    def __init__(self) -> None:
        self.batches: list[Any] = []

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.batches.append(batch)


def test_items_become_networks_on_the_device(place: Place) -> None:
    """Stored as bytes they travel, a quarter of what networks take."""
    here, there = Arrivals(), Arrivals()
    trained(duel(plain), 2, {"accelerator": "cpu"}, [here])
    with place.there() as device:
        with place.waits() as waits:
            trained(duel(plain), 2, place.trainer(), [there])
        for one, other in zip(here.batches, there.batches, strict=True):
            assert {part.device.type for part in other} == {device.type}
            assert other.item.dtype == torch.float32
            assert torch.equal(other.item.cpu(), one.item)
            assert torch.equal(other.label.cpu(), one.label)
    assert not any("data/" in asker for asker in waits)
