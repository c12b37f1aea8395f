"""Every degradation gives on a device what it gives on the CPU: images come from one, and checkpoints go to another."""

from __future__ import annotations

import pytest
import torch
from degraders import DEGRADATIONS
from places import Place

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation

pytestmark = pytest.mark.gpu

WAITING = {"Either", "Detour"}  # for which option an image takes, and how large it becomes


def degraded(step: Degradation, device: torch.device) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    images = torch.rand(6, 3, 24, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    draws = Draws(torch.arange(6).to(device), seed=1)
    return step(images.to(device), draws), draws.told


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_a_degradation_is_that_of_the_cpu(place: Place, name: str) -> None:
    expected, said = degraded(DEGRADATIONS[name], torch.device("cpu"))
    with place.there() as device:
        degraded(DEGRADATIONS[name], device)  # what is brought there once
        with place.waits() as waits:
            made, told = degraded(DEGRADATIONS[name], device)
        assert made.device.type == device.type
        difference = (made.cpu() - expected).abs()
        assert difference.mean() < 1e-4  # a number that is rounded may fall to the other side
        assert (difference > 1e-4).float().mean() < 0.01
        assert told.keys() == said.keys()
        for key, values in told.items():
            assert torch.allclose(values.cpu(), said[key], equal_nan=True, atol=1e-6)
    asked = {asker for asker in waits if "data/" in asker}
    assert not asked or name in WAITING, asked
