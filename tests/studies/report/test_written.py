from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ganlit.errors import UserError
from ganlit.studies.report.written import write

FIRST = {"results.csv": b"run,setting,seed,phase,\n", "report/report.md": b"<!-- written by ganlit report -->\n"}
SECOND = {name: content + b"more\n" for name, content in FIRST.items()}


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FIRST}


def test_a_report_replaces_itself(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    write(tmp_path, SECOND)
    assert contents(tmp_path) == SECOND
    write(tmp_path, {"results.csv": FIRST["results.csv"]}, stale=["report/report.md"])
    assert not (tmp_path / "report/report.md").exists()


@pytest.mark.parametrize("name", FIRST)
def test_what_was_changed_is_the_users(name: str, tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    (tmp_path / name).write_bytes(FIRST[name] + b"my note\n")
    before = contents(tmp_path)
    with pytest.raises(UserError, match=f"{name} was changed since ganlit report wrote it: move it away"):
        write(tmp_path, SECOND)
    with pytest.raises(UserError, match=f"{name} was changed since"):
        write(tmp_path, {}, stale=[name])
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_text("mine,and mine\n"),
        Path.mkdir,
        os.mkfifo,
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.symlink_to(path.name),
    ],
)
@pytest.mark.parametrize("name", ["results.csv", "report/report.md", "report/written.json"])
def test_what_no_report_has_written_is_the_users(name: str, make: Callable[[Path], object], tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    make(tmp_path / name)
    there = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=f"{name} was not written by ganlit report: move it away"):
        write(tmp_path, FIRST)
    assert sorted(tmp_path.rglob("*")) == there


def test_a_report_of_before_there_were_digests_is_replaced(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    (tmp_path / "report/written.json").unlink()
    write(tmp_path, SECOND)
    assert contents(tmp_path) == SECOND


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.csv").write_bytes(FIRST["results.csv"])
    (tmp_path / "results.csv").symlink_to("elsewhere.csv")
    write(tmp_path, SECOND)
    assert (tmp_path / "results.csv").is_symlink()
    assert (tmp_path / "elsewhere.csv").read_bytes() == SECOND["results.csv"]


@pytest.mark.parametrize("kills", [0, 1, 2])
def test_a_report_that_was_cut_short_is_written_again(
    kills: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, FIRST)
    whole, written = Path.write_bytes, []

    def full(path: Path, content: bytes) -> int:
        written.append(path)
        if len(written) > kills:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return whole(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(UserError, match=r"cannot be written \(No space left on device"):
            write(tmp_path, SECOND)
    assert all(content in (FIRST[name], SECOND[name]) for name, content in contents(tmp_path).items())
    assert not [*tmp_path.rglob("*.partial")]
    write(tmp_path, SECOND)
    assert contents(tmp_path) == SECOND


@pytest.mark.parametrize("content", ["[]", '{"by": "ganlit report", "results.csv": 3}', '"ganlit report"'])
def test_damaged_digests_are_none(content: str, tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    damaged = json.loads(content) if content != "[]" else {"by": "ganlit report", "report/report.md": {}}
    (tmp_path / "report/written.json").write_text(json.dumps(damaged))
    write(tmp_path, SECOND)
    assert contents(tmp_path) == SECOND
