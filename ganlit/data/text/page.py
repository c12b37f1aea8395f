"""Texts as a picture: a page of them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont

SIZE = 15  # of the letters
ACROSS = 1200  # of a page, at least
LINE, GAP, EDGE = 20, 8, 12
LINES = 4  # of one text that is shown where each has a row of its own
TALLEST = 4000
MOST = 2000  # characters of a text
INK, PALE, PAPER = (20, 20, 20), (150, 150, 150), (255, 255, 255)


def page(texts: Sequence[str], columns: int) -> Image.Image:
    """Texts row after row where as many as a row has find room beside one another, else one below the other.

    Args:
        texts: of which the last ones may not be shown.
        columns: texts in a row.
    """
    shown = [spelled(text[:MOST]) for text in texts]
    widest = max((length(text) for text in shown), default=0)
    if columns * (widest + 2 * GAP) <= ACROSS:
        return grid(shown, columns, widest + 2 * GAP)
    return listing(shown)


def grid(texts: Sequence[str], columns: int, wide: int) -> Image.Image:
    """Short texts in rows."""
    rows = -(-len(texts) // columns)
    image, drawing = blank(columns * wide, rows * LINE)
    for place, text in enumerate(texts):
        row, column = divmod(place, columns)
        drawing.text((EDGE + column * wide + GAP, EDGE + row * LINE), text, INK, font())
    return image


def listing(texts: Sequence[str]) -> Image.Image:
    """Long texts, each with its number, in as many lines as it needs and as there are."""
    margin = length(f"{len(texts)} ") + GAP
    blocks = [wrapped(text, ACROSS - margin) for text in texts]
    tall = 0
    for count, block in enumerate(blocks):
        if tall + len(block) * LINE + GAP > TALLEST:
            blocks = [*blocks[:count], ["..."]]
            break
        tall += len(block) * LINE + GAP
    image, drawing = blank(ACROSS, sum(len(block) * LINE + GAP for block in blocks))
    top = EDGE
    for number, block in enumerate(blocks, 1):
        drawing.text((EDGE, top), f"{number}" if block != ["..."] else "", PALE, font())
        for line in block:
            drawing.text((EDGE + margin, top), line, INK, font())
            top += LINE
        top += GAP
    return image


def wrapped(text: str, wide: float) -> list[str]:
    """A text in lines of a width, broken between words where there are any; the rest of a long one is left out."""
    lines, rest = list[str](), text
    while rest and len(lines) < LINES:
        most = room(rest, wide)
        gap = rest.rfind(" ", 0, most + 1) if most < len(rest) else -1
        most = gap if gap > 0 else most
        lines.append(rest[:most])
        rest = rest[most:].lstrip(" ")
    if rest:
        lines[-1] += " ..."
    return lines or [""]


def room(text: str, wide: float) -> int:
    """How many of its first letters, one at least, fit into a width."""
    counts = range(min(len(text), int(wide)) + 1)  # no letter that is seen is narrower than one
    return max(1, bisect_right(counts, wide, key=lambda count: length(text[:count])) - 1)


def spelled(text: str) -> str:
    """Whatever would break a line, or be seen nowhere, as signs that are seen."""
    return "".join(
        "¶" if each == "\n" else "→" if each == "\t" else each if each.isprintable() else "·" for each in text
    )


def blank(wide: int, tall: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (math.ceil(wide) + 2 * EDGE, tall + 2 * EDGE), PAPER)
    return image, ImageDraw.Draw(image)


def length(text: str) -> float:
    return font().getlength(text)


@cache
def font() -> ImageFont.FreeTypeFont:
    """One with the letters of many alphabets, which matplotlib brings along."""
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), SIZE)
