"""The scripts are correct shell, and sbatch knows all that they ask for."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .desk import Desk

REPOSITORY = Path(__file__).parents[2]
BATCH = sorted((REPOSITORY / "slurm").glob("*.sbatch"))
SCRIPTS = [*BATCH, REPOSITORY / ".ci/run"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_correct_shell(script: Path) -> None:
    subprocess.run(["bash", "-n", script], check=True)
    if shutil.which("shellcheck") is None:
        pytest.skip("not installed: shellcheck")
    checked = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("script", BATCH, ids=lambda script: script.name)
def test_sbatch_knows_every_option(desk: Desk, script: Path) -> None:
    place = ("--partition=main", "--gpus-per-node=0")
    desk.do("sbatch", "--test-only", *place, *([] if script.stem == "train" else ["--array=0-2"]), str(script))
    wrong = desk.folder / "wrong.sbatch"
    wrong.write_text(script.read_text().replace("--requeue", "--requeueing"))
    assert "unrecognized option '--requeueing'" in desk.do("sbatch", "--test-only", *place, str(wrong), check=False)


def test_both_scripts_ask_for_the_same() -> None:
    asked = [set(re.findall(r"^#SBATCH (--[a-z-]+)", script.read_text(), re.MULTILINE)) for script in BATCH]
    assert len(asked) == 2
    assert asked[0] ^ asked[1] == {"--partition", "--gpus-per-node"}  # which `sweep submit` gives
