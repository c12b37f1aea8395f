"""Every degradation gives on a device what it gives on the CPU: images come from one, and checkpoints go to another."""

from __future__ import annotations

import pytest
import torch
from places import Place

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation
from ganlit.data.images.degradations.blur import Blur, Sinc
from ganlit.data.images.degradations.colour import Grey
from ganlit.data.images.degradations.composed import Chain, Either
from ganlit.data.images.degradations.detour import Detour, Resize
from ganlit.data.images.degradations.edges import Edges
from ganlit.data.images.degradations.jpeg import Jpeg
from ganlit.data.images.degradations.maps import Invert, Tint, Turn
from ganlit.data.images.degradations.masked import Masked
from ganlit.data.images.degradations.motion import MotionBlur
from ganlit.data.images.degradations.noise import Noise, PoissonNoise
from ganlit.data.images.degradations.resampling import Downsample, Upsample
from ganlit.data.images.degradations.steps import Quantise

pytestmark = pytest.mark.gpu

STEPS = {
    "Downsample": Downsample(2),
    "Downsample matlab": Downsample(2, "matlab"),
    "Upsample": Upsample(2, "aliased-bicubic"),
    "Noise": Noise((0.0, 50.0), grey=0.5),
    "PoissonNoise": PoissonNoise((0.0, 3.0), grey=0.5),
    "Blur": Blur(anisotropic=True, beta=(0.5, 4.0)),
    "Sinc": Sinc(),
    "MotionBlur": MotionBlur(),
    "Jpeg": Jpeg(),
    "Grey": Grey(),
    "Invert": Invert(),
    "Turn": Turn(),
    "Tint": Tint(),
    "Edges": Edges(),
    "Masked": Masked(rectangles=(0, 2)),
    "Quantise": Quantise(),
    "Chain": Chain([Blur(), Downsample(2), Noise(), Jpeg()]),
    "Either": Either([Noise(), Blur()], [0.5, 0.3]),
    "Detour": Detour(2, [Resize((0.5, 1.5)), Noise(), Resize(0.5)]),
}
WAITING = {"Either", "Detour"}  # for which option an image takes, and how large it becomes


def degraded(step: Degradation, device: torch.device) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    images = torch.rand(6, 3, 24, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    draws = Draws(torch.arange(6).to(device), seed=1)
    return step(images.to(device), draws), draws.told


@pytest.mark.parametrize("name", STEPS)
def test_a_degradation_is_that_of_the_cpu(place: Place, name: str) -> None:
    expected, said = degraded(STEPS[name], torch.device("cpu"))
    with place.there() as device:
        degraded(STEPS[name], device)  # what is brought there once
        with place.waits() as waits:
            made, told = degraded(STEPS[name], device)
        assert made.device.type == device.type
        difference = (made.cpu() - expected).abs()
        assert difference.mean() < 1e-4  # a number that is rounded may fall to the other side
        assert (difference > 1e-4).float().mean() < 0.01
        assert told.keys() == said.keys()
        for key, values in told.items():
            assert torch.allclose(values.cpu(), said[key], equal_nan=True, atol=1e-6)
    asked = {asker for asker in waits if "data/" in asker}
    assert not asked or name in WAITING, asked
