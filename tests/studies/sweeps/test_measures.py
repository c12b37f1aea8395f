from __future__ import annotations

from pathlib import Path

import pytest

from ganlit.errors import UserError
from ganlit.studies.sweeps.definition import Metric
from ganlit.studies.sweeps.measures import measure

OFTEN = "fid150/inception@1a/legacy/digits-train@9f/ema"


def test_best_and_last_are_read(tmp_path: Path) -> None:
    assert measure(tmp_path, Metric("fid150", "minimize")) is None
    (tmp_path / "metrics.csv").write_text(
        f"kimg,{OFTEN}\n1,5\n2,\n3,2.5\n4,nan\n5,4\n6,1"
    )  # the last row is unfinished
    found = measure(tmp_path, Metric("fid", "minimize"))
    assert (found.column, found.best, found.last) == (OFTEN, 2.5, 4.0)
    assert measure(tmp_path, Metric("fid", "maximize")).best == 5.0
    (tmp_path / "metrics.csv").write_text(f"kimg,{OFTEN}\n1,5x\n")
    with pytest.raises(UserError, match=r"metrics\.csv is damaged .*'5x'"):
        measure(tmp_path, Metric("fid", "maximize"))
