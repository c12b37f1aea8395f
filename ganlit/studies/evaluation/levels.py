"""Codes of several levels, of which the first ones alone are a coarser code."""

from __future__ import annotations

from torch import nn

from ganlit.compute.console import say
from ganlit.errors import UserError, within
from ganlit.tasks.base import AdversarialModule


def reduced(module: AdversarialModule, levels: int | None, run: str) -> str:
    """Has a run's generator code in so many levels.

    Args:
        module: what is in the run.
        levels: how many; None for as many as it was trained with.
        run: where the module comes from.

    Returns:
        How ids say that they are fewer: "@levels2+1000bps", with the bits of a second where they are known.

    Raises:
        UserError: there are no levels, or not so many.
    """
    if levels is None:
        return ""
    generator = module.ema.module
    if not has_levels(generator):
        raise UserError(
            f"--levels is {levels}, but the {type(generator).__name__} of {run} has no codes in levels: leave it out."
        )
    most = generator.levels
    within("--levels", levels, least=1, most=most)
    module.generator.levels = generator.levels = levels
    rate = getattr(generator, "bitrate", None)
    return "" if levels == most else f"@levels{levels}" + ("" if rate is None else f"+{rate:g}bps")


def tell_levels(generator: nn.Module) -> None:
    """Says how much the codes of a second take, where a generator knows it."""
    if has_levels(generator) and hasattr(generator, "bitrate"):
        many = f"{generator.levels} level{'s' * (generator.levels > 1)}"
        say(f"{many} of codes, {generator.bitrate / 1000:,.4g} kbit/s")


def has_levels(generator: nn.Module) -> bool:
    """Whether it codes in levels, and says how many of them count."""
    return isinstance(getattr(generator, "levels", None), int) and hasattr(generator, "embedded")
