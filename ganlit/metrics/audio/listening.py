"""How sound is listened to when it is compared: which of it, at which rate, and by which package."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import torch
from torch import Tensor

from ganlit.contracts import Modality
from ganlit.errors import UserError

FULL = 32768  # of stored sound, int16, which is 1 of waves


def compared(output: Tensor, target: Tensor, least: int, what: str) -> tuple[Tensor, Tensor]:
    """Waves [B, C, T] of [-1, 1] in float32 of outputs and targets, stored [B, C, T] both; as for `refuse_unlike`."""
    refuse_unlike(output, target, least, what)
    return waves(output), waves(target)


def refuse_unlike(output: Tensor, target: Tensor, least: int, what: str) -> None:
    """Refuses outputs and targets that cannot be compared one by one.

    Args:
        output: what was made.
        target: what that should be.
        least: samples that a metric needs.
        what: it is called, for the error.

    Raises:
        UserError: they are no stored sound, not alike, or too short.
    """
    for items in (output, target):
        refuse(items, least, what)
    if output.shape != target.shape:
        raise UserError(
            f"{what} compares recordings one to one, but the outputs are {list(output.shape)} and the targets "
            f"{list(target.shape)}: bring them to one number, one number of channels and one length."
        )


def heard(items: Tensor, kind: Modality, rate: int) -> Tensor:
    """The mean over channels [B, T] of stored sound [B, C, T] at a rate of one's own, in float32 of [-1, 1] on the CPU.

    Raises:
        UserError: the package is missing that changes rates, and needed.
    """
    return kind.for_extractor(items, rate).cpu()


def refuse(items: Tensor, least: int, what: str) -> None:
    """Refuses what is no stored sound [B, C, T], or has less than so many samples.

    Raises:
        UserError: it is so.
    """
    if items.dtype != torch.int16 or items.ndim != 3:
        raise UserError(
            f"{what} takes stored sound [B, channels, samples] of int16, not {items.dtype} {list(items.shape)}."
        )
    if items.shape[-1] < least:
        raise UserError(
            f"{what} needs recordings of {least:,} samples at least, these have {items.shape[-1]:,}: take longer ones, "
            f"or leave {what} out."
        )


def sound(waves: Tensor, who: str) -> Tensor:
    """What extractors hear, waves [B, T] of [-1, 1].

    Raises:
        UserError: it is something else; `who` asks for it.
    """
    if not waves.is_floating_point() or waves.ndim != 2 or not waves.shape[1]:
        raise UserError(f"{who} takes sound [B, samples] of floats, not {waves.dtype} {list(waves.shape)}.")
    return waves


def waves(stored: Tensor) -> Tensor:
    """Stored sound in float32 of [-1, 1]."""
    return stored.float() / FULL


def rate_of(kind: Modality, what: str) -> int:
    """Samples a second.

    Raises:
        UserError: nobody has said how many.
    """
    if kind.rate is None:
        raise UserError(
            f"{what} depends on the sample rate, which nobody has told of these recordings: measure a run, or files "
            "that say it."
        )
    return kind.rate


def package(name: str, what: str) -> ModuleType:
    """A package of the extra "audio".

    Raises:
        UserError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise UserError(f'{what} needs {name}, which is not installed: run pip install -e ".[audio]".') from error
