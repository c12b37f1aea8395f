from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import TextIO

import pytest
import rich
from hypothesis import given
from hypothesis import strategies as st
from rich.markup import escape
from rich.table import Table

from ganlit.compute import console
from ganlit.compute.console import Lasting, lasting, print_table, print_wide, say
from ganlit.errors import printable


def table(cell: str) -> Table:
    drawn = Table("value", box=None)
    drawn.add_row(cell)
    return drawn


def everything(text: str) -> None:
    say(text)
    print_table(table(text))
    print_wide(table(text))


@pytest.fixture
def swapped(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[TextIO]]:
    """Standard output is what is put here."""
    streams: list[TextIO] = []
    console._complain.cache_clear()
    yield streams
    for stream in streams:
        stream.close()  # as Python does at its end: nothing is left that cannot be written


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
def test_what_a_terminal_has_no_letter_for_is_a_question_mark(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", screen)
    text = "15.2 ± 0.4 caf\udce9 \N{GRINNING FACE}"
    everything(text)
    said = screen.buffer.getvalue().decode(encoding)
    for shown, times in ((printable(text), 1), (text, 2)):  # a line, and two tables
        assert said.count(shown.encode(encoding, "replace").decode(encoding)) == times


def test_a_line_gives_a_terminal_no_orders(capsys: pytest.CaptureFixture) -> None:
    say("runs/\x1b[31mred\x1b]0;title\x07: done\nnext")
    assert capsys.readouterr().out == "runs/\\x1b[31mred\\x1b]0;title\\x07: done\nnext\n"


@given(st.text(st.characters(exclude_categories=["Cc", "Zl", "Zp"])))
def test_a_stream_takes_every_text(text: str) -> None:
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
    assert Lasting(screen).write(text) == len(text)
    screen.flush()
    assert screen.buffer.getvalue() == text.encode("ascii", "replace")


def test_a_full_disk_is_told_once_and_ends_nothing(
    swapped: list[TextIO], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    swapped.append(Path("/dev/full").open("w"))  # noqa: SIM115, closed by the fixture
    monkeypatch.setattr(sys, "stdout", swapped[0])
    for _ in range(3):
        everything("words")
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "standard output cannot be written (No space left on device)" in told


def test_a_reader_that_is_gone_ends_nothing_and_is_not_told_of(
    swapped: list[TextIO], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    reader, writer = os.pipe()
    swapped.append(os.fdopen(writer, "w"))
    monkeypatch.setattr(sys, "stdout", swapped[0])
    say("first")
    assert os.read(reader, 100) == b"first\n"
    os.close(reader)
    everything("second" * 10_000)
    assert capsys.readouterr().err == ""


def test_what_can_be_written_again_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Moody(io.TextIOWrapper):
        full = False

        def flush(self) -> None:
            if self.full:
                raise OSError(28, "No space left on device")
            super().flush()

    with Moody((tmp_path / "log").open("wb"), encoding="utf-8") as log:
        monkeypatch.setattr(sys, "stdout", log)
        for name in ("one", "two", "three"):
            log.full = name == "two"
            say(name)
    lines = (tmp_path / "log").read_text().split()
    assert (lines[0], lines[-1]) == ("one", "three")


@pytest.mark.parametrize("stream", [None, "closed"])
def test_without_a_standard_output_nothing_is_said(stream: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed if stream else None)
    console._complain.cache_clear()
    everything("words")


def test_a_whole_command_can_be_kept_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    with lasting():
        print("±")
        say("±")
        rich.print("±")
    assert sys.stdout is screen
    assert screen.buffer.getvalue() == b"?\n?\n?\n"


def test_what_a_signal_says_amid_a_sentence_is_said_with_the_next() -> None:
    class Busy(io.StringIO):
        busy = True

        def write(self, text: str) -> int:
            if self.busy:
                raise RuntimeError("reentrant call inside <_io.BufferedWriter>")
            return super().write(text)

    stream = Busy()
    lasting_stream = Lasting(stream)
    lasting_stream.write("SIGTERM: stopping\n")
    stream.busy = False
    lasting_stream.write("done\n")
    assert stream.getvalue() == "SIGTERM: stopping\ndone\n"


@given(st.lists(st.tuples(*[st.text("ab [/", max_size=40)] * 2), min_size=1, max_size=4))
def test_no_line_of_a_log_ends_in_blanks(rows: list[tuple[str, str]]) -> None:
    drawn = Table("one", "two", box=None, pad_edge=False)
    for row in rows:
        drawn.add_row(*map(escape, row))
    for show in (print_table, print_wide):
        with redirect_stdout(io.StringIO()) as log:
            show(drawn)
        lines = log.getvalue().split("\n")
        assert lines.pop() == ""
        assert all(line == line.rstrip() for line in lines)
        assert [line.split() for line in lines[1:]] == [f"{one} {two}".split() for one, two in rows]
