"""Items that are looked at one after another, by all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Found = TypeVar("Found")


def ahead(attempt: Callable[[int], Found], count: int, doing: str, most: int | None = None) -> Iterator[Found]:
    """What is made of each of so many items, in order; a bar tells of it where somebody looks on.

    Args:
        attempt: makes it, by the item's number; most of its work is outside of the interpreter's lock.
        count: of all items.
        doing: what the bar says.
        most: items that are made together, which bounds the memory; all by default.
    """
    console, most = Console(stderr=True), most or max(count, 1)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        blocks = (range(first, min(first + most, count)) for first in range(0, count, most))
        yield from track(
            (found for block in blocks for found in pool.map(attempt, block)),
            doing,
            total=count,
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
