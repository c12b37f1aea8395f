from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from ganlit.records import cache
from ganlit.records.cache import alone, cached, read, room, write

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "statistics" / "entry.pt"


def test_it_has_one_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GANLIT_CACHE", raising=False)
    assert room("images") == Path.home() / ".cache" / "ganlit" / "images"
    monkeypatch.setenv("GANLIT_CACHE", str(tmp_path))
    assert room("images") == tmp_path / "images"


def test_an_entry_is_computed_once(path: Path) -> None:
    computed = []

    def compute() -> dict[str, Any]:
        computed.append(1)
        return {"mean": torch.arange(3.0), "count": 7}

    first, second = cached(path, compute), cached(path, compute)
    assert len(computed) == 1
    assert torch.equal(first["mean"], second["mean"])
    assert second["count"] == 7
    assert [each.name for each in path.parent.iterdir() if not each.name.startswith(".")] == ["entry.pt"]


@pytest.mark.parametrize("hurt", [lambda whole: whole[: len(whole) // 2], lambda whole: b"", lambda whole: b"x" * 99])
def test_a_broken_entry_is_told_and_made_again(path: Path, hurt: Any) -> None:
    write({"mean": torch.ones(99)}, path)
    path.write_bytes(hurt(path.read_bytes()))
    said: list[str] = []
    entry = cached(path, lambda: {"mean": torch.zeros(99)}, said.append)
    assert entry["mean"].sum() == 0
    assert read(path)["mean"].sum() == 0
    assert str(path) in said[0]
    assert said[0].endswith("it is made again.")


def test_a_flipped_bit_is_noticed(path: Path) -> None:
    write({"mean": torch.ones(99)}, path)
    content = bytearray(path.read_bytes())
    content[content.index(torch.ones(2).numpy().tobytes())] ^= 1
    path.write_bytes(content)
    assert read(path, lambda text: None) is None


def test_a_failed_computation_leaves_nothing(path: Path) -> None:
    def fail() -> dict[str, Any]:
        raise RuntimeError("no weights")

    with pytest.raises(RuntimeError, match="no weights"):
        cached(path, fail)
    assert cached(path, lambda: {"count": 1})["count"] == 1


def test_a_cache_that_cannot_be_written_costs_the_entry_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    assert cached(tmp_path / "file" / "entry.pt", lambda: {"count": 1}, said.append) == {"count": 1}
    assert "cannot be written" in said[0]
    assert "GANLIT_CACHE" in said[0]


def test_a_full_disk_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache.torch, "save", full)
    said: list[str] = []
    write({}, path, said.append)
    assert "No space left on device" in said[0]
    assert not path.exists()


def test_a_filesystem_without_locks_computes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    assert cached(path, lambda: {"count": 1}) == {"count": 1}


def slowly(path: Path, log: Path) -> dict[str, Any]:
    with log.open("a") as file:
        file.write("computing\n")
    time.sleep(0.5)
    return {"pid": os.getpid()}


def ask(path: Path, log: Path) -> None:
    entry = cached(path, lambda: slowly(path, log), lambda text: None)
    with log.open("a") as file:
        file.write(f"{entry['pid']}\n")


def test_of_many_processes_one_computes_and_the_others_wait(path: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    processes = [FORK.Process(target=ask, args=(path, log)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    lines = log.read_text().split()
    assert lines.count("computing") == 1
    assert len(set(lines) - {"computing"}) == 1


def hold(path: Path, held: Any) -> None:
    with alone(path):
        held.set()
        time.sleep(60)


def test_a_killed_process_does_not_block_the_rest(path: Path) -> None:
    held = FORK.Event()
    holder = FORK.Process(target=hold, args=(path, held))
    holder.start()
    assert held.wait(30)
    said: list[str] = []
    waiting = time.monotonic()

    def tell(text: str) -> None:
        said.append(text)
        os.kill(holder.pid, signal.SIGKILL)

    assert cached(path, lambda: {"count": 1}, tell) == {"count": 1}
    holder.join()
    assert "waiting for it" in said[0]
    assert time.monotonic() - waiting < 30
