"""A small language model that is counted and not trained, and so is the same each time: interpolated Kneser-Ney."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from ganlit.metrics.text.bleu import Text

DISCOUNT = 0.75  # of each count, as is usual
START, END = "\2", "\3"  # beside all pieces


class NgramModel:
    """How probable a piece of a text is by those before it: Kneser and Ney 1995, interpolated as Chen and Goodman 1999.

    Pieces that it has not met share what is left for them with all others: each has the probability of one among
    `pieces` and one more.

    Args:
        texts: it learns from.
        order: pieces that it looks at, the next one among them.
        pieces: of a vocabulary, by which an unknown one is one of so many; those it has met by default.
    """

    def __init__(self, texts: Sequence[Text], order: int, pieces: int | None = None) -> None:
        self.order = order
        highest: Counter[tuple[str, ...]] = Counter()
        for text in texts:
            padded = [*[START] * (order - 1), *text, END]
            highest.update(tuple(padded[at : at + order]) for at in range(len(padded) - order + 1))
        counts = [highest]  # of shorter rows, how many pieces they follow
        for _ in range(order - 1):
            counts.append(Counter(gram[1:] for gram in counts[-1]))
        self.counts = counts[::-1]
        self.totals: list[dict[tuple[str, ...], int]] = []
        self.kinds: list[dict[tuple[str, ...], int]] = []
        for level in self.counts:
            total: dict[tuple[str, ...], int] = defaultdict(int)
            kinds: dict[tuple[str, ...], int] = defaultdict(int)
            for gram, count in level.items():
                total[gram[:-1]] += count
                kinds[gram[:-1]] += 1
            self.totals.append(dict(total))
            self.kinds.append(dict(kinds))
        met = len(self.counts[0])
        self.floor = 1 / (max(met, pieces or 0) + 1)

    def chance(self, piece: str, before: tuple[str, ...]) -> float:
        """Of a piece, by the `order` - 1 before it."""
        found = self.floor
        for size in range(self.order):
            context = before[len(before) - size :]
            if (total := self.totals[size].get(context)) is None:
                continue
            count = self.counts[size].get((*context, piece), 0)
            left = DISCOUNT * self.kinds[size][context] / total
            found = max(count - DISCOUNT, 0.0) / total + left * found
        return found

    def surprise(self, text: Text) -> float:
        """-log of how probable a text is with its end, in nats."""
        padded = [*[START] * (self.order - 1), *text, END]
        rows = range(self.order - 1, len(padded))
        return -math.fsum(math.log(self.chance(padded[at], tuple(padded[at - self.order + 1 : at]))) for at in rows)

    def strangeness(self, text: Text) -> float:
        """The mean of that over the pieces of a text and its end."""
        return self.surprise(text) / (len(text) + 1)

    def perplexity(self, texts: Sequence[Text]) -> float:
        """exp of the mean of that over all pieces and ends."""
        return math.exp(math.fsum(map(self.surprise, texts)) / sum(len(text) + 1 for text in texts))
