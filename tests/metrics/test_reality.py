from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
import torch

from ganlit.contracts import Reference
from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.fidelity import moments
from ganlit.metrics.manifold import radii
from ganlit.metrics.reality import Reality, subset


def entries() -> list[Path]:
    return sorted((Path(os.environ["GANLIT_CACHE"]) / "statistics").iterdir())


def known(reference: Reference, extractor: FeatureExtractor) -> Reality:
    reality = Reality(reference, extractor, lambda text: None)
    reality.prepare()
    return reality


def test_it_is_that_of_all_images(tiny: FeatureExtractor, reference: Reference) -> None:
    reality = known(reference, tiny)
    features = tiny.extract(reference.items)["pool"]
    mean, covariance = moments(features)
    torch.testing.assert_close(reality.moments.mean, mean)
    torch.testing.assert_close(reality.moments.covariance, covariance)
    assert torch.equal(reality.rows, features)
    assert torch.equal(reality.labels, reference.labels)
    assert torch.equal(reality.places, torch.arange(60))
    assert torch.equal(reality.radii(3), radii(features, 3))
    assert reality.probe.accuracy == 1.0
    assert reality.name == reality.kept_name == "halves-train@abcdef"


def test_the_second_time_all_of_it_is_read(
    tiny: FeatureExtractor, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = known(reference, tiny)
    expected = first.moments.covariance, first.rows, first.radii(3), first.probe.weight
    seen = len(tiny.seen)
    monkeypatch.setattr("ganlit.metrics.reality.fit_probe", None)
    monkeypatch.setattr("ganlit.metrics.reality.radii", None)
    second = known(reference, tiny)
    read = second.moments.covariance, second.rows, second.radii(3), second.probe.weight
    assert all(torch.equal(got, wanted) for got, wanted in zip(read, expected, strict=True))
    assert len(tiny.seen) == seen


def test_sums_alone_ask_for_no_rows(tiny: FeatureExtractor, reference: Reference) -> None:
    known(reference, tiny)
    seen = len(tiny.seen)
    (entries()[0] / "rows.pt").unlink()
    reality = Reality(reference, tiny, lambda text: None)
    reality.prepare(rows=False)
    assert reality.moments.count == 60
    assert len(tiny.seen) == seen
    known(reference, tiny)
    assert len(tiny.seen) == 2 * seen


@pytest.mark.parametrize("change", ["digest", "count", "classes", "protocol"])
def test_other_content_or_another_extractor_is_another_entry(
    tiny: FeatureExtractor, reference: Reference, change: str
) -> None:
    known(reference, tiny)
    if change == "digest":
        reference = reference._replace(digest="abcdef0124")
    if change == "count":
        reference = reference._replace(items=reference.items[:50], labels=reference.labels[:50])
    if change == "classes":
        reference = reference._replace(classes=("above", "below", "beside"))
    if change == "protocol":
        tiny.protocol = "tiny@1/none"
    known(reference, tiny)
    assert len(entries()) == 2


@pytest.mark.parametrize("name", ["sums.pt", "rows.pt", "radii3.pt", "probe.pt"])
def test_a_broken_entry_is_made_again(tiny: FeatureExtractor, reference: Reference, name: str) -> None:
    first = known(reference, tiny)
    expected = first.moments.mean, first.rows, first.radii(3), first.probe.weight
    path = entries()[0] / name
    path.write_bytes(path.read_bytes()[:-200])
    said: list[str] = []
    again = Reality(reference, tiny, said.append)
    again.prepare()
    for got, wanted in zip((again.moments.mean, again.rows, again.radii(3), again.probe.weight), expected, strict=True):
        torch.testing.assert_close(got, wanted)
    assert any(str(path) in text and "made again" in text for text in said)


def test_without_a_cache_it_is_known_all_the_same(
    tiny: FeatureExtractor, reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANLIT_CACHE", str(tmp_path / "file"))
    reality = known(reference, tiny)
    assert reality.moments.count == len(reality.rows) == 60
    assert reality.radii(1).shape == (60,)


def test_what_is_at_hand_is_neither_read_nor_made_again(tiny: FeatureExtractor, reference: Reference) -> None:
    reality = known(reference, tiny)
    first, seen = reality.radii(1), len(tiny.seen)
    for path in entries()[0].iterdir():
        path.unlink()
    reality.prepare()
    assert reality.radii(1) is first
    assert len(tiny.seen) == seen
    assert not [path for path in entries()[0].iterdir() if path.suffix == ".pt"]


@pytest.mark.parametrize("name", ["sums.pt", "rows.pt"])
def test_a_whole_archive_of_something_else_is_made_again(
    tiny: FeatureExtractor, reference: Reference, name: str
) -> None:
    known(reference, tiny)
    with zipfile.ZipFile(entries()[0] / name, "w") as archive:
        archive.writestr("other/data.txt", "whole, and no tensor")
    assert known(reference, tiny).rows.shape == (60, 6)
    assert torch.load(entries()[0] / name, weights_only=True)


def test_a_long_name_is_no_trouble(tiny: FeatureExtractor, reference: Reference) -> None:
    assert known(reference._replace(name="x" * 300), tiny).moments.count == 60


def test_it_can_vanish_in_between(tiny: FeatureExtractor, reference: Reference) -> None:
    known(reference, tiny)
    reality = Reality(reference, tiny, lambda text: None)
    reality.prepare(rows=False)
    (entries()[0] / "rows.pt").unlink()
    with pytest.raises(UserError, match="vanished from the cache"):
        _ = reality.rows


def test_one_class_has_no_probe(tiny: FeatureExtractor, reference: Reference) -> None:
    assert known(reference._replace(classes=()), tiny).probe is None


def test_a_label_of_no_class_is_refused(tiny: FeatureExtractor, reference: Reference) -> None:
    with pytest.raises(UserError, match="halves-train has the label 1 of 1 classes"):
        Reality(reference._replace(classes=("above",)), tiny)


def test_large_images_are_read_a_few_at_a_time(
    tiny: FeatureExtractor, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Read(list):
        def __getitem__(self, chosen: slice) -> torch.Tensor:
            asked.append(len(range(60)[chosen]))
            return reference.items[chosen]

    asked: list[int] = []
    monkeypatch.setattr("ganlit.metrics.reality.NUMBERS", 7 * reference.items[0].numel())
    reality = known(reference._replace(items=Read(reference.items)), tiny)
    assert asked == [1, *[7] * 8, 4]
    assert torch.equal(reality.rows, tiny.extract(reference.items)["pool"])


def test_a_part_of_a_huge_set_is_named(
    tiny: FeatureExtractor, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganlit.metrics.portrait.KEPT", 20)
    reality = known(reference, tiny)
    assert reality.name == "halves-train@abcdef"
    assert reality.kept_name == "halves-train-20@abcdef"


def test_a_subset_is_fixed_and_another_set(reference: Reference) -> None:
    some = subset(reference, 20)
    assert some.name == "halves-train-20"
    assert some.digest != reference.digest
    assert torch.equal(some.items, subset(reference, 20).items)
    assert set(some.labels.tolist()) == {0, 1}  # though the set is sorted by class
    with pytest.raises(UserError, match=r"fidelity\.reference_images is 61"):
        subset(reference, 61)


def test_who_watches_can_break_it_off_and_nothing_is_half_kept(tiny: FeatureExtractor, reference: Reference) -> None:
    class Enough(Exception): ...

    def watch() -> None:
        raise Enough

    real = Reality(reference, tiny)
    real.watch = watch
    with pytest.raises(Enough):
        real.prepare()
    assert not list(real.folder.glob("*.pt"))
    real.watch = lambda: None
    real.prepare()
    assert real.moments.count == len(reference.items)
