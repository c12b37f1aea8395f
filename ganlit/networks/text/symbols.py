"""Symbols as vectors, and the choice of a symbol by a number."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.networks.layers import wide

END = 0
"""The symbol at which a text is over."""


class Symbols(nn.Module):
    """A vector for each symbol; a mixture of symbols has the mixture of their vectors."""

    def __init__(self, symbols: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(symbols, width))

    def forward(self, item: Tensor) -> Tensor:
        """[...] int64, or [..., symbols] shares of each, to [..., width]."""
        return item @ self.weight if item.is_floating_point() else F.embedding(item, self.weight)


class Before(nn.Module):
    """What a generator reads at a place: the symbol before it, or that nothing is before it, and its class."""

    def __init__(self, symbols: int, width: int, classes: int) -> None:
        super().__init__()
        self.symbols = Symbols(symbols, width)
        self.start = nn.Parameter(torch.randn(width))
        self.kinds = nn.Embedding(classes, width) if classes else None

    def forward(self, previous: Tensor | None, label: Tensor) -> Tensor:
        """One place: [B] int64, [B, symbols] shares, or None at the start, to [B, width]."""
        vectors = self.start.expand(len(label), -1) if previous is None else self.symbols(previous)
        return vectors if self.kinds is None else vectors + self.kinds(label)

    def places(self, tokens: Tensor, label: Tensor) -> Tensor:
        """All places of texts [B, L] at once: [B, L, width]."""
        first = self.start.expand(len(label), 1, -1)
        vectors = torch.cat([first, self.symbols(tokens[:, :-1]).to(first.dtype)], dim=1)
        return vectors if self.kinds is None else vectors + self.kinds(label)[:, None]


def choice(logits: Tensor, share: Tensor, temperature: float = 1.0) -> Tensor:
    """The symbol at which the running sum of probabilities passes a share of the whole: [B] int64.

    Args:
        logits: [B, symbols].
        share: [B] from 0 to 1, which is not among them; uniform ones draw symbols by their probability.
        temperature: by which the logits are divided; at 0 it is the likeliest symbol, whatever the share.
    """
    scores = wide(logits)
    if temperature < torch.finfo(scores.dtype).tiny:
        return scores.argmax(1)
    if temperature != 1:  # roll-outs have 1, to which the same would take half the time
        scores = (scores - scores.amax(1, keepdim=True)) / temperature  # none is too large, however cold it is
    sums = scores.softmax(1).cumsum(1)
    passed = torch.searchsorted(sums, share[:, None].to(sums) * sums[:, -1:], right=True)[:, 0]
    return passed.clamp_(max=logits.shape[1] - 1)


def ended(tokens: Tensor) -> Tensor:
    """The same texts [B, L] with nothing behind their end."""
    return tokens.masked_fill((tokens == END).cumsum(1) > 0, END)
