"""A small causal transformer: Vaswani et al., arXiv 1706.03762, with norms first, as in GPT-2."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.errors import UserError, within
from ganlit.networks.sizes import check
from ganlit.networks.text.symbols import Before
from ganlit.networks.text.writing import State, TextGenerator


class Block(nn.Module):
    """Attention to what is before, and a change of each place by itself."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.attention, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.change = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Places [B, P, width] behind others, of which keys and values [B, heads, T, d] are known."""
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.attention(self.norms[0](x)).chunk(3, 2)
        )
        keys, values = torch.cat([keys.to(key), key], dim=2), torch.cat([values.to(value), value], dim=2)
        several = x.shape[1] > 1  # then nothing is before them
        seen = F.scaled_dot_product_attention(query, keys, values, is_causal=several).transpose(1, 2).flatten(2)
        x = x + self.dropout(self.join(seen))
        return x + self.dropout(self.change(self.norms[1](x))), keys, values


class TransformerGenerator(TextGenerator):
    """Looks at all places before one.

    Args:
        symbols: as for any generator of text, and so are the next three.
        length: see there.
        classes: see there.
        ends: see there.
        width: numbers of a place.
        layers: blocks.
        heads: of their attention; they divide the width.
        dropout: share of the numbers that is left out in training.
    """

    def __init__(
        self,
        symbols: int,
        length: int,
        classes: int = 0,
        ends: bool = True,
        width: int = 128,
        layers: int = 4,
        heads: int = 4,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(symbols, length, classes, ends)
        check("TransformerGenerator", width=width, layers=layers, heads=heads)
        within("TransformerGenerator.dropout", dropout, least=0, below=1)
        if width % heads:
            raise UserError(f"TransformerGenerator.width is {width}, which {heads} heads do not divide: set another.")
        self.before = Before(symbols, width, classes)
        self.positions = nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, symbols)
        self.dropout = nn.Dropout(dropout)
        for name, parameter in self.named_parameters():
            if name.startswith("before."):
                nn.init.normal_(parameter, std=0.02)

    @property
    def longest(self) -> int:
        return len(self.positions)

    def begin(self, batch: int, label: Tensor) -> State:
        heads, width = self.blocks[0].heads, self.positions.shape[1]
        blank = self.positions.new_zeros(batch, heads, 0, width // heads)
        return tuple((blank, blank) for _ in self.blocks), label

    def step(self, state: State, previous: Tensor | None) -> tuple[Tensor, State]:
        known, label = state
        place = known[0][0].shape[2]
        read = self.before(previous, label)[:, None] + self.positions[place]
        logits, known = self.read(read, known)
        return logits[:, 0], (known, label)

    def forward(self, tokens: Tensor, label: Tensor) -> Tensor:
        known, _ = self.begin(len(label), label)
        return self.read(self.before.places(tokens, label) + self.positions[: tokens.shape[1]], known)[0]

    def read(self, x: Tensor, known: State) -> tuple[Tensor, State]:
        x, after = self.dropout(x), []
        for block, (keys, values) in zip(self.blocks, known, strict=True):
            x, keys, values = block(x, keys, values)
            after.append((keys, values))
        return self.out(self.norm(x)), tuple(after)
