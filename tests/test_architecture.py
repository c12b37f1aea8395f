"""Who may import whom: the directions in which the rooms of the house depend on one another."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ganlit"
CORE = {"contracts", "errors", "durable"}
MAY_IMPORT = {
    "contracts": set(),
    "errors": set(),
    "ema": CORE,
    "images": CORE,
    "precision": CORE,
    "durable": {"contracts", "errors"},
    "stopwatch": set(),
    "alarm": set(),
    "strategy": CORE | {"alarm", "slurm"},
    "downloads": CORE,
    "cache": CORE,
    "losses": CORE,
    "regularizers": CORE,
    "augment": CORE,
    "networks": CORE,
    "metrics": CORE | {"images", "precision", "downloads", "cache"},
    "data": CORE | {"downloads", "cache"},
    "tasks": CORE | {"losses", "regularizers.base", "augment.base", "ema", "strategy", "stopwatch"},
    "state": CORE,
    "lab": {"callbacks.fidelity", "evaluation.prepare"},
    "machine": CORE | {"slurm", "precision", "callbacks.progress", "tasks.clocked"},
    "signals": set(),
    "slurm": {"errors"},
    "sweeps": CORE
    | {"state", "resume", "slurm", "runs", "cli", "cache", "callbacks.progress", "metrics.protocol"}
    | {"loggers.metrics_file"},
    "report": CORE
    | {"state", "resume", "callbacks.progress", "metrics.protocol", "metrics.measure", "loggers.metrics_file"},
    "dashboard": {"errors", "callbacks.progress", "metrics.measure"},
    "loggers": CORE | {"callbacks.progress", "metrics.measure"},
    "evaluation": CORE | {"metrics", "callbacks", "data", "images", "precision", "cache", "runs", "tasks.base"},
    "callbacks": CORE
    | {"metrics", "tasks.base", "tasks.clocked", "tasks.step", "images", "precision", "stopwatch", "loggers"}
    | {"state", "signals", "slurm"},
}
WITHOUT_LIGHTNING = CORE | {"alarm", "stopwatch", "ema", "losses", "regularizers", "augment", "networks"}
WITHOUT_LIGHTNING |= {"metrics", "cache", "state", "slurm", "signals"}


def imports(file: Path) -> set[str]:
    """Dotted names of the modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            found.add(node.module)
    return found


def files_of(room: str) -> list[Path]:
    return sorted((PACKAGE / room).glob("**/*.py")) or [PACKAGE / f"{room}.py"]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    for file in files_of(room):
        for name in imports(file):
            if name == "ganlit" or not name.startswith("ganlit."):
                continue
            inside = name.removeprefix("ganlit.")
            allowed = MAY_IMPORT[room] | {room}
            assert any(inside == other or inside.startswith(f"{other}.") for other in allowed), f"{file} imports {name}"


@pytest.mark.parametrize("room", sorted(WITHOUT_LIGHTNING))
def test_leaves_know_nothing_of_lightning(room: str) -> None:
    for file in files_of(room):
        assert not any(name.split(".")[0] in ("lightning", "pytorch_lightning") for name in imports(file)), file


def test_every_room_is_ruled() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms <= set(MAY_IMPORT)


def test_no_drawer_for_odds_and_ends() -> None:
    assert not [file for file in PACKAGE.rglob("*.py") if file.stem in ("utils", "helpers", "common", "misc")]


def test_no_pickle_is_loaded_with_code_in_it() -> None:
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                assert "weights_only=True" in ast.unparse(node), f"{file}:{node.lineno}"
