"""Which groups of metrics share an extractor, and which the real items that it has seen."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from extractors import Tiny

from ganlit.contracts import Reference
from ganlit.data.images.modality import ImageModality
from ganlit.metrics import passes as module
from ganlit.metrics.groups import Real, grouped
from ganlit.metrics.passes import Options, passes

IMAGES = ImageModality()


def test_groups_share_an_extractor_and_of_each_side_what_it_has_seen(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []

    def extractor(name: str, **options: Any) -> Tiny:
        built.append(name)
        return Tiny()

    monkeypatch.setattr(module, "extractor", extractor)
    sources = reference._replace(name="sources-train", digest="123456", items=255 - reference.items[:40])
    sides = {"target": Real(reference, IMAGES), "source": Real(sources, IMAGES)}
    told: list[tuple[str, int]] = []
    groups = grouped(["fid", "kid:prior", "fid:back", "psnr", "kid:back", "fid@dinov2"], "metrics", IMAGES)
    found = passes(groups, sides, Options(), torch.device("cpu"), print, lambda *each: told.append(each))
    assert [(one.metrics, one.real.name) for one in found] == [
        (["fid"], "halves-train@abcdef"),
        (["kid"], "halves-train@abcdef"),
        (["fid", "kid"], "sources-train@123456"),
        (["fid"], "halves-train@abcdef"),
    ]
    assert built == ["inception", "dinov2-vit-l-14"]
    assert told == [("inception", 60), ("inception", 40), ("dinov2-vit-l-14", 60)]
    assert found[0].real is found[1].real
    assert found[0].real.extractor is found[2].real.extractor
    assert found[0].real.folder != found[2].real.folder
    assert [one.trained for one in found] == [None] * 4


def test_what_was_trained_on_is_seen_by_the_same_extractor(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "extractor", lambda name, **options: Tiny())
    learnt = reference._replace(name="halves-trained", digest="123456")
    sides, device = {"target": Real(reference, IMAGES, learnt)}, torch.device("cpu")
    for metrics, names in (
        (["fid", "is", "memorisation"], ["halves-train", "halves-trained"]),
        (["memorisation"], ["halves-trained"]),
        (["is"], []),
    ):
        (one,) = passes(grouped(metrics, "metrics", IMAGES), sides, Options(), device, print)
        assert [real.reference.name for real in one.asked] == names
        assert one.trained.extractor is one.real.extractor
