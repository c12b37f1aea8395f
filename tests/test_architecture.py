"""Who may import whom: the directions in which the rooms of the house depend on one another."""

from __future__ import annotations

import ast
import re
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ganlit"
CORE = {"contracts", "errors"}
GAME = {"losses", "losses.regularizers", "augment", "networks", "ema"}
MAY_IMPORT: dict[str, set[str]] = {
    # leaves: mathematics, which knows nothing but tensors
    "contracts": {"errors"},
    "errors": set(),
    "ema": CORE,
    "losses": CORE,
    "losses.regularizers": CORE,
    "augment": CORE,
    "networks": CORE,
    # what a process stands on
    "compute": {"errors"},
    "records": CORE | {"compute.console", "compute.sparing"},
    # what is measured, what is played, what is played with
    "metrics": CORE | {"records", "compute.precision"},
    "data": CORE | {"records", "compute.console"},
    "tasks": CORE
    | {"losses.base", "losses.weight", "losses.regularizers.base", "losses.text.base", "augment.base"}
    | {"networks.ranks", "networks.resting", "ema", "compute"},
    "callbacks": CORE
    | {"callbacks.loggers", "metrics", "tasks.base", "tasks.clocked", "tasks.step"}
    | {"records", "compute"},
    "callbacks.loggers": CORE | {"metrics.measure", "records", "compute.console", "compute.sparing"},
    # from words to objects, and all that is done with them
    "configuration": CORE | {"callbacks", "callbacks.loggers", "metrics.pruning", "data.base", "tasks.base", "records"},
    "studies.evaluation": CORE
    | {"configuration.rebuild", "configuration.names", "callbacks.fidelity", "metrics", "data", "tasks", "records"}
    | {"compute"},
    "studies.latent": CORE
    | {"configuration.rebuild", "configuration.names", "losses.base", "losses.images.perceptual"}
    | {"networks.images.inversion", "studies.evaluation"}
    | {"metrics", "data", "tasks", "records", "compute"},
    "studies.explore": CORE
    | {"configuration.rebuild", "studies.latent", "studies.evaluation"}
    | {"metrics", "data", "records", "compute"},
    "studies.audit": CORE | {"losses.weight", "data.base", "tasks", "records.durable", "compute"},
    "studies.sweeps": CORE
    | {"configuration.resolve", "metrics.columns", "metrics.protocol", "metrics.pruning", "records", "compute"},
    "studies.report": CORE | {"metrics.measure", "metrics.protocol", "records", "compute.console"},
    "studies.diagnosis": CORE | {"metrics", "records", "studies.report.record", "compute.console"},
    "studies.tradeoff": CORE
    | {"studies.evaluation", "studies.report", "metrics", "records.durable", "records.media", "compute.console"},
    "studies.dashboard": {"errors", "metrics.measure", "compute.console"},
    "cli": {"*"},
}
MODALITIES = {
    path.name
    for room in ("data", "networks")
    for path in (PACKAGE / room).iterdir()
    if (path / "__init__.py").is_file()
}
"""A modality's room may import what the room around it does, and that room; its criteria may see as its metrics do.

Spectrograms, plain mathematics that networks begin with, are for whoever looks at sound.
"""
MAY_IMPORT |= {
    f"{room}.{modality}": MAY_IMPORT[room]
    | {room, f"networks.{modality}.spectrograms"}
    | ({"metrics"} if room == "losses" else set())
    for room in ("networks", "data", "metrics", "losses")
    for modality in sorted(MODALITIES)
    if (PACKAGE / room / modality).is_dir()
}
MAY_IMPORT["data.video"] |= {"data.images"}  # a clip's frames are images
MAY_IMPORT["data.images.degradations"] = CORE | {"data"}
MAY_IMPORT["data.images"] |= {"data.images.degradations"}
WITHOUT_LIGHTNING = CORE | GAME | {room for room in MAY_IMPORT if room.startswith(("networks", "metrics"))}
ROOMS, FILES = 12, 5
"""At most, at the top of the package."""


