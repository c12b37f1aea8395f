from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlit.data.ragged import Ragged
from ganlit.data.store import stored

LENGTHS = (3, 1, 5)
ITEMS = Ragged(torch.arange(18, dtype=torch.int16).view(9, 2), LENGTHS)


def test_items_lie_one_after_another() -> None:
    assert len(ITEMS) == 3
    assert [len(ITEMS[place]) for place in range(3)] == list(LENGTHS)
    assert ITEMS[2].tolist() == [[8, 9], [10, 11], [12, 13], [14, 15], [16, 17]]


@given(place=st.integers(0, 2), start=st.integers(0, 9), length=st.integers(1, 7), every=st.integers(1, 3))
def test_a_window_is_what_is_there_and_zeros_beyond(place: int, start: int, length: int, every: int) -> None:
    places, starts = torch.tensor([1, place]), torch.tensor([0, start])
    found = ITEMS.windows(places, starts, length, every)
    assert found.shape == (2, length, 2)
    for step in range(length):
        at = start + step * every
        expected = ITEMS[place][at].tolist() if at < LENGTHS[place] else [0, 0]
        assert found[1, step].tolist() == expected


def test_a_store_keeps_items_of_unequal_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLIT_CACHE", str(tmp_path))
    about = {"name": "few", "shape": [9, 2], "dtype": "int16", "digest": "0" * 32, "classes": [], "labels": None}

    def write(file: Path) -> dict:
        file.write_bytes(ITEMS.flat.numpy().tobytes())
        return about | {"lengths": list(LENGTHS), "skipped": []}

    for _ in range(2):  # written, then found
        found = stored("sounds", "few", "key", write).reference
        assert isinstance(found.items, Ragged)
        assert found.labels.tolist() == [0, 0, 0]
        assert found.items.flat.equal(ITEMS.flat)
        assert len(found.items[2]) == 5
