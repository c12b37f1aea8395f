"""What the options of the latent tools mean."""

from __future__ import annotations

import math
from itertools import chain

from ganlit.errors import UserError
from ganlit.studies.evaluation.options import numbers

MOST = 2**14  # items of a command
LARGEST_SEED = 10**7 - 1  # by which one of them is numbered


def chosen(words: str, option: str, least: int = 1) -> list[int]:
    """Items by their numbers, as in "7", "1,2,3" or "0-15".

    Raises:
        UserError: nothing can be meant, or there are too few or too many.
    """
    spans = numbers(words, option)
    count = sum(map(len, spans))
    if not least <= count <= MOST or max(span[-1] for span in spans) > LARGEST_SEED:
        few = f"{count} item{'s' * (count != 1)}"
        raise UserError(f"{option} {words} names {few}: name {least} to {MOST:,}, each below {LARGEST_SEED + 1:,}.")
    return list(chain(*spans))


def values(words: str, option: str, least: float, most: float) -> list[float]:
    """Numbers with commas between them.

    Raises:
        UserError: one is none, or beyond its bounds.
    """
    found = []
    for word in filter(None, words.strip(" []()").replace(",", " ").split()):
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise UserError(
                f"{option} {words}: {word} is no number from {least:g} to {most:g}: write some as in 0,0.5,1."
            )
        found.append(value)
    if not found:
        raise UserError(f"{option} names nothing: give some as in 0,0.5,1, or leave it out.")
    return found
