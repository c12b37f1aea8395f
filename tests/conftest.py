"""How tests share the cores; where commands are tried; and one real run, offline on W&B, for who reads it there.

What imports torch is imported in the fixtures that want it: see OMP_NUM_THREADS.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import struct
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import wandb
from wandb.proto.wandb_internal_pb2 import Record

os.environ.setdefault("OMP_NUM_THREADS", "1")  # for torch, which no test has imported yet: two workers, two cores

os.environ["GANLIT_TRUST"] = (  # one's own modules
    "extractors,faulty,filters,foreigners,gated,letters,noises,points,remains,sounds,squares,tinted"
)

HANDLERS = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

SHARED = {"distributed": "distributed", "slurm": "slurm", "loggers": "recorded", "dashboard": "recorded"}
"""Folders whose tests share what takes long to make, and so one worker."""


class Recorded(NamedTuple):
    """What W&B has of a run in its offline file."""

    folder: Path  # the run directory
    records: list[Record]

    def of(self, kind: str) -> list[Any]:
        return [getattr(record, kind) for record in self.records if record.WhichOneof("record_type") == kind]

    @property
    def history(self) -> list[dict[str, Any]]:
        return [tree(row.item) for row in self.of("history")]

    @property
    def config(self) -> dict[str, Any]:
        return {item.key: json.loads(item.value_json) for item in self.of("run")[0].config.update}

    @property
    def summary(self) -> dict[str, Any]:
        return tree(item for row in self.of("summary") for item in row.update)


def tree(items: Iterable[Any]) -> dict[str, Any]:
    """Names to values, also inside values."""
    found: dict[str, Any] = {}
    for item in items:
        *outer, name = item.nested_key or [item.key]
        inner = found
        for key in outer:
            inner = inner.setdefault(key, {})
        inner[name] = json.loads(item.value_json)
    return found


def read_records(path: Path) -> list[Record]:
    """The records of a .wandb file, LevelDB's log of blocks of 32 KiB after seven bytes; as many as there are whole."""
    data, place, whole, found = path.read_bytes(), 7, b"", []
    while place + 7 <= len(data):
        left = 2**15 - place % 2**15
        if left < 7:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + 7])
        whole += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # full, or the last part
            found.append(Record.FromString(whole))
            whole = b""
    return found


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported stays: no time goes into looking through it for garbage, neither now nor later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first to start is who waits most, for jobs: others work meanwhile, and nobody waits for it in the end.

    Then come whole trainings, the files of this folder: what is left for the end is short, and workers end together.
    """
    items.sort(key=lambda item: ("slurm" not in item.path.parts, item.path.parent != Path(__file__).parent))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[bool]:
    """Nothing says which process this is, or its seed: a run in it has, and processes of a test would inherit it."""
    for name in ("LOCAL_RANK", "NODE_RANK", "PL_GLOBAL_SEED"):
        os.environ.pop(name, None)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Signals do what they did at first: a run in this very process has gone on listening to them after its end."""
    for number, handler in HANDLERS.items():
        signal.signal(number, handler)
    return (yield)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keeps together what shares fixtures when `pytest -n 2` deals tests out to workers: a file, or a folder."""
    from xdist.scheduler import LoadScopeScheduling

    config.option.loadscopereorder = False  # else those of many tests, which say little of their time, would be first

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return SHARED.get(Path(file).parent.name, file)

    return Together(config, log)


@pytest.fixture(scope="session")
def reading() -> Any:
    """Reads the files of a run directory, in the order of its starts."""

    def read(folder: Path) -> list[Recorded]:
        wandb.teardown()  # its process writes the end of a file when it ends
        files = (folder / "wandb").glob("*run-*/run-*.wandb")
        files = sorted(files, key=lambda path: (path.parent.name.removeprefix("offline-"), path.stat().st_mtime))
        return [Recorded(folder, read_records(file)) for file in files]

    return read


@pytest.fixture(scope="module")
def configuration() -> str:
    """What tiny.yaml says in `place`: a module that wants another has a fixture of this name."""
    from squares import tiny

    return tiny()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, configuration: str) -> Iterator[Path]:
    """A folder with tiny.yaml and a hundred squares, where all commands of a module run and metrics take no time."""
    from squares import paint, within

    folder = tmp_path_factory.mktemp("place")
    paint(folder / "squares")
    with within(folder, configuration):
        yield folder


@pytest.fixture
def ganlit(place: Path, capsys: pytest.CaptureFixture) -> Callable[..., Any]:
    """Runs a command in `place`, for an Answer."""
    from squares import Answer

    from ganlit.cli.main import main

    def run(*args: str) -> Answer:
        code = main(list(args))
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory, reading: Any) -> Recorded:
    """A whole run in a repository with a change that is not committed."""
    from squares import STYLES, paint, part, tiny, within

    from ganlit.cli.main import main

    configuration = tiny(
        kimg=0.16,
        model=STYLES
        | {
            "generator_regularizers": [part("PathLength", weight=2.0, every=2)],
            "augment": part("ADA", p=0.2, interval=1),
        },
        data={"fit": "resize", "tick": 0.08},
        fidelity={"metrics": ["fid", "kid", "prdc", "probe"]},
        wandb={"project": "digits", "group": "0007-question", "tags": ["quick", "small"], "notes": "a try"},
    )
    place = tmp_path_factory.mktemp("recorded")
    paint(place / "squares")
    (place / "code.py").write_text("one\n")
    who = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    for command in (
        ["init", "-q"],
        ["add", "code.py"],
        [*who, "commit", "-qm", "first"],
        ["remote", "add", "origin", "https://example.org/lab.git"],
    ):
        subprocess.run(["git", *command], cwd=place, check=True)
    (place / "code.py").write_text("one\ntwo\n")
    with within(place, configuration) as patch:
        for name in ("WANDB_PROJECT", "WANDB_RUN_ID", "WANDB_SWEEP_ID", "WANDB_NAME", "WANDB_API_KEY"):
            patch.delenv(name, raising=False)
        patch.setenv("WANDB_MODE", "offline")
        assert main(["fit", "--config", "tiny.yaml"]) == 0
    (run,) = reading(place / "runs" / "tiny")
    return run
