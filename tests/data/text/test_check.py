from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ganlit.cli.main import main

Make = Callable[..., Path]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run(*words: str) -> tuple[int, str]:
        code = main(["data", "check", *words])
        out = capsys.readouterr()
        return code, out.out + out.err

    return run


def test_it_says_what_works(make_lines: Make, said: Callable) -> None:
    file = make_lines([f"the {who} sleeps ." for who in ("cat", "dog")] * 20)
    code, told = said(str(file))
    assert code == 0
    assert "texts: 1 document, 40 texts that can be read" in told
    assert "160, 7 symbols of a vocabulary" in told
    assert "repeated: 38 texts are there before" in told
    assert "length: 4" in told
    names = make_lines(["anna", "bob", "maria"] * 20, "names.txt")
    code, told = said(str(names))
    assert "unit: characters" in told
    assert "length: 5" in told


def test_it_says_what_would_stop_a_training(make_lines: Make, said: Callable) -> None:
    file = make_lines(["one two three", "one", "two"])
    code, told = said(str(file), "--length", "2", "--batch", "2", "--symbols", "3", "--unit", "words")
    assert code == 1
    assert "too long: 1" in told
    assert "texts.txt line 1 has 3 words, more than the length of 2" in told
    assert "unknown: 3 of 5 words are not in a vocabulary of 3" in told
    assert "shorten: true" in told
    code, told = said(str(make_lines(["only one line"])))
    assert code == 1
    assert "1 usable text of texts is fewer than a batch of 32: set batch to 1 or less." in told
    long = make_lines(["so many words " * 200])
    assert "each: windows to cut long ones into many" in said(str(long), "--length", "4", "--batch", "8")[1]
    assert said(str(long), "--length", "4", "--batch", "8", "--each", "windows")[0] == 0


def test_bad_files_are_told_of(make_lines: Make, tmp_path: Path, said: Callable) -> None:
    (tmp_path / "bad.txt").write_bytes(b"a\n\xff\n")
    assert "bad.txt is no text in UTF-8 (byte 0xff in line 2): save it as UTF-8" in said(str(tmp_path / "bad.txt"))[1]
    (tmp_path / "empty.txt").touch()
    assert "empty.txt has no text in it: fill or remove it" in said(str(tmp_path / "empty.txt"))[1]
    table = make_lines(["a", "b"] * 20, "a.csv", key="body")
    assert "has body in its first line, not text: call the column of the texts so, or set key" in said(str(table))[1]
    code, told = said(str(table), "--key", "body")
    assert code == 0
    assert "key: body" in told
