"""What metrics and criteria of sound find on a device is what they find on the CPU."""

from __future__ import annotations

import pytest
import torch
from places import Place
from voices import needs, spoken, voice

from ganlit.contracts import Verdict
from ganlit.data.audio.modality import AudioModality
from ganlit.losses.audio.spectral import MelL1, MultiResolutionSTFT, MultiScaleMel
from ganlit.losses.base import Attempt, Criterion
from ganlit.metrics.audio import musicnn, speaker
from ganlit.metrics.audio.crepe import CARRIERS
from ganlit.metrics.audio.paired import PAIRED
from ganlit.metrics.audio.pitch import Listening
from ganlit.metrics.extractors import extractor
from ganlit.metrics.paired import Comparison

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("metric", PAIRED)
def test_pairs_are_compared_alike(place: Place, metric: str) -> None:
    output, target = spoken(seconds=1.0)
    here = Comparison(metric, AudioModality(16_000)).seen(output, target)[1]
    with place.there() as device:
        there = Comparison(metric, AudioModality(16_000), device).seen(output.to(device), target.to(device))[1]
    assert there.device.type == "cpu"
    torch.testing.assert_close(there, here, rtol=1e-3, atol=1e-4, equal_nan=True)


@pytest.mark.parametrize(
    "name",
    [
        "logmel",
        pytest.param("ge2e", marks=needs(speaker.CARRIER)),
        pytest.param("musicnn-vgg", marks=needs(musicnn.CARRIER)),
        pytest.param("crepe-tiny", marks=needs(CARRIERS["tiny"])),
    ],
)
def test_features_are_those_of_the_cpu(place: Place, name: str) -> None:
    ours, sound = extractor(name), voice(seconds=0.5)[None]
    here = ours.extract(sound)["pool"]
    with place.there() as device:
        there = ours.to(device).extract(sound)["pool"]
    torch.testing.assert_close(there, here, rtol=1e-3, atol=1e-4)


@needs(CARRIERS["tiny"])
def test_crepe_hears_the_same(place: Place) -> None:
    sound = voice(seconds=0.2)[None]
    here = Listening("tiny", "a test", "cpu")(sound)
    with place.there() as device:
        there = [each.cpu() for each in Listening("tiny", "a test", device)(sound.to(device))]
    for one, other in zip(there, here, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("criterion", [MelL1(16_000), MultiResolutionSTFT(), MultiScaleMel(16_000)])
def test_criteria_and_their_gradients_are_those_of_the_cpu(place: Place, criterion: Criterion) -> None:
    output, target = (side.float() / 32768 for side in spoken(seconds=0.5))

    def found(device: torch.device | str) -> tuple[torch.Tensor, torch.Tensor]:
        made, true = output.to(device).requires_grad_(), target.to(device)
        value = criterion.to(device)(Attempt(true, Verdict(lambda items: items, true, made)))
        return value.detach().cpu(), torch.autograd.grad(value, made)[0].cpu()

    here = found("cpu")
    with place.there() as device:
        there = found(device)
    criterion.to("cpu")
    torch.testing.assert_close(there[0], here[0], rtol=1e-4, atol=0)
    torch.testing.assert_close(there[1], here[1], rtol=1e-2, atol=1e-6)
