"""How much texts have of others, and of one another: BLEU, Papineni et al. 2002, with many references for each text."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

EPSILON = 0.1  # that stands for no match at all, as in the first method of Chen and Cherry 2014 and nltk

Text = Sequence[str]
"""In words, or in characters."""


def ngrams(text: Text, order: int) -> Counter[tuple[str, ...]]:
    """How often each row of so many pieces is in a text."""
    return Counter(zip(*(text[first:] for first in range(order)), strict=False))


class References:
    """What texts are held against: how often each n-gram is in any of these at most, and how long they are.

    Args:
        texts: the references, one at least.
        order: of the longest n-grams.
    """

    def __init__(self, texts: Sequence[Text], order: int) -> None:
        self.order = order
        self.count = len(texts)
        self.lengths = Counter(map(len, texts))
        self.most: list[dict[tuple[str, ...], tuple[int, int, int]]] = []  # the most, in which, and the most elsewhere
        for size in range(1, order + 1):
            found: dict[tuple[str, ...], tuple[int, int, int]] = {}
            for place, text in enumerate(texts):
                for gram, times in ngrams(text, size).items():
                    most, owner, second = found.get(gram, (0, -1, 0))
                    if times > most:
                        found[gram] = times, place, most
                    elif times > second:
                        found[gram] = most, owner, times
            self.most.append(found)

    def matches(self, text: Text, size: int, without: int | None = None) -> tuple[int, int]:
        """How many n-grams of a size are in a reference, none oftener than there, and how many there are.

        Args:
            text: that is looked at.
            size: of the n-grams.
            without: a reference that does not count: the text itself.
        """
        right, total = 0, 0
        for gram, times in ngrams(text, size).items():
            most, owner, second = self.most[size - 1].get(gram, (0, -1, 0))
            right += min(times, second if owner == without else most)
            total += times
        return right, total

    def closest(self, length: int, own: bool = False) -> int:
        """The length of a reference that is nearest, the shorter of two; `own` one of this very length does not count.

        That is the length of the text itself among the others.
        """
        others = (each for each, times in self.lengths.items() if times > (own and each == length))
        return min(others, key=lambda each: (abs(each - length), each))


def bleu(text: Text, references: References, order: int, own: int | None = None) -> float:
    """Of one text, from 0 to 1, by nltk's first method of smoothing.

    Args:
        text: in pieces.
        references: that it is held against.
        order: of the longest n-grams.
        own: the place of the text itself among the references, which does not count.
    """
    found = [references.matches(text, size, own) for size in range(1, order + 1)]
    if not found[0][0]:
        return 0.0
    logs = (math.log((right or EPSILON) / max(1, total)) for right, total in found)
    return penalty(len(text), references.closest(len(text), own is not None)) * math.exp(math.fsum(logs) / order)


def corpus_bleu(texts: Iterable[Text], references: References, order: int) -> float:
    """Of texts together, from 0 to 100, by sacrebleu's own smoothing.

    The first size without a match counts as half of one, the next such as a quarter, and so on; a size that no text is
    long enough for makes the whole 0.
    """
    right, total = [0] * order, [0] * order
    long = near = 0
    for text in texts:
        long, near = long + len(text), near + references.closest(len(text))
        for size in range(order):
            matched, all_of_them = references.matches(text, size + 1)
            right[size] += matched
            total[size] += all_of_them
    if not any(right) or not all(total):
        return 0.0
    halves, logs = 1.0, []
    for matched, all_of_them in zip(right, total, strict=True):
        halves *= 1 if matched else 2
        logs.append(math.log((matched or 1 / halves) / all_of_them))
    return 100 * penalty(long, near) * math.exp(math.fsum(logs) / order)


def penalty(length: int, closest: int) -> float:
    """For what is shorter than its references."""
    if length >= closest:
        return 1.0
    return math.exp(1 - closest / length) if length else 0.0
