from __future__ import annotations

from pathlib import Path

import pytest

from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.cli.telling import ends


@pytest.mark.parametrize("name", ["fid150/tiny@0/none/squares@1ff8e9/ema", None])
def test_nobody_compares_the_best_validation_with_the_closing_test(
    tmp_path: Path, name: str | None, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "checkpoints").mkdir()
    best = tmp_path / "checkpoints" / "best.ckpt"
    best.touch()
    kept = Checkpoints("")
    kept.best, kept.best_name, kept.best_kimg = 40.06, name, 79.9
    ends(tmp_path, kept, 75)
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("best")]
    score = "FID-150  40.1 at 79.9 kimg, the best of the validations; compare it with FID-150 alone"
    assert told == ([f"best     {best}: {score}"] if name else [])  # older runs kept no name
