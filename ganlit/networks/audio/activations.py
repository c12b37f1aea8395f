"""Activations that suit what repeats itself, and that make fewer tones of their own."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TAPS = 12  # of both filters of BigVGAN


class Snake(nn.Module):
    """x + sin(a x)^2 / b, with a frequency and a height for each channel: Ziyin et al., arXiv 2006.08195, equation 3.

    Args:
        channels: how many there are.
        height: learn b, as BigVGAN's "snakebeta" does; otherwise it is a.
        logarithmic: learn logarithms, beginning at 0, instead of the numbers, beginning at 1.
    """

    def __init__(self, channels: int, height: bool = False, logarithmic: bool = False) -> None:
        super().__init__()
        self.logarithmic = logarithmic
        first = torch.zeros(channels) if logarithmic else torch.ones(channels)
        self.alpha = nn.Parameter(first)
        self.beta = nn.Parameter(first.clone()) if height else None

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, T] to the same."""
        alpha, beta = self.alpha, self.alpha if self.beta is None else self.beta
        if self.logarithmic:
            alpha, beta = alpha.exp(), beta.exp()
        share = 1 / (beta[:, None] + 1e-9)  # a quotient of what is large has a slow gradient
        return x + (alpha[:, None] * x).sin().square() * share


class Quiet(nn.Module):
    """An activation at twice the rate, between low-pass filters: less of what it adds is folded back to other pitches.

    BigVGAN, Lee et al., arXiv 2206.04658, section 3.2, with the filters of the authors' code, which are short: what
    comes of the second harmonic of a tone is 5 to 13 dB less. Filters are no part of the state; published states, which
    hold them, load as they are.

    Args:
        act: acts on each place for itself.
    """

    reach = 5
    """Places on either side of its own that a place depends on."""

    def __init__(self, act: nn.Module) -> None:
        super().__init__()
        self.act = act
        self.register_buffer("filter", low_pass(0.25, 0.3, TAPS)[None, None], persistent=False)
        self.register_load_state_dict_pre_hook(without_filters)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, T] to the same."""
        return self.down(self.act(self.up(x)))

    def up(self, x: Tensor) -> Tensor:
        """[B, C, T] to [B, C, 2 T]."""
        channels, kernel = x.shape[1], 2 * self.filter.to(x.dtype)
        beyond = F.pad(x, (5, 5), mode="replicate")
        return F.conv_transpose1d(beyond, kernel.expand(channels, -1, -1), stride=2, groups=channels)[..., 15:-15]

    def down(self, x: Tensor) -> Tensor:
        """[B, C, 2 T] to [B, C, T]."""
        channels, kernel = x.shape[1], self.filter.to(x.dtype)
        beyond = F.pad(x, (5, 6), mode="replicate")
        return F.conv1d(beyond, kernel.expand(channels, -1, -1), stride=2, groups=channels)


def without_filters(part: nn.Module, state: dict[str, Tensor], prefix: str, *_: object) -> None:
    """Takes BigVGAN's filters, which follow from their settings, out of a state that is about to be loaded."""
    for name in ("upsample.filter", "downsample.lowpass.filter"):
        state.pop(prefix + name, None)


def low_pass(cutoff: float, width: float, taps: int) -> Tensor:
    """A sinc under a Kaiser window [taps], an even number, whose sum is one.

    Args:
        cutoff: in periods a place, at most half.
        width: of the band in which it falls off, in the same unit, as the authors' code counts it.
        taps: its length.
    """
    loss = 2.285 * (taps // 2 - 1) * math.pi * 4 * width + 7.95  # dB, by Kaiser's formula
    beta = 0.1102 * (loss - 8.7) if loss > 50 else 0.5842 * (loss - 21) ** 0.4 + 0.07886 * (loss - 21)
    window = torch.kaiser_window(taps, periodic=False, beta=beta, dtype=torch.float64)
    time = torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2
    kernel = window * torch.sinc(2 * cutoff * time)
    return (kernel / kernel.sum()).float()
