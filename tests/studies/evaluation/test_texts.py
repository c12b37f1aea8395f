"""Two text files, measured by typing the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ganlit.cli.main import main


@pytest.fixture
def said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANLIT_CACHE", str(tmp_path / "cache"))

    def run(*words: str) -> tuple[int, str]:
        code = main(list(words))
        out = capsys.readouterr()
        return code, out.out + out.err

    return run


def test_two_files_of_any_kind_are_compared(said: Callable, tmp_path: Path) -> None:
    lines = [f"the {who} sleeps in the {where} ." for who in ["cat", "dog", "man"] for where in ["sun", "rain"]]
    (tmp_path / "made.txt").write_text("".join(f"{line}\n" for line in lines[:4]))
    (tmp_path / "real.jsonl").write_text("".join(json.dumps({"text": line}) + "\n" for line in lines))
    code, told = said(
        *("evaluate", "made.txt", "--against", "real.jsonl", "--json", "out.json"),
        *("--metrics", "bleu2,selfbleu3,copies,rppl,distinct1-characters,fid", "--bootstrap", "0"),
    )
    assert code == 0, told
    assert "4 texts of made against 6 of real" in told
    found = json.loads((tmp_path / "out.json").read_text())
    (name, numbers), *_ = found["bleu"].items()
    assert name.startswith("bleu4-2-words-method1/-/-/real@")
    assert numbers["value"] == 1
    assert [*found] == ["bleu", "selfbleu", "copies", "rppl", "distinct", "fid"]
    assert "ngrams@" in next(iter(found["fid"]))


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("empty.txt", "--against", "real.txt"), "empty.txt has no text in it: fill or remove it"),
        (("bad.txt", "--against", "real.txt"), "bad.txt is no text in UTF-8 (byte 0xff in line 1): save it as UTF-8"),
        (("real.txt", "--against", "real.txt", "--metrics", "bleu4-letters"), "write bleu-4, or bleu-4-characters"),
        (("real.txt", "--against", "real.txt", "--metrics", "nll"), "nll of a run's generator, and real.txt is none"),
        (("real.txt", "--against", "real.txt", "--metrics", "oracle-nll"), "asks the oracle of OracleTexts"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(
    said: Callable, tmp_path: Path, words: tuple[str, ...], refusal: str
) -> None:
    (tmp_path / "real.txt").write_text("one two\nthree\n")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "bad.txt").write_bytes(b"\xff\n")
    code, told = said("evaluate", *words)
    assert code == 2
    assert refusal in " ".join(told.split())


def test_a_text_that_ended_at_once_counts_as_one(said: Callable, tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("Anna\nBo\nCleo\n")
    (tmp_path / "made.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in ("Anna", "", "Bo", "")))
    words = "copies,bleu2-characters,selfbleu2-characters,known,distinct1-characters,ppl-characters,rppl-characters"
    code, told = said("evaluate", "made.jsonl", "--against", "real.txt", "--metrics", words, "--json", "out.json")
    assert code == 0, told
    assert "4 texts of made against 3 of real" in told
    found = json.loads((tmp_path / "out.json").read_text())
    assert [next(iter(found[name].values()))["value"] for name in ("copies", "bleu", "known")] == [0.5, 0.5, 0.5]
