"""Where a test runs, and how often the host waits for the device there."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import elsewhere
import torch
from torch import Tensor

Recorder = Callable[[str, object], None]
"""pytest's record_property: what a test has found beside that it passed."""


class Place(NamedTuple):
    """A device that is not the CPU."""

    name: str  # "cuda" or "elsewhere"

    @contextmanager
    def there(self) -> Iterator[torch.device]:
        """The device, which may be used while the block lasts."""
        if self.name == elsewhere.NAME:
            with elsewhere.there() as device:
                yield device
        else:
            yield torch.device("cuda", 0)

    def trainer(self) -> dict[str, Any]:
        """What a Trainer is told of it, afresh for each."""
        if self.name == elsewhere.NAME:
            return {"strategy": elsewhere.strategy()}
        return {"accelerator": "gpu", "devices": 1}

    @contextmanager
    def waits(self) -> Iterator[Counter[str]]:
        """How often the host waits while the block lasts, by who asked for it: known when the block ends."""
        found: Counter[str] = Counter()
        if self.name == elsewhere.NAME:
            before = elsewhere.reads.copy()
            yield found
            found.update(elsewhere.reads - before)
            return
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                yield found
            finally:
                torch.cuda.set_sync_debug_mode("default")
        waited = (each for each in heard if "synchronizing" in str(each.message))
        found.update(f"{Path(each.filename).name}: {each.lineno}" for each in waited)


def relative(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float:
    """The largest relative distance between tensors of one name, of those that are not next to nothing.

    It is not a number where one of them is not finite.
    """
    assert one.keys() == other.keys()
    pairs = [(one[name].detach().cpu().double(), other[name].detach().cpu().double()) for name in one]
    return float(torch.stack([(a - b).norm() / b.norm().clamp(min=1e-3) for a, b in pairs]).max())
