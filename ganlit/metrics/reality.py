"""The real side of every metric: computed once for a dataset and an extractor, then read from the cache."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import cached_property, partial
from hashlib import blake2b
from typing import Any

import torch
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.errors import UserError, within
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.fidelity import Moments
from ganlit.metrics.manifold import radii
from ganlit.metrics.portrait import Advance, Collector, Portrait, fixed_choice
from ganlit.metrics.probe import Probe, fit_probe
from ganlit.metrics.ranks import rank, told, world
from ganlit.records.cache import Say, alone, cached, read, room, write

VERSION = 2  # of what is computed and stored here
SUMS, ROWS = "sums.pt", "rows.pt"
BLOCK = 1024  # items read at a time,
NUMBERS = 2**26  # unless they are so large
PATIENCE = 15.0  # seconds between two lines about the progress


def subset(reference: Reference, count: int) -> Reference:
    """A fixed random choice of the real items under a name of its own, such as digits-train-1000.

    Raises:
        UserError: there are not as many.
    """
    total = len(reference.items)
    within("fidelity.reference_images", count, least=2, optional=True)
    if count > total:
        raise UserError(
            f"fidelity.reference_images is {count}, but {reference.name} has {total}: leave it out to measure against "
            "all of them."
        )
    chosen = fixed_choice(total, count)
    return reference._replace(
        name=f"{reference.name}-{count}",
        digest=blake2b(f"{reference.digest}-{count}".encode(), digest_size=16).hexdigest(),
        items=reference.items[chosen],
        labels=reference.labels[chosen],
    )


class Reality:
    """The real items as one extractor sees them.

    A folder in $GANLIT_CACHE/statistics, named by a hash of the items' content and the extractor's protocol, holds the
    sums, the rows, and what was derived from them; each is read or made when it is first asked for. The ranks of a run
    share the work, rank 0 writes and knows the rows.

    Args:
        reference: the items.
        extractor: what sees them.
        say: told what takes time.
        advance: called with the number of items just seen; by default there is a line now and then.
        view: what the extractor is given of stored items; by default they are as they are.

    Raises:
        UserError: a label is that of no class.
    """

    def __init__(
        self,
        reference: Reference,
        extractor: FeatureExtractor,
        say: Say = print,
        advance: Advance | None = None,
        view: Callable[[Tensor], Tensor] = lambda stored: stored,
    ) -> None:
        label, classes = int(reference.labels.max()), len(reference.classes)
        if classes and label >= classes:
            raise UserError(f"{reference.name} has the label {label} of {classes} classes: number them from 0.")
        self.reference = reference
        self.extractor = extractor
        self.say = say
        self.advance = advance
        self.view = view
        self.watch: Callable[[], object] = lambda: None  # called now and then while items are seen; may raise
        self.made: dict[str, Any] = {}  # or read: entries at hand, also where no cache can be written
        parts = (VERSION, reference.digest, len(reference.items), len(reference.classes), extractor.protocol)
        key = blake2b(repr(parts).encode(), digest_size=8).hexdigest()
        readable = re.sub(r"[^\w.@-]", "_", f"{reference.name}-{extractor.protocol}")[:120]
        self.folder = room("statistics") / f"{readable}-{key}"

    @property
    def name(self) -> str:
        """Dataset, split and content."""
        return f"{self.reference.name}@{self.reference.digest[:6]}"

    @property
    def kept_name(self) -> str:
        """What needs rows is measured against the kept ones, which a huge dataset has more items than."""
        kept = len(self.rows)
        return self.name if kept == len(self.reference.items) else f"{self.reference.name}-{kept}@{self.name[-6:]}"

    def prepare(self, rows: bool = True) -> None:
        """Has the real items seen, by all ranks together, where the cache does not know them yet.

        Args:
            rows: whether more than the sums will be asked for.
        """
        device = self.extractor.device
        if rank() > 0:
            while told(False, device):
                pass  # rank 0 waits for another process, longer perhaps than ranks may be silent
        waiting = partial(told, True, device)
        with alone(self.folder / SUMS, self.say, waiting) if rank() == 0 else nullcontext():
            if rank() == 0:
                told(False, device)
            if told(rank() == 0 and self._lacks([SUMS, ROWS] if rows else [SUMS]), device):
                portrait = self._look()
                if rank() == 0:
                    self.keep(portrait)

    def keep(self, portrait: Portrait) -> None:
        """Takes a portrait for that of the real items, and stores it."""
        moments = portrait.moments
        self.made |= {
            SUMS: {"count": moments.count, "total": moments.total, "products": moments.products},
            ROWS: {"rows": portrait.rows, "places": portrait.places, "labels": portrait.labels},
        }
        for name in (SUMS, ROWS):
            write(self.made[name], self.folder / name, self.say)

    @cached_property
    def moments(self) -> Moments:
        """Of all items."""
        sums = self._stored(SUMS)
        moments = Moments(self.extractor.dim)
        moments.count, moments.total, moments.products = sums["count"], sums["total"], sums["products"]
        return moments

    @cached_property
    def _rows(self) -> dict[str, Tensor]:
        return self._stored(ROWS)

    @property
    def rows(self) -> Tensor:
        """Features [M, d] float32 of the kept items."""
        return self._rows["rows"]

    @property
    def labels(self) -> Tensor:
        """Classes [M] of the kept items."""
        return self._rows["labels"]

    @property
    def places(self) -> Tensor:
        """[M]: which of the reference's items these are."""
        return self._rows["places"]

    def radii(self, k: int) -> Tensor:
        """[M]: the distance from each kept item to its k-th nearest other one."""
        return self._derived(f"radii{k}.pt", lambda: {"radii": radii(self.rows, k)})["radii"]

    @cached_property
    def probe(self) -> Probe | None:
        """What tells the classes apart; None where there are less than two."""
        classes = len(self.reference.classes)
        if classes < 2:
            return None
        return Probe(**self._derived("probe.pt", lambda: fit_probe(self.rows, self.labels, classes)._asdict()))

    def _derived(self, name: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if name not in self.made:
            self.made[name] = cached(self.folder / name, compute, self.say)
        return self.made[name]

    def _stored(self, name: str) -> dict[str, Any]:
        entry = self.made.get(name) or read(self.folder / name, self.say)
        if entry is None:
            raise UserError(f"{self.folder / name} has vanished from the cache: run the command again.")
        return entry

    def _lacks(self, names: list[str]) -> bool:
        """Whether one of the entries is neither at hand nor whole in the cache; takes those that are."""
        found = {name: read(self.folder / name, self.say) for name in names if name not in self.made}
        self.made |= {name: entry for name, entry in found.items() if entry is not None}
        return None in found.values()

    def _look(self) -> Portrait:
        """Every rank sees its share of the items."""
        total = len(self.reference.items)
        self.say(f"Real statistics: {total:,} of {self.name} through {self.extractor.protocol}, once.")
        advance = self.advance or _lines(-(-total // world()), self.say)

        def seen(count: int) -> None:
            self.watch()
            advance(count)

        collector = Collector(self.extractor, total, advance=seen)
        items = self.reference.items
        together = getattr(items, "together", BLOCK)  # one where they are of unequal length
        block = max(1, min(BLOCK, together, NUMBERS // items[:1].numel(), -(-total // world())))
        for start in range(rank() * block, total, world() * block):
            places = torch.arange(start, min(start + block, total))
            chosen = slice(start, start + block)
            collector.add(self.view(items[chosen]), places, self.reference.labels[chosen])
        return collector.finish()


def _lines(total: int, say: Say) -> Advance:
    """Tells now and then how far it is and how long it will take."""
    start = told = time.monotonic()
    done = 0

    def advance(count: int) -> None:
        nonlocal done, told
        done += count
        now = time.monotonic()
        if now - told > PATIENCE and done < total:
            told = now
            say(f"Real statistics: {done / total:.0%}, {(now - start) / done * (total - done):.0f} s left.")

    return advance