@cache
def modules() -> dict[str, Path]:
    """Dotted names below ganlit of all files, without those of __init__ and __main__."""
    paths = (path for path in PACKAGE.rglob("*.py") if not path.stem.startswith("__"))
    return {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in paths}


@cache
def imports(file: Path) -> frozenset[str]:
    """Dotted names of what a file imports, wherever in it: modules, or what is taken from them."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


@cache
def inside(file: Path) -> frozenset[str]:
    """The modules of ganlit that a file imports."""
    found = set()
    for name in imports(file):
        parts = name.removeprefix("ganlit.").split(".") if name.startswith("ganlit.") else []
        while parts and ".".join(parts) not in modules():
            parts.pop()
        if parts:
            found.add(".".join(parts))
    return frozenset(found)


def room_of(module: str) -> str:
    """The room or sub-room in which a module stands; a file at the top is its own."""
    return module.rpartition(".")[0] or module


def neighbours(room: str) -> dict[str, set[str]]:
    """Who imports whom, of the files and rooms that stand side by side in a room; "" is the whole house."""
    below = f"{room}." if room else ""

    def place(module: str) -> str | None:
        return module.removeprefix(below).split(".")[0] if module.startswith(below) else None

    found: dict[str, set[str]] = {}
    for module, path in modules().items():
        if (one := place(module)) is not None:
            found.setdefault(one, set()).update({place(other) for other in inside(path)} - {one, None})
    return found


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    allowed = MAY_IMPORT[room] | {room}
    for module, path in modules().items():
        for other in inside(path) if room_of(module) == room else ():
            fits = "*" in allowed or bool({other, room_of(other), other.split(".")[0]} & allowed)
            assert fits, f"{module} imports {other}"


@pytest.mark.parametrize("room", ["", *sorted({room for name in MAY_IMPORT for room in (name, name.split(".")[0])})])
def test_no_imports_go_in_a_circle(room: str) -> None:
    try:
        TopologicalSorter(neighbours(room)).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


@pytest.mark.parametrize("room", sorted(WITHOUT_LIGHTNING))
def test_leaves_know_nothing_of_lightning(room: str) -> None:
    for module, path in modules().items():
        if room_of(module) == room:
            assert not any(name.split(".")[0] in ("lightning", "pytorch_lightning") for name in imports(path)), module


MODALITY = re.compile(r"png|uint8|height|width|pixel", re.IGNORECASE)
"""What only the rooms of images may speak of."""


@pytest.mark.parametrize(
    "room", ["callbacks", "callbacks.loggers", "studies.audit", "studies.evaluation", "studies.report", "tasks"]
)
def test_what_serves_all_modalities_knows_none(room: str) -> None:
    for module, path in modules().items():
        for line in path.read_text().splitlines() if room_of(module) == room else ():
            assert not MODALITY.search(line), f"{module}: {line}"
        assert room_of(module) != room or not any(".images" in other for other in inside(path)), module


def test_every_room_is_ruled() -> None:
    assert {room_of(module) for module in modules()} == set(MAY_IMPORT)


def test_the_house_has_few_doors() -> None:
    there = [path for path in PACKAGE.iterdir() if path.name != "__pycache__"]
    assert len([path for path in there if path.is_dir()]) <= ROOMS
    assert len([path for path in there if path.is_file()]) <= FILES


def test_tests_stand_where_their_rooms_stand() -> None:
    rooms = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*") if path.is_dir() and path.name != "__pycache__"}
    missing = [room for room in rooms if not (Path(__file__).parent / room).is_dir()]
    assert not missing


def test_no_drawer_for_odds_and_ends() -> None:
    assert not [file for file in PACKAGE.rglob("*.py") if file.stem in ("utils", "helpers", "common", "misc")]


def test_no_pickle_is_loaded_with_code_in_it() -> None:
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                assert "weights_only=True" in ast.unparse(node), f"{file}:{node.lineno}"
