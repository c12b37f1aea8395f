from __future__ import annotations

import json
from pathlib import Path

import pytest

from ganlit.compute.console import print_table
from ganlit.studies.audit.findings import Finding, grouped, table, write

FOUND = [
    Finding("one", "ok", "all [of] it"),
    Finding("two", "fails", "nothing", "Mend it."),
    Finding("three", "does not apply", "-"),
]


def test_names_stand_by_their_modules() -> None:
    assert grouped(["a.weight", "a.bias", "b.c.weight", "bare"]) == "a (weight, bias), b.c (weight), bare"
    many = [f"layers.{place}.{name}" for place in range(5) for name in ("weight", "bias")]
    assert grouped(many).endswith("layers.2 (weight, bias) and 4 more")


def test_a_table_tells_all(capsys: pytest.CaptureFixture) -> None:
    print_table(table(FOUND))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[1].split("  ")[0] == "one"
    assert lines[1].endswith("all [of] it")
    assert lines[3].strip() == "Mend it."


def test_a_file_tells_the_same(tmp_path: Path) -> None:
    write(FOUND, {"speed": 1.5}, tmp_path / "audit.json")
    document = json.loads((tmp_path / "audit.json").read_text())
    assert document["checks"][1] == {"check": "two", "status": "fails", "seen": "nothing", "remedy": "Mend it."}
    assert document["costs"] == {"speed": 1.5}
