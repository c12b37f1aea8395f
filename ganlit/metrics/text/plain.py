"""What is asked of sets of texts by their words or characters, by name."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Literal, NamedTuple

from torch import Tensor

from ganlit.contracts import Modality, Reference
from ganlit.errors import UserError
from ganlit.metrics.likeness import Plain, Told
from ganlit.metrics.text import smollm
from ganlit.metrics.text.bleu import References, bleu, corpus_bleu, ngrams
from ganlit.metrics.text.called import ORDERS
from ganlit.metrics.text.model import NgramModel

Unit = Literal["words", "characters"]

MODEL = {"words": 3, "characters": 6}  # pieces that a language model looks at
USUAL = 0.95  # of real texts are valid
TOGETHER = 4096  # real items that are read at a time


class Asked(NamedTuple):
    """The options behind a name."""

    order: int  # of n-grams
    unit: Unit = "words"
    model: str = ""


def texts_of(items: Tensor, kind: Modality, unit: Unit) -> list[list[str]]:
    """Stored texts in pieces."""
    return [kind.pieces(text, unit) for text in kind.texts(items)]


@lru_cache(maxsize=2)  # which several metrics ask for
def real_texts(real: Reference, kind: Modality, unit: Unit) -> list[list[str]]:
    """All real ones."""
    firsts = range(0, len(real.items), TOGETHER)
    return [text for first in firsts for text in texts_of(real.items[first : first + TOGETHER], kind, unit)]


@lru_cache(maxsize=2)
def references(real: Reference, kind: Modality, asked: Asked) -> References:
    """All real ones, to hold others against."""
    return References(real_texts(real, kind, asked.unit), asked.order)


def named(real: Reference) -> str:
    return f"{real.name}@{real.digest[:6]}"


def means_bleu(asked: Asked, real: Reference, kind: Modality) -> Plain:
    """BLEU of each text with all real ones as its references, and the mean, in [0, 1]: as Texygen has it."""
    against = references(real, kind, asked)

    def tell(items: Tensor) -> Told:
        return mean([bleu(text, against, asked.order) for text in texts_of(items, kind, asked.unit)])

    return Plain(f"{asked.order}-{asked.unit}-method1", "-/-", named(real), tell)


def self_bleu(asked: Asked, real: Reference, kind: Modality) -> Plain:
    """BLEU of each text with all others as its references (Zhu et al., arXiv 1802.01886): of 1, all are one."""

    def tell(items: Tensor) -> Told:
        texts = texts_of(items, kind, asked.unit)
        if len(texts) < 2:
            raise UserError("selfbleu holds texts against one another, and there is one: make more.")
        others = References(texts, asked.order)
        scores = [bleu(text, others, asked.order, place) for place, text in enumerate(texts)]
        return Told(sum(scores) / len(scores))

    return Plain(f"{asked.order}-{asked.unit}-method1", "-/-", "-", tell)


def whole_bleu(asked: Asked, real: Reference, kind: Modality) -> Plain:
    """BLEU of all texts together with all real ones as references, in percent: as sacrebleu has it."""
    against = references(real, kind, asked)

    def tell(items: Tensor) -> Told:
        return Told(corpus_bleu(texts_of(items, kind, asked.unit), against, asked.order))

    return Plain(f"{asked.order}-{asked.unit}-exp", "-/-", named(real), tell)


def distinct(asked: Asked, real: Reference, kind: Modality) -> Plain:
    """How many different n-grams there are for each that there is (Li et al., arXiv 1510.03055)."""

    def tell(items: Tensor) -> Told:
        grams = Counter(
            chain.from_iterable(ngrams(text, asked.order).elements() for text in texts_of(items, kind, asked.unit))
        )
        return Told(len(grams) / max(1, grams.total()))

    return Plain(f"{asked.order}-{asked.unit}", "-/-", "-", tell)


def copies(asked: Asked, real: Reference, kind: Modality) -> Plain:
    """The share of texts that are, word by word, one of those that were trained on."""
    known = {*map(tuple, real_texts(real, kind, asked.unit))}

    def tell(items: Tensor) -> Told:
        return mean([float(tuple(text) in known) for text in texts_of(items, kind, asked.unit)])

    return Plain(asked.unit, "-/-", named(real), tell)


def known(asked: Asked, real: Reference, kind: Modality) -> Plain:
    """The share of words that the real texts have, too, a dictionary; of names, of those that are names: the mean."""
    words = {*chain.from_iterable(real_texts(real, kind, asked.unit))}

    def tell(items: Tensor) -> Told:
        texts = texts_of(items, kind, asked.unit)
        return mean([sum(piece in words for piece in text) / max(1, len(text)) for text in texts])

    return Plain(asked.unit, "-/-", named(real), tell)


def perplexity(asked: Asked, real: Reference, kind: Modality) -> Plain:
    """Of the texts, to a model of the real ones, or to a large one that has read much else."""
    if asked.model:
        judge = smollm.judge()
        return Plain(asked.model, judge.protocol, "-", lambda items: Told(judge.perplexity(kind.texts(items))))
    order = MODEL[asked.unit]
    model = NgramModel(real_texts(real, kind, asked.unit), order)

    def tell(items: Tensor) -> Told:
        return Told(model.perplexity(texts_of(items, kind, asked.unit)))

    return Plain(asked.unit, f"kneser-ney{order}/counted", named(real), tell)


def reverse_perplexity(asked: Asked, real: Reference, kind: Modality) -> Plain:
    """Of the real texts, to a model of these ones (Zhao et al., arXiv 1706.04223): what is missing is improbable."""
    order, texts = MODEL[asked.unit], real_texts(real, kind, asked.unit)
    pieces = len({*chain.from_iterable(texts)})

    def tell(items: Tensor) -> Told:
        return Told(NgramModel(texts_of(items, kind, asked.unit), order, pieces).perplexity(texts))

    return Plain(asked.unit, f"kneser-ney{order}/counted", named(real), tell)


def valid(asked: Asked, real: Reference, kind: Modality) -> Plain:
    """The share of texts that a model of half of the real ones finds no stranger, piece by piece, than most others.

    Most are 95 % of the other half, which has as much of what it calls valid, and is what no model was trained on where
    the real ones are held out. Both halves are asked, and what they say is averaged.
    """
    order, texts = MODEL[asked.unit], real_texts(real, kind, asked.unit)
    halves = texts[::2], texts[1::2]
    if not halves[1]:
        raise UserError("valid asks two halves of the real texts, and there is one text: bring more.")
    pieces = len({*chain.from_iterable(texts)})
    judges = [NgramModel(half, order, pieces) for half in halves]
    limits = [
        sorted(map(judge.strangeness, other))[math.ceil(USUAL * len(other)) - 1]
        for judge, other in zip(judges, halves[::-1], strict=True)
    ]

    def tell(items: Tensor) -> Told:
        found = texts_of(items, kind, asked.unit)
        pairs = [*zip(judges, limits, strict=True)]
        return mean([sum(judge.strangeness(text) <= most for judge, most in pairs) / len(pairs) for text in found])

    return Plain(asked.unit, f"kneser-ney{order}/usual{USUAL:g}", named(real), tell)


def mean(scores: Sequence[float]) -> Told:
    """With its standard error."""
    count = len(scores)
    value = sum(scores) / count
    spread = (sum((score - value) ** 2 for score in scores) / (count - 1) / count) ** 0.5 if count > 1 else None
    return Told(value, spread, f"{count} items")


PLAIN: dict[str, Callable[[Asked, Reference, Modality], Plain]] = {
    "bleu": means_bleu,
    "selfbleu": self_bleu,
    "corpusbleu": whole_bleu,
    "distinct": distinct,
    "copies": copies,
    "known": known,
    "ppl": perplexity,
    "rppl": reverse_perplexity,
    "valid": valid,
}

TRAINED = {"copies"}

BETTER = {
    "bleu": "higher",
    "selfbleu": "lower",
    "corpusbleu": "higher",
    "distinct": "higher",
    "copies": "lower",
    "known": "higher",
    "ppl": "lower",
    "rppl": "lower",
    "valid": "higher",
}


def read(metric: str, options: str) -> Asked:
    """The options behind a metric's name: the size of n-grams, and whether they are of words or of characters.

    Raises:
        UserError: they mean nothing.
    """
    sizes, units = r"(?:-(?P<order>[1-9]))?" if metric in ORDERS else "", r"(?:-(?P<unit>words|characters))?"
    if metric == "ppl" and options == f"-{smollm.NAME}":
        return Asked(0, model=smollm.NAME)
    found = re.fullmatch(sizes + units, options)
    if found is None:
        size = "-4" if metric in ORDERS else ""
        ways = [f"{metric}{size}-characters", *([f"{metric}-{smollm.NAME}"] if metric == "ppl" else [])]
        raise UserError(f"{metric}{options}: write {metric}{size}, or {', '.join(ways)}.")
    given = found.groupdict()
    return Asked(int(given.get("order") or ORDERS.get(metric, 0)), given["unit"] or "words")
