"""How sound is listened to when it is compared: which of it, at which rate, and by which package."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from ganlit.contracts import Modality
from ganlit.errors import UserError

FULL = 32768  # of stored sound, int16, which is 1 of waves


def compared(output: Tensor, target: Tensor, least: int, what: str) -> tuple[Tensor, Tensor]:
    """Waves [B, C, T] of [-1, 1] in float32 of outputs and targets, stored [B, C, T] both.

    Args:
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
    return waves(output), waves(target)


def heard(items: Tensor, least: int, what: str) -> Tensor:
    """The mean over channels [B, T] of stored sound [B, C, T], in float32 of [-1, 1].

    Raises:
        UserError: it is no stored sound, or too short.
    """
    refuse(items, least, what)
    return waves(items).mean(1)


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


def resampled(waves: Tensor, rate: int, wanted: int) -> Tensor:
    """Waves [B, T] at another rate, on the CPU, by soxr's HQ, which leaves nothing above half of either rate.

    Raises:
        UserError: soxr is missing, and needed.
    """
    waves = waves.cpu()
    if rate == wanted:
        return waves
    soxr = package("soxr", "another sample rate")
    found = soxr.resample(np.ascontiguousarray(waves.T.numpy()), rate, wanted, quality="HQ")
    return torch.from_numpy(found).T.contiguous()


def package(name: str, what: str) -> ModuleType:
    """A package of the extra "audio".

    Raises:
        UserError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise UserError(f'{what} needs {name}, which is not installed: run pip install -e ".[audio]".') from error
