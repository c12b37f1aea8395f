"""The benchmark in which the truth is known: texts of a memory whose weights are chance, SeqGAN, 1609.05473, section 4.

The paper's oracle is a file of weights; here they follow from a seed, so that numbers of different oracles are not
those of one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.networks.text.lstm import LSTMGenerator

TOGETHER = 500
"""Texts that are written or read at a time."""


class Oracle(LSTMGenerator):
    """A memory with standard normal weights, which does not learn: its texts are data, and it tells how likely any is.

    Args:
        seed: of the weights.
        symbols: how many there are; none is an end.
        length: places of a text.
        width: of a symbol's vector.
        hidden: numbers that it remembers.
    """

    def __init__(self, seed: int = 0, symbols: int = 5000, length: int = 20, width: int = 32, hidden: int = 32) -> None:
        super().__init__(symbols, length, ends=False, width=width, hidden=hidden)
        stream = torch.Generator().manual_seed(seed)
        for name, parameter in self.named_parameters():
            parameter.data.normal_(generator=stream)
            if name == "memory.bias_hh_l0":  # torch has two where the paper has one
                parameter.data.zero_()
        self.requires_grad_(False).eval()

    def texts(self, count: int, seed: int = 0) -> Tensor:
        """So many texts [N, L] int64; the first ones are the same for any number."""
        blocks = []
        for block in range(-(-count // TOGETHER)):
            stream = torch.Generator().manual_seed(seed * 2**20 + block)
            shares = torch.rand(TOGETHER, self.length, generator=stream)
            blocks.append(self.write(shares, torch.zeros(TOGETHER, dtype=torch.int64)))
        return torch.cat(blocks)[:count]

    @torch.no_grad()
    def nll(self, tokens: Tensor) -> Tensor:
        """Minus the logarithm of the probability of texts [N, L], in nats a symbol: [N]."""
        return torch.cat([self._nll(part) for part in tokens.split(TOGETHER)])

    def _nll(self, tokens: Tensor) -> Tensor:
        logits = self(tokens, tokens.new_zeros(len(tokens)))
        return -logits.log_softmax(2).gather(2, tokens[..., None])[..., 0].mean(1)
