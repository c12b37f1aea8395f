"""What metrics see and compute on a device is what they do on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from extractors import Quarters
from noises import noise
from places import Place, Recorder, relative
from torch import Tensor, nn

from ganlit.contracts import Reference
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.fidelity import Moments, ScoreSums, frechet_distance, frechet_distance_to, kernel_distances, moments
from ganlit.metrics.images.paired import psnr, ssim
from ganlit.metrics.images.resize import clean_resize, legacy_resize
from ganlit.metrics.manifold import nearest, prdc
from ganlit.metrics.measure import Question, measure
from ganlit.metrics.portrait import Collector
from ganlit.metrics.reality import Reality

pytestmark = pytest.mark.gpu

FLOAT32 = 1e-5  # relative, of features
FLOAT64 = 1e-9  # relative, of what is made of them


def features(count: int, seed: int) -> Tensor:
    return torch.randn(count, 12, generator=torch.Generator().manual_seed(seed)) + 0.1 * seed


def score(probabilities: Tensor) -> Tensor:
    sums = ScoreSums(probabilities.shape[1], len(probabilities), splits=2, device=probabilities.device)
    sums.add(probabilities, torch.arange(len(probabilities)))
    return sums.scores()


def summed(rows: Tensor) -> Tensor:
    found = Moments(rows.shape[1], rows.device)
    found.add(rows)
    return found.covariance


MATHEMATICS: dict[str, Callable[[Tensor, Tensor], object]] = {
    "moments": lambda fake, real: summed(fake),
    "fid": lambda fake, real: frechet_distance(*moments(fake), *moments(real)),
    "fid of few": lambda fake, real: frechet_distance_to(fake[:10], *moments(real)),
    "kid": lambda fake, real: kernel_distances(fake, real, subsets=3, size=20),
    "is": lambda fake, real: score(fake.softmax(1)),
    "prdc": lambda fake, real: torch.tensor(prdc(real, fake, k=3)),
    "nearest": lambda fake, real: nearest(fake, real, 2)[0],
}


@pytest.mark.parametrize("name", MATHEMATICS)
def test_metrics_of_features_on_a_device_are_those_on_the_cpu(
    place: Place, name: str, record_property: Recorder
) -> None:
    """They are computed where the features are."""
    fake, real = features(40, 1), features(60, 2)
    here = torch.as_tensor(MATHEMATICS[name](fake, real))
    with place.there() as device:
        found = MATHEMATICS[name](fake.to(device), real.to(device))
        there = found.cpu() if isinstance(found, Tensor) else torch.tensor(found)
    distance = relative({name: there}, {name: here})
    record_property("relative distance to the CPU", distance)
    assert distance < FLOAT64


@pytest.mark.parametrize("resize", [legacy_resize, clean_resize])
def test_images_are_resized_alike(place: Place, resize: Callable[[Tensor, int], Tensor]) -> None:
    images = noise(2, 20, 24)
    with place.there() as device:
        assert torch.allclose(resize(images.to(device), 49).cpu(), resize(images, 49), atol=1e-3)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_pairs_are_compared_alike(place: Place, metric: Callable[[Tensor, Tensor], Tensor]) -> None:
    one, other = noise(2, 20, 24), noise(4, 20, 24)[2:]
    with place.there() as device:
        found = metric(one.to(device), other.to(device)).cpu()
    assert torch.allclose(found, metric(one, other), rtol=FLOAT64)


class Convolutions(FeatureExtractor):
    """An extractor that short products would spoil."""

    name, dim, protocol, batch = "convolutions", 8, "convolutions@0a1b2c3d/none", 16

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(3, 64, 5), nn.ReLU(), nn.Conv2d(64, 64, 5), nn.ReLU())
        self.last = nn.Linear(64, self.dim)

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        return {"pool": self.last(self.layers(images.float() / 64).mean((2, 3)))}


def test_features_are_those_of_the_cpu_whatever_products_a_training_takes(
    place: Place, record_property: Recorder
) -> None:
    """TF32, which GPUs take for convolutions unasked, has ten bits."""
    images, before = noise(20, 16, 16), torch.get_float32_matmul_precision()
    extractor = Convolutions().eval().requires_grad_(False)
    here = extractor.extract(images)
    with place.there() as device:
        extractor.to(device)
        torch.set_float32_matmul_precision("high")
        try:
            there = extractor.extract(images.to(device))
        finally:
            torch.set_float32_matmul_precision(before)
    assert there["pool"].device.type == "cpu"
    found = relative(there, here)
    record_property("relative distance to the CPU", found)
    assert found < FLOAT32


def test_a_portrait_and_its_scores_are_those_of_the_cpu(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the items of a generator on the device, against real ones on the CPU."""
    real, fake, labels = noise(60, 8, 8), noise(100, 8, 8)[60:] // 2, torch.arange(40) % 2
    reference = Reference("noises-train", "abcdef0123", real, torch.arange(60) % 2, ("even", "odd"))

    def measured(device: torch.device, folder: str) -> dict[str, float]:
        monkeypatch.setenv("GANLIT_CACHE", str(tmp_path / folder))
        seen = Reality(reference, Quarters().to(device), str)
        seen.prepare()
        collector = Collector(seen.extractor, len(fake))
        for places in torch.arange(len(fake)).split(16):
            collector.add(fake[places].to(device), places, labels[places].to(device))
        answers = measure(["fid", "kid", "prdc", "probe", "class-fid"], Question(collector.finish(), seen, "ema"))
        return {str(each.protocol): each.value for each in answers}

    here = measured(torch.device("cpu"), "here")
    with place.there() as device:
        there = measured(device, "there")
    assert there == pytest.approx(here, rel=1e-4, abs=1e-6)
