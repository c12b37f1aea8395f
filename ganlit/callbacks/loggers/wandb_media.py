"""Files as Weights & Biases shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ganlit.compute.sparing import Later
from ganlit.records.media import LINES, Kind, kind_of

wandb = Later("wandb")


def media(name: str, files: Sequence[Path]) -> dict[str, Any]:
    """Files as W&B shows them, by kind; those of the first file's kind under the name itself."""
    found: dict[str, list[Any]] = {}
    for path in files:
        if (kind := kind_of(path)) is not None:
            found.setdefault(kind, []).append(MEDIA[kind](path))
    first = next(iter(found), None)
    shown = {name if kind == first else f"{name}/{kind}": each for kind, each in found.items()}
    return {key: each[0] if len(each) == 1 else each for key, each in shown.items()}


def words(path: Path) -> wandb.Html | wandb.Table:
    """A text file as a table of its lines, another one, such as of numbers, as it stands."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != LINES:
        return wandb.Html(f"<pre>{escape(text)}</pre>")
    rows = [[number, line] for number, line in enumerate(text.splitlines(), 1)]
    return wandb.Table(columns=["row", "text"], data=rows)


MEDIA: dict[Kind, Callable[[Path], Any]] = {
    "image": lambda path: wandb.Image(str(path)),
    "audio": lambda path: wandb.Audio(str(path), caption=path.stem),
    "video": lambda path: wandb.Video(str(path), caption=path.stem),
    "text": words,
}
