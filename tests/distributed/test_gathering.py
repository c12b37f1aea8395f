"""Images that several ranks have sampled are measured as if one had."""

from __future__ import annotations

from typing import Any

import pytest
import torch

WORLDS = pytest.mark.parametrize("world", [1, 2, 3])


@WORLDS
def test_rows_of_uneven_shares_come_together_on_every_rank(found: Any, world: int) -> None:
    for rank in found[world]:
        assert torch.equal(rank["gathering"]["gathered"], rank["gathering"]["shares"])


@pytest.mark.parametrize("world", [2, 3])
def test_measures_do_not_change_with_the_number_of_ranks(found: Any, world: int) -> None:
    expected = found[1][0]["gathering"]["latest"]
    assert {"fid50/tiny/none/shades", "kid50-all-pairs/tiny/none/shades"} < set(expected)
    for rank in found[world]:
        assert rank["gathering"]["latest"] == pytest.approx(expected, rel=1e-6, abs=1e-9)
        assert rank["gathering"]["values"] == pytest.approx(expected, rel=1e-6, abs=1e-6)  # what is logged is float32
