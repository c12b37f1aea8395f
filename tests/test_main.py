"""`python -m ganlit`, for what only a process of its own shows: few, because what they import takes seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from ganlit.cli.main import main


class Ended(NamedTuple):
    code: int
    err: str
    folder: Path  # in which it was typed
    changed: list[Path]  # files of the run that it was told to train


def content(run: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "lock"}


@pytest.fixture(scope="module")
def ended(place: Path) -> Ended:
    """A run that is done is trained again, among files that are called as libraries, with a variable left behind."""
    assert main(["fit", "--config", "tiny.yaml", "--fidelity=null"]) == 0
    before = content(place / "runs")
    folder = place / "elsewhere"
    (folder / "ganlit").mkdir(parents=True)  # as a clone is called, seen from the folder in which it lies
    (folder / "yaml.py").write_text("open('imported', 'w')\n")
    words = ["fit", "--config", f"{place}/tiny.yaml", "--trainer.default_root_dir", f"{place}/runs"]
    command = [sys.executable, "-m", "ganlit", *words]
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_RANK")} | {"RANK": "1"}
    told = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    after = content(place / "runs")
    changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
    return Ended(told.returncode, told.stderr, folder, changed)


def test_it_refuses_with_a_sentence_and_its_exit_code(ended: Ended) -> None:
    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith("error: ")
    assert "/runs/tiny already holds a run: " in ended.err


def test_a_variable_left_behind_overwrites_nothing(ended: Ended) -> None:
    """It would make this process the second of two, which holds no lock and believes that the first has asked."""
    assert ended.err.startswith("ignored RANK=1: ")
    assert ended.changed == []


def test_the_working_directory_is_not_on_the_import_path(ended: Ended) -> None:
    """`python -m` puts it first; a file called as a library would be imported in its place."""
    assert (ended.folder / "yaml.py").exists()
    assert not (ended.folder / "imported").exists()


HELP = """
import json, sys
from contextlib import redirect_stdout
from io import StringIO
from ganlit.cli.main import main
from ganlit.cli.tools import GROUPS, TOOLS
from ganlit.compute.sparing import spare
told = StringIO()
with redirect_stdout(told):
    codes = [main([*words.split(), "--help"]) for words in ("", *GROUPS, *TOOLS)]
first = {name.partition(".")[0] for name in sys.modules}
spare()
import ganlit.cli.commands
then = [name for name in sys.modules]
from torchmetrics import MeanMetric, Metric
print(json.dumps([codes, told.getvalue(), sorted(first), then, issubclass(MeanMetric, Metric)]))
"""


def test_a_command_imports_only_what_it_uses() -> None:
    ran = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    codes, told, first, then, whole = json.loads(ran.stdout)
    assert not any(codes)
    assert told.count("usage: python -m ganlit") == len(codes)
    heavy = {"torch", "lightning", "torchmetrics", "torchvision", "scipy", "wandb", "matplotlib", "numpy"}
    assert heavy.isdisjoint(first)
    assert {"torch", "lightning"} <= {*then}
    assert {"torchmetrics.functional", "torchmetrics.image", "scipy", "wandb"}.isdisjoint(then)
    assert whole
