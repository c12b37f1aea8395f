from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Make = Callable[..., Path]


@pytest.fixture
def make_lines(tmp_path: Path) -> Make:
    """Writes a file of lines; its suffix tells whether plain ones, JSON or CSV, these with a label if one is given."""

    def write(texts: list[str], name: str = "texts.txt", key: str = "text", labels: list[str] | None = None) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        entries = [{key: text} | ({"label": labels[at]} if labels else {}) for at, text in enumerate(texts)]
        if file.suffix == ".jsonl":
            lines = [json.dumps(entry) for entry in entries]
        elif file.suffix == ".csv":
            rows = [",".join(f'"{value}"' for value in entry.values()) for entry in entries]
            lines = [",".join(entries[0]), *rows]
        else:
            lines = texts
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return file

    return write
