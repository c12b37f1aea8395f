from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganlit.records.numbers import Damaged, rows

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), min_size=1, max_size=8)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    columns=st.lists(names.filter(lambda name: name != "kimg"), max_size=3, unique=True),
    table=st.lists(st.tuples(st.floats(0, 1e9), st.lists(st.none() | st.floats(), min_size=3, max_size=3)), max_size=4),
)
def test_what_was_logged_is_read_whatever_it_is_called(
    columns: list[str], table: list[tuple[float, list[float | None]]], tmp_path: Path
) -> None:
    lines = [[f"{kimg}", *("" if value is None else f"{value}" for value in values)] for kimg, values in table]
    written = [dict(zip(["kimg", *columns], line, strict=False)) for line in lines]
    with (tmp_path / "metrics.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["kimg", *columns])
        writer.writeheader()
        writer.writerows(written)
    assert rows(tmp_path / "metrics.csv") == written


nearly = st.text("kimg,ab\n\"'.-e1naif ", max_size=30).map(lambda text: f"kimg{text}".encode())


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=40) | nearly)
def test_the_rest_is_refused_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(content)
    found, says = None, ""
    try:
        found = rows(path)
    except Damaged as error:
        says = str(error)
    if found is None:
        assert says.startswith(f"{path} is damaged (")
    else:
        assert all(math.isfinite(float(row["kimg"])) for row in found)
        assert not [value for row in found for value in row.values() if value and float(value) is None]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "it is empty"),
        ("[]", "its first column is not kimg"),
        ("kimg,a,a\n1,2,3\n", "it has two columns a"),
        ("kimg,a\nnan,1\n", "row 2 has the kimg nan"),
        ("kimg,a\n1,1\n,1\n", "row 3 has the kimg of nothing"),
        ("kimg,a\n1,x\n", "could not convert"),
        ("kimg,a\n1\n", "row 2 has 1 columns, not 2"),
    ],
)
def test_what_is_wrong_is_said(content: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(content)
    with pytest.raises(Damaged, match=says):
        rows(tmp_path / "metrics.csv")


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink(path.name, path)])
def test_what_is_no_file_is_waited_for_by_nobody(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "metrics.csv")
    with pytest.raises(Damaged, match=r"metrics\.csv is damaged \("):
        rows(tmp_path / "metrics.csv")
