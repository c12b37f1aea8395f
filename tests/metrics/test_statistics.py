from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from ganlit.contracts import Reference
from ganlit.errors import UserError
from ganlit.metrics import statistics as module
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.fidelity import kernel_mean, moments
from ganlit.metrics.statistics import Statistics, reference_statistics, subset


def entry() -> Path:
    return next((Path(os.environ["GANLIT_CACHE"]) / "statistics").iterdir())


def assert_equal(got: Statistics, expected: Statistics) -> None:
    for name, value in expected._asdict().items():
        torch.testing.assert_close(getattr(got, name), value, rtol=0, atol=0)


def test_they_are_those_of_all_images(tiny: FeatureExtractor, reference: Reference) -> None:
    statistics = reference_statistics(reference, tiny)
    features = tiny.extract(reference.images)["pool"]
    mean, covariance = moments(features)
    torch.testing.assert_close(statistics.mean, mean)
    torch.testing.assert_close(statistics.covariance, covariance)
    assert torch.equal(statistics.features, features)
    assert torch.equal(statistics.labels, reference.labels)
    assert statistics.kernel == kernel_mean(features)
    assert statistics.probe.accuracy == 1.0


def test_the_second_time_they_are_read(tiny: FeatureExtractor, reference: Reference) -> None:
    first = reference_statistics(reference, tiny)
    seen = len(tiny.seen)
    assert_equal(reference_statistics(reference, tiny), first)
    assert len(tiny.seen) == seen


def test_nothing_half_written_stays_behind(tiny: FeatureExtractor, reference: Reference) -> None:
    reference_statistics(reference, tiny)
    assert [path.suffix for path in entry().parent.iterdir()] == [".pt"]


@pytest.mark.parametrize("change", ["digest", "shape", "protocol"])
def test_other_content_or_another_extractor_is_another_entry(
    tiny: FeatureExtractor, reference: Reference, change: str
) -> None:
    reference_statistics(reference, tiny)
    if change == "digest":
        reference = reference._replace(digest="abd")
    if change == "shape":
        reference = reference._replace(images=reference.images.reshape(60, 3, 2, 8))
    if change == "protocol":
        tiny.protocol = "tiny-bf16/none"
    seen = len(tiny.seen)
    reference_statistics(reference, tiny)
    assert len(tiny.seen) > seen
    assert len(list(entry().parent.iterdir())) == 2


@pytest.mark.parametrize("damage", ["empty", "truncated", "garbage", "another dict", "another type", "pickle"])
def test_a_damaged_entry_is_computed_again_with_a_line(
    tiny: FeatureExtractor, reference: Reference, damage: str
) -> None:
    first = reference_statistics(reference, tiny)
    content = entry().read_bytes()
    if damage == "empty":
        entry().write_bytes(b"")
    if damage == "truncated":
        entry().write_bytes(content[: len(content) // 2])
    if damage == "garbage":
        entry().write_bytes(bytes(range(256)) * 8)
    if damage == "another dict":
        torch.save({"probe": None, "average": 1}, entry())
    if damage == "another type":
        torch.save(torch.zeros(3), entry())
    if damage == "pickle":
        torch.save({"probe": Path("x")}, entry())
    said: list[str] = []
    assert_equal(reference_statistics(reference, tiny, said.append), first)
    assert "damaged" in said[0]
    assert str(entry()) in said[0]
    said.clear()
    reference_statistics(reference, tiny, said.append)
    assert said == []


def test_a_cache_that_cannot_be_written_is_said_and_done_without(
    tiny: FeatureExtractor, reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GANLIT_CACHE", str(tmp_path / "file"))
    said: list[str] = []
    assert reference_statistics(reference, tiny, said.append).count == 60
    assert "GANLIT_CACHE" in said[-1]


def test_a_full_disk_leaves_nothing_behind(
    tiny: FeatureExtractor, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(entry: dict[str, Any], path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("no space left on device")

    monkeypatch.setattr(torch, "save", fill)
    said: list[str] = []
    reference_statistics(reference, tiny, said.append)
    assert "no space left" in said[-1]
    assert list((Path(os.environ["GANLIT_CACHE"]) / "statistics").iterdir()) == []


def test_without_classes_there_is_no_probe(tiny: FeatureExtractor, reference: Reference) -> None:
    unlabelled = reference._replace(labels=torch.zeros(60, dtype=torch.int64), classes=())
    assert reference_statistics(unlabelled, tiny).probe is None
    assert reference_statistics(unlabelled, tiny).probe is None  # also from the cache


def test_a_huge_set_keeps_a_random_part_of_its_features(
    tiny: FeatureExtractor, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = reference_statistics(reference, tiny)
    monkeypatch.setattr(module, "KEPT", 20)
    monkeypatch.setattr(module, "BLOCK", 7)
    statistics = reference_statistics(reference._replace(digest="huge"), tiny)
    torch.testing.assert_close(statistics.covariance, whole.covariance)
    assert statistics.count == 60
    assert statistics.features.shape == (20, tiny.dim)
    assert 4 < int(statistics.labels.sum()) < 16  # of both classes, though the set is sorted
    chosen = subset(reference, 20)
    torch.testing.assert_close(statistics.mean, whole.mean)
    expected = tiny.extract(chosen.images)["pool"]
    assert torch.equal(statistics.features.sort(0).values, expected.sort(0).values)


def test_progress_is_told(tiny: FeatureExtractor, reference: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", -1.0)
    said: list[str] = []
    reference_statistics(reference, tiny, said.append)
    assert said[0].startswith("Real statistics: 60 images of halves-train through tiny/none")
    assert [line.split(" images")[0] for line in said[1:]] == [f"Real statistics: {n} of 60" for n in range(4, 60, 4)]


def test_a_subset_is_fixed_and_named(reference: Reference) -> None:
    some = subset(reference, 20)
    assert some.name == "halves-train-20"
    assert some.digest != reference.digest
    assert torch.equal(some.images, subset(reference, 20).images)
    for image, label in zip(some.images, some.labels, strict=True):
        places = [index for index, other in enumerate(reference.images) if torch.equal(image, other)]
        assert [int(reference.labels[index]) for index in places] == [int(label)]


@pytest.mark.parametrize("count", [0, 1, 61])
def test_a_subset_that_cannot_be_had_is_refused(reference: Reference, count: int) -> None:
    with pytest.raises(UserError, match=rf"fidelity\.reference_images is {count}, but halves-train has 60 images"):
        subset(reference, count)
