from __future__ import annotations

import errno
import multiprocessing
import os
import pickle
import random
import resource
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from remains import same
from safetensors.torch import save_file
from torch import nn

from ganlit.errors import Unwritten, UserError
from ganlit.records import durable
from ganlit.records.durable import damage, keep, load, newest, read_weights, replacing, save, sweep, write_weights

PAYLOAD = torch.arange(250_000, dtype=torch.float32)  # 1 MB
fork = multiprocessing.get_context("fork")


def state(number: int, payload: torch.Tensor = PAYLOAD[:10]) -> dict[str, Any]:
    return {"number": number, "state_dict": {"weight": payload, "other": torch.eye(3)}, "names": ["a", "b"]}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refuse_links(*args: Any) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """The kernel refuses to let any file grow beyond `room` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, (str(self.path),)


# Writing


@pytest.mark.parametrize("flush", [True, False])
def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, flush: bool) -> None:
    path = tmp_path / "new" / "folder" / "file.txt"
    for text in ("one", "two"):
        with replacing(path, flush) as partial:
            partial.write_text(text)
            assert partial.parent == path.parent
    with suppress(KeyboardInterrupt), replacing(path, flush) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "two"
    assert names(path.parent) == ["file.txt"]


def test_no_two_writers_share_a_temporary(tmp_path: Path) -> None:
    with replacing(tmp_path / "a") as one, replacing(tmp_path / "a") as other:
        one.write_text("one")
        other.write_text("other")
    assert (tmp_path / "a").read_text() == "one"  # the block that ended last


def test_the_content_is_on_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, fsync, replace = [], os.fsync, os.replace

    def flushed(descriptor: int) -> None:
        calls.append(("flush", os.fstat(descriptor).st_ino))
        fsync(descriptor)

    def renamed(source: Path, target: Path) -> None:
        calls.append(("rename", source.stat().st_ino))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", renamed)
    save(state(1), tmp_path / "last.ckpt")
    file, folder = (tmp_path / "last.ckpt").stat().st_ino, tmp_path.stat().st_ino
    assert calls == [("flush", file), ("rename", file), ("flush", folder)]


def test_the_one_before_is_kept(tmp_path: Path) -> None:
    for number in range(4):
        save(state(number), tmp_path / "last.ckpt")
    assert names(tmp_path) == ["last.ckpt", "previous.ckpt"]
    assert [load(tmp_path / name)["number"] for name in names(tmp_path)] == [3, 2]
    for number in range(2):
        save(state(number), tmp_path / "mine.ckpt")
    assert names(tmp_path) == ["last.ckpt", "mine.ckpt", "previous.ckpt"]
    assert load(tmp_path / "previous.ckpt")["number"] == 2


@pytest.mark.parametrize("links", [True, False])
def test_a_second_name_keeps_the_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    if not links:
        monkeypatch.setattr(os, "link", refuse_links)
    save(state(1), tmp_path / "last.ckpt")
    for _ in range(2):  # the second time both names are already one file
        keep(tmp_path / "last.ckpt", "best.ckpt")
    assert (tmp_path / "best.ckpt").samefile(tmp_path / "last.ckpt") == links
    save(state(2), tmp_path / "last.ckpt")
    assert [load(tmp_path / name)["number"] for name in ("best.ckpt", "last.ckpt", "previous.ckpt")] == [1, 2, 1]
    assert names(tmp_path) == ["best.ckpt", "last.ckpt", "previous.ckpt"]


@pytest.mark.parametrize("earlier", [0, 2])
@pytest.mark.parametrize("links", [True, False])
def test_a_full_disk_costs_nothing_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: int, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", refuse_links)
    last = tmp_path / "last.ckpt"
    for number in range(earlier):
        save(state(number), last)
    before = names(tmp_path)
    with full_disk(300_000), pytest.raises(UserError, match=r"File too large, it needs 1.0 MB and [0-9.,]+ MB") as told:
        save(state(9, PAYLOAD), last)
    assert str(told.value).startswith(f"{last} cannot be written")
    assert (f"{last} of an earlier save is intact" in str(told.value)) == bool(earlier)
    assert names(tmp_path) == before
    if earlier:
        assert [load(tmp_path / name)["number"] for name in before] == [1, 0]


def test_a_folder_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot be written \(.*\): there is no earlier checkpoint"):
        save(state(1), tmp_path / "file" / "last.ckpt")


def test_what_cannot_be_pickled_is_no_matter_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises((AttributeError, pickle.PicklingError)):
        save({"code": lambda: None}, tmp_path / "last.ckpt")
    assert names(tmp_path) == []


# Kills


def save_until_killed(folder: Path, first: int, done: Connection) -> None:
    number = first
    while True:
        save(state(number, PAYLOAD), folder / "last.ckpt")
        done.send(number)
        number += 1


def test_a_kill_at_any_instant_loses_nothing_but_the_save_it_hits(tmp_path: Path) -> None:
    number = 0
    for _ in range(15):
        receiver, sender = fork.Pipe(duplex=False)
        process = fork.Process(target=save_until_killed, args=(tmp_path, number, sender))
        process.start()
        sender.close()
        done = receiver.recv()
        time.sleep(random.uniform(0, 0.1))
        process.kill()
        process.join()
        while receiver.poll():
            try:
                done = receiver.recv()
            except EOFError:
                break
        found, warning = newest(tmp_path)
        assert warning is None
        assert load(found)["number"] in (done, done + 1)
        if done > 0:
            assert load(tmp_path / "previous.ckpt")["number"] in (done - 1, done)
        number = load(found)["number"] + 1
    sweep(tmp_path)
    assert names(tmp_path) == ["last.ckpt", "previous.ckpt"]


def save_until_step(folder: Path, step: int, links: bool) -> None:
    """Saves number 3, and dies at a given step of it; a write that it dies in is half done."""
    taken = 0

    def steps(module: Any, name: str, half: Callable[..., Any]) -> None:
        original = getattr(module, name)

        def taking(*args: Any, **kwargs: Any) -> Any:
            nonlocal taken
            taken += 1
            if taken > step:
                half(*args)
                os._exit(9)
            return original(*args, **kwargs)

        setattr(module, name, taking)

    if not links:
        os.link = refuse_links
    for name in ("link", "replace", "fsync", "unlink"):
        steps(os, name, lambda *args: None)
    steps(torch, "save", lambda checkpoint, file: os.write(file.fileno(), b"half"))
    steps(shutil, "copyfile", lambda source, target: target.write_bytes(b"half"))
    save(state(3), folder / "last.ckpt")


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("damaged", [True, False])
def test_a_kill_at_each_step_leaves_a_whole_checkpoint(tmp_path: Path, links: bool, damaged: bool) -> None:
    outcomes = []
    for step in range(99):
        folder = tmp_path / str(step)
        for number in (1, 2):
            save(state(number), folder / "last.ckpt")
        if damaged:
            os.truncate(folder / "last.ckpt", 900)
        process = fork.Process(target=save_until_step, args=(folder, step, links))
        process.start()
        process.join()
        outcomes.append(load(newest(folder).path)["number"])
        assert damaged or damage(folder / "previous.ckpt") is None
        sweep(folder)
        assert names(folder) == ["last.ckpt", "previous.ckpt"]
        if process.exitcode == 0:
            break
        assert process.exitcode == 9
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == ({1, 3} if damaged else {2, 3})


def test_what_a_killed_write_left_is_no_checkpoint(tmp_path: Path) -> None:
    save(state(1), tmp_path / "last.ckpt")
    left = tmp_path / f".last.ckpt.1-00{durable.PARTIAL}"
    (tmp_path / "last.ckpt").rename(left)
    with pytest.raises(UserError, match=r"last.ckpt does not exist, and previous.ckpt does not exist"):
        newest(tmp_path)
    sweep(tmp_path)
    assert names(tmp_path) == []


# Reading


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A path to write damaged copies to, and a whole checkpoint."""
    folder = tmp_path_factory.mktemp("damaged")
    save(state(1), folder / "whole.ckpt")
    return folder / "last.ckpt", (folder / "whole.ckpt").read_bytes()


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_changed_byte_is_seen_or_harmless(content: tuple[Path, bytes], data: st.DataObject) -> None:
    path, whole = content
    changed = bytearray(whole)
    changed[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    with suppress(UserError):
        assert same(load(path), state(1))


def test_a_record_that_calls_itself_a_folder_is_seen(content: tuple[Path, bytes]) -> None:
    """Its checksum still holds, but torch would return whatever was in memory."""
    path, whole = content
    changed = bytearray(whole)
    entry = whole.index(b"data/0", whole.index(b"PK\x01\x02"))  # in the index at the end of the file
    attributes = whole.rindex(b"PK\x01\x02", 0, entry) + 38
    changed[attributes] |= 0x10
    path.write_bytes(changed)
    with pytest.raises(UserError, match="is damaged"):
        load(path)


@given(length=st.integers(0, 10**6))
@example(length=0)
@settings(deadline=None)
def test_a_file_cut_short_is_seen(content: tuple[Path, bytes], length: int) -> None:
    path, whole = content
    path.write_bytes(whole[: length % len(whole)])
    with pytest.raises(UserError, match="is damaged or no checkpoint"):
        load(path)


def test_a_whole_checkpoint_comes_back(tmp_path: Path) -> None:
    save(state(1, PAYLOAD), tmp_path / "last.ckpt")
    assert same(load(tmp_path / "last.ckpt"), state(1, PAYLOAD))
    assert durable.whole(tmp_path / "last.ckpt") == tmp_path / "last.ckpt"


def test_no_code_from_a_file_is_run(tmp_path: Path) -> None:
    path, trace = tmp_path / "evil.ckpt", tmp_path / "trace"
    torch.save(state(1) | {"evil": Evil(trace)}, path)
    with pytest.raises(UserError, match=r"holds code that would run when it is loaded \(posix.mkdir\)") as told:
        load(path)
    assert str(path) in str(told.value)
    for protocol in (2, 4):  # the second is beyond what torch reads at all
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/data.pkl", pickle.dumps(Evil(trace), protocol))
            archive.writestr("a/version", "3")
        with pytest.raises(UserError, match=r"holds code that would run|is damaged or no checkpoint"):
            load(path)
    path.write_bytes(pickle.dumps(Evil(trace)))
    with pytest.raises(UserError, match="is damaged or no checkpoint"):
        load(path)
    assert not trace.exists()


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none.ckpt does not exist: give the path of another checkpoint"):
        load(tmp_path / "none.ckpt")
    torch.save(torch.zeros(3), tmp_path / "tensor.ckpt")
    with pytest.raises(UserError, match=r"tensor.ckpt is no checkpoint, it holds a Tensor"):
        load(tmp_path / "tensor.ckpt")
    with zipfile.ZipFile(tmp_path / "other.ckpt", "w") as archive:
        archive.writestr("readme", "hello")
    with pytest.raises(UserError, match=r"other.ckpt is damaged or no checkpoint"):
        load(tmp_path / "other.ckpt")


def test_the_newest_whole_checkpoint_is_found(tmp_path: Path) -> None:
    last, previous = tmp_path / "last.ckpt", tmp_path / "previous.ckpt"
    for number in (1, 2):
        save(state(number), last)
    assert newest(tmp_path) == (last, None)
    os.truncate(last, 500)
    path, warning = newest(tmp_path)
    assert path == previous
    assert warning.startswith(f"{last} is damaged")
    assert warning.endswith("previous.ckpt, of the save before it, is used instead.")
    last.unlink()
    assert "last.ckpt does not exist" in newest(tmp_path).warning
    previous.write_bytes(b"")
    with pytest.raises(UserError, match=r"last.ckpt does not exist, and previous.ckpt is damaged .*: name another"):
        newest(tmp_path)


# The averaged generator alone


def network() -> nn.Module:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3))
    made[3].weight = made[2].weight  # shared
    made(torch.randn(2, 3, 9, 9))
    return made.to(memory_format=torch.channels_last)


