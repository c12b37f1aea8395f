"""Where the vectors of a codebook are kept, and how they learn."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from ganlit.networks.clusters import sums_by
from ganlit.networks.ranks import total

UNUSED = 1e-10
"""Share of the data below which a vector is no longer told from its sum: it fades to zero."""


class Codebook(nn.Module, ABC):
    """K vectors. What moves them outside the optimizer are buffers, which whoever undoes a step can put back."""

    @property
    @abstractmethod
    def vectors(self) -> Tensor:
        """[K, d]."""

    @abstractmethod
    def place(self, codes: Tensor, vectors: Tensor) -> None:
        """Moves those of codes [n] to vectors [n, d]."""

    @abstractmethod
    def follow(self, x: Tensor, codes: Tensor, counts: Tensor, images: int) -> None:
        """Learns from a batch of all ranks, as far as no gradient is needed for that.

        Args:
            x: [M, d] this rank's share.
            codes: [M] of it.
            counts: [K] how often all ranks have used each vector.
            images: items of all ranks.
        """


class Learned(Codebook):
    """Learns by gradient: van den Oord et al., arXiv 1711.00937, equation 3.

    A vector is the sum of a parameter and a shift. Moving it changes the shift alone. So an average of the parameters,
    which has the same shift, moves at once with a vector that had come to rest, and keeps nothing of where it was.
    """

    def __init__(self, codes: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(codes, dim).uniform_(-1 / codes, 1 / codes))
        self.register_buffer("shift", torch.zeros(codes, dim))

    @property
    def vectors(self) -> Tensor:
        return self.weight + self.shift

    def place(self, codes: Tensor, vectors: Tensor) -> None:
        self.shift[codes] = vectors - self.weight.detach()[codes]

    def follow(self, x: Tensor, codes: Tensor, counts: Tensor, images: int) -> None:
        """By gradient alone."""


class Averaged(Codebook):
    """Each vector is the mean of what it stood for, the older the less: arXiv 1711.00937, appendix A.1.

    Kept are moving averages of share and sum, which are linear in the batch, and of which each vector is the quotient.

    Args:
        half_life: kimg after which what a vector stood for counts half.
    """

    def __init__(self, codes: int, dim: int, half_life: float) -> None:
        super().__init__()
        self.half_life = half_life
        self.register_buffer("share", torch.full((codes,), 1 / codes))
        self.register_buffer("sum", torch.empty(codes, dim).uniform_(-1 / codes, 1 / codes) / codes)

    @property
    def vectors(self) -> Tensor:
        return self.sum / self.share.clamp(min=UNUSED)[:, None]

    def place(self, codes: Tensor, vectors: Tensor) -> None:
        """A vector that was moved weighs as much as one of mean use."""
        self.share[codes] = 1 / len(self.share)
        self.sum[codes] = vectors / len(self.share)

    def follow(self, x: Tensor, codes: Tensor, counts: Tensor, images: int) -> None:
        new = 1 - 0.5 ** (images / (1000 * self.half_life))
        sums = total(sums_by(codes, x, len(counts)))
        self.share.lerp_(counts.to(sums) / counts.sum(), new)
        self.sum.lerp_(sums / counts.sum(), new)
