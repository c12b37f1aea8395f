"""Texts from noise at once: the networks of WGAN-GP's characters, Gulrajani et al., arXiv 1704.00028, section 5."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.networks.sizes import check
from ganlit.networks.text.judging import Answer
from ganlit.networks.text.symbols import Symbols, ended

SHARE = 0.3
"""Of a block's change that is added to what it was given, as in the authors' code."""


class Block(nn.Module):
    """Two convolutions beside the way past them."""

    def __init__(self, width: int, window: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv1d(width, width, window, padding=window // 2) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return x + SHARE * self.second(F.relu(self.first(F.relu(x))))


class ResidualTextGenerator(nn.Module):
    """Makes all places of a text together, so that it has no likelihood.

    Args:
        symbols: how many there are; 0 is the end, where there is one.
        length: places of a text.
        ends: whether a text is over at its first symbol 0.
        z_dim: numbers of the noise.
        width: numbers of a place.
        blocks: how many.
        window: places that a convolution sees, an odd number.
    """

    classes = 0

    def __init__(
        self,
        symbols: int,
        length: int,
        ends: bool = True,
        z_dim: int = 128,
        width: int = 512,
        blocks: int = 5,
        window: int = 5,
    ) -> None:
        super().__init__()
        check("ResidualTextGenerator", symbols=symbols, length=length, z_dim=z_dim, width=width, blocks=blocks)
        self.symbols, self.length, self.ends, self.z_dim = symbols, length, ends, z_dim
        self.begin = nn.Linear(z_dim, width * length)
        self.blocks = nn.Sequential(*(Block(width, window) for _ in range(blocks)))
        self.out = nn.Conv1d(width, symbols, 1)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """Noise [B, z_dim] to logits [B, L, symbols]."""
        places = self.blocks(self.begin(z).unflatten(1, (-1, self.length)))
        return self.out(places).transpose(1, 2)

    def latents(self, label: Tensor) -> Tensor:
        """Standard normal noise [B, z_dim], one for each label."""
        return torch.randn(len(label), self.z_dim, device=label.device)

    @torch.no_grad()
    def write(self, latents: Tensor, label: Tensor) -> Tensor:
        """The likeliest symbol of each place, [B, L] int64."""
        tokens = self(latents, label).argmax(2)
        return ended(tokens) if self.ends else tokens


class ResidualTextDiscriminator(nn.Module):
    """The same layers the other way round; it can be differentiated twice, as a gradient penalty does.

    Args:
        symbols: how many there are.
        length: places of a text.
        classes: 0 when it knows none.
        width: numbers of a place.
        blocks: how many.
        window: places that a convolution sees, an odd number.
    """

    def __init__(
        self, symbols: int, length: int, classes: int = 0, width: int = 512, blocks: int = 5, window: int = 5
    ) -> None:
        super().__init__()
        check("ResidualTextDiscriminator", symbols=symbols, length=length, width=width, blocks=blocks)
        self.symbols, self.classes = symbols, classes
        self.vectors = Symbols(symbols, width)
        nn.init.normal_(self.vectors.weight, std=symbols**-0.5)
        self.blocks = nn.Sequential(*(Block(width, window) for _ in range(blocks)))
        self.answer = Answer(width * length, classes)

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        """[B] logits of texts [B, L] int64 or [B, L, symbols] shares."""
        return self.answer(self.blocks(self.vectors(item).transpose(1, 2)).flatten(1), label)