def test_weights_come_back_with_what_rebuilds_them(tmp_path: Path) -> None:
    path, made = tmp_path / "checkpoints" / "ema.safetensors", network()
    write_weights(made, "name: ünïcode\nmodel: {}\n", 1200, path, [0, 7])
    found, config, images_seen, populated = read_weights(path)
    assert same(found, dict(made.state_dict()))
    assert (config, images_seen, populated) == ("name: ünïcode\nmodel: {}\n", 1200, [0, 7])
    assert names(path.parent) == ["ema.safetensors"]


def test_weights_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ema.safetensors"
    with pytest.raises(UserError, match="does not exist"):
        read_weights(path)
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(UserError, match="has no configuration inside"):
        read_weights(path)
    write_weights(network(), "", 1, path)
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(UserError, match="is damaged or no safetensors file") as told:
        read_weights(path)
    assert "\n" not in str(told.value)


def test_weights_on_a_full_disk_leave_the_old_ones(tmp_path: Path) -> None:
    path = tmp_path / "ema.safetensors"
    write_weights(network(), "", 1, path)
    with full_disk(100), pytest.raises(UserError, match=r"ema.safetensors cannot be written"):
        write_weights(network(), "", 2, path)
    assert read_weights(path).images_seen == 1
    assert names(tmp_path) == ["ema.safetensors"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO])
def test_whatever_cannot_be_written_is_told_in_a_sentence(tmp_path: Path, number: int) -> None:
    path = tmp_path / "state.json"
    path.write_text("before")
    with pytest.raises(Unwritten, match=rf"^\S+state.json cannot be written \({os.strerror(number)}"), replacing(path):
        raise OSError(number, os.strerror(number))
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_comes_from_elsewhere_keeps_its_own_reason(tmp_path: Path) -> None:
    for error in (ConnectionResetError(104, "reset"), FileNotFoundError(2, "none", "other"), TimeoutError()):
        with pytest.raises(type(error)) as told, replacing(tmp_path / "a"):
            raise error
        assert told.value is error


def test_a_file_below_a_file_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unwritten, match="x cannot be written"), replacing(tmp_path / "file" / "x"):
        pass
