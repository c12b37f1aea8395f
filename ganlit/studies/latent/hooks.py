"""Hooks that are there for a while."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from torch.utils.hooks import RemovableHandle


@contextmanager
def meanwhile(hooks: Iterable[RemovableHandle]) -> Iterator[None]:
    """Removes them in the end, also those that were there before another could not be made."""
    with ExitStack() as there:
        for each in hooks:
            there.enter_context(each)
        yield
