"""Images that several ranks have sampled are measured as if one had."""

from __future__ import annotations

from typing import Any

import pytest
import torch

WORLDS = pytest.mark.parametrize("world", [1, 2, 3])


@WORLDS
def test_rows_of_uneven_shares_come_together_on_rank_0(found: Any, world: int) -> None:
    first, *others = [rank["gathering"] for rank in found[world]]
    assert torch.equal(first["gathered"], first["shares"])
    assert all(len(rank["gathered"]) == 0 for rank in others)


@WORLDS
def test_sums_are_those_of_all_ranks(found: Any, world: int) -> None:
    for rank in found[world]:
        assert rank["gathering"]["total"].tolist() == [world * (world - 1) / 2, world]
        assert rank["gathering"]["told"] == [True, False]


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("what", ["sampled", "generated"])
def test_measures_do_not_change_with_the_number_of_ranks(found: Any, world: int, what: str) -> None:
    """Neither those of given images nor those of a generator's, whose latents do not depend on who draws them."""
    expected = found[1][0]["gathering"][what]
    metrics = {name.split("/")[0] for name in expected}
    assert {
        "fid50",
        "kid50-100x50",
        "is50-10splits",
        "precision50-k5",
        "class-fid50",
        "share50",
        "kept50",
        "nearest50",
    } < metrics
    for rank in found[world]:
        assert rank["gathering"][what] == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("world", [2, 3])
def test_measures_of_an_autoencoder_do_not_change_with_the_number_of_ranks(found: Any, world: int) -> None:
    expected = found[1][0]["gathering"]["autoencoded"]
    metrics = [name.split("/")[0] for name in expected]
    assert {
        "psnr50",
        "ssim50-crop2-gauss11",
        "matched50-32px",
        "code-use50-16codes",
        "elbo50-k2-normal",
        "iwae50-k2-normal",
    } < set(metrics)
    assert metrics.count("fid50") == 2
    for rank in found[world]:
        assert rank["gathering"]["autoencoded"] == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("world", [2, 3])
def test_alarms_see_the_same_numbers_on_any_number_of_ranks(found: Any, world: int) -> None:
    expected = found[1][0]["gathering"]["symptoms"]
    signals = {f"signal/{name}" for name in ("variety", "reached", "duplicates", "mean", "energy")}
    assert set(expected) == {"identity", "variety", "drift"} | signals
    first, *others = [rank["gathering"]["symptoms"] for rank in found[world]]
    assert first == expected  # bitwise
    assert others == [{}] * (world - 1)


@pytest.mark.parametrize("world", [2, 3])
def test_what_is_logged_is_what_was_measured(found: Any, world: int) -> None:
    for rank in found[world]:
        logged = rank["gathering"]["logged"]
        assert logged == pytest.approx(rank["gathering"]["sampled"], rel=1e-6, abs=1e-6)  # logged in float32


@pytest.mark.parametrize("world", [2, 3])
def test_ranks_wait_together_for_another_process(found: Any, world: int) -> None:
    assert [rank["gathering"]["waited"] for rank in found[world]] == [True, *[False] * (world - 1)]


@pytest.mark.parametrize("world", [2, 3])
def test_ranks_share_the_work_on_the_real_images(found: Any, world: int) -> None:
    seen = [rank["gathering"]["seen"] for rank in found[world]]
    assert sum(seen) == found[1][0]["gathering"]["seen"] == 60
    assert max(seen) < 60
