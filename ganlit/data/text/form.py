"""The form that texts are brought into: which symbols, and how many."""

from __future__ import annotations

from typing import NamedTuple, get_args

import numpy as np

from ganlit.data.objections import Objection
from ganlit.data.text.source import Each
from ganlit.data.text.vocabulary import END, Unit, Vocabulary
from ganlit.errors import UserError, within

LONGEST = 2**16  # symbols of a text
MOST = 2**20  # symbols of a vocabulary


class Form(NamedTuple):
    """What is asked for of texts."""

    length: int  # symbols of each; a shorter one ends before
    unit: Unit = "words"
    symbols: int | None = None  # of the vocabulary, at most
    each: Each | None = None  # what counts as a text; None for what is usual of the source
    shorten: bool = False  # keep the beginning of longer ones
    lower: bool = False


def form_of(form: Form, where: str = "data.init_args.") -> Form:
    """The same, once it has been looked at.

    Args:
        form: as it is asked for.
        where: its options stand, for the error.

    Raises:
        UserError: an option means nothing.
    """
    within(f"{where}length", form.length, least=1, most=LONGEST)
    within(f"{where}symbols", form.symbols, least=3, most=MOST, optional=True)
    for key, value, known in (("unit", form.unit, Unit), ("each", form.each or "lines", Each)):
        if value not in get_args(known):
            raise UserError(f"{where}{key} is {value}: it must be one of {', '.join(get_args(known))}.")
    return form


def too_long(numbers: list[int], form: Form) -> Objection | None:
    """What keeps a text from its form."""
    if len(numbers) <= form.length or form.shorten:
        return None
    has = f"has {len(numbers):,} {named(form.unit)}, more than the length of {form.length:,}"
    return Objection("too long", has, "raise length, or set shorten: true to keep the beginning")


def row(numbers: list[int], length: int) -> np.ndarray:
    """A text [length] int32: cut where it is longer, and over where it is shorter."""
    found = np.full(length, END, dtype=np.int32)
    found[: len(numbers)] = numbers[:length]
    return found


def windows(numbers: list[int], length: int) -> list[list[int]]:
    """Pieces of one length, one after the other; what is left of a text that holds one is left out."""
    if len(numbers) < length:
        return [numbers]
    return [numbers[first : first + length] for first in range(0, len(numbers) - length + 1, length)]


def named(unit: Unit) -> str:
    """What a message calls symbols."""
    return {"characters": "characters", "words": "words", "bpe": "symbols"}[unit]


def of_vocabulary(form: Form, vocabulary: Vocabulary) -> Form:
    """The same as a vocabulary that is given has it."""
    return form._replace(unit=vocabulary.unit, lower=vocabulary.lower)
