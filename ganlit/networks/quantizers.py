"""From vectors to codes, and from codes to vectors: what stands between an encoder and a decoder."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.contracts import Made
from ganlit.errors import UserError, within
from ganlit.networks.clusters import kmeans, nearest, spread
from ganlit.networks.codebooks import Averaged, Codebook, Learned
from ganlit.networks.layers import wide
from ganlit.networks.ranks import everyone, total, world

AT_ONCE = 64
"""Vectors that one batch can revive."""


def straight_through(quantized: Tensor, x: Tensor) -> Tensor:
    """The value of the first, to the bit, with the gradient of the second: Bengio et al., arXiv 1308.3432."""
    return quantized.detach() + (x - x.detach())


class Quantizer(nn.Module, ABC):
    """Gives each vector of a latent one of finitely many codes.

    A subclass sets `codes`, how many there are, and `dim`, the size of the vectors.
    """

    codes: int
    dim: int

    @abstractmethod
    def forward(self, latent: Tensor) -> Made:
        """Latents [B, dim, ...] to those that their codes stand for, [B, dim, ...], with a gradient straight through.

        "codes" beside them are [B, ...] int64.
        """

    @abstractmethod
    def embedded(self, codes: Tensor) -> Tensor:
        """Codes [B, ...] to the latents [B, dim, ...] that they stand for."""


class VectorQuantizer(Quantizer):
    """A learned codebook, of which the nearest vector counts: VQ-VAE, van den Oord et al., arXiv 1711.00937.

    Beside its output it hands out "latent" and "quantized", [B, code_dim or dim, ...]: what is compared, and the vector
    chosen for it, with a gradient to a codebook that learns by gradient. Criteria bring them together.

    The codebook changes only in training mode and where gradients are computed, always by the batch of all ranks, and
    nothing about that is random. With accumulation each micro-batch counts as a batch.

    Args:
        codes: size of the codebook; where fewer vectors than that differ, codes beyond them stay unused.
        dim: size of the vectors on the way in and out.
        code_dim: size in which they are compared, behind a linear map to there and before one back: few dimensions keep
            more codes in use (Yu et al., arXiv 2110.04627, section 3.2); by default `dim`, without maps.
        cosine: compare directions alone: both sides are brought to length 1 (the same section).
        half_life: kimg over which the codebook follows its vectors by moving average; `null` has it learn by gradient,
            for which there must be the criterion Codebook.
        start: begin with the centres of the first training batch, by k-means, instead of small random vectors.
        patience: kimg after which a code that nothing has used is moved to what is represented worst; `null` for never.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self,
        codes: int,
        dim: int,
        code_dim: int | None = None,
        cosine: bool = False,
        half_life: float | None = None,
        start: bool = True,
        patience: float | None = 2.0,
    ) -> None:
        super().__init__()
        within("VectorQuantizer.codes", codes, least=1, most=2**20)
        within("VectorQuantizer.dim", dim, least=1, most=2**20)
        within("VectorQuantizer.code_dim", code_dim, least=1, most=2**20, optional=True)
        within("VectorQuantizer.half_life", half_life, above=0, optional=True)
        within("VectorQuantizer.patience", patience, above=0, optional=True)
        self.codes, self.dim, self.cosine, self.patience = codes, dim, cosine, patience
        self.into = nn.Identity() if code_dim is None else nn.Linear(dim, code_dim)
        self.back = nn.Identity() if code_dim is None else nn.Linear(code_dim, dim)
        size = code_dim or dim
        self.codebook: Codebook = Averaged(codes, size, half_life) if half_life else Learned(codes, size)
        self.register_buffer("started", torch.tensor(not start))
        self.register_buffer("idle", torch.zeros(codes, dtype=torch.int64))  # images since it was used

    def forward(self, latent: Tensor) -> Made:
        with torch.autocast(latent.device.type, enabled=False):
            x = self._onto(self.into(wide(latent).movedim(1, -1)))  # [B, ..., d]
            items = x.detach().reshape(len(x), -1, x.shape[-1])  # [B, places, d]
            learns = self.training and torch.is_grad_enabled()
            if learns:
                self._start(items)
            vectors = self.vectors
            codes = nearest(items.flatten(0, 1), vectors.detach())
            if learns:
                self._follow(items, codes)
            codes = codes.view(x.shape[:-1])
            quantized = F.embedding(codes, vectors)
            output = self.back(straight_through(quantized, x))
        channels_first = {"latent": x.movedim(-1, 1), "quantized": quantized.movedim(-1, 1)}
        return Made(output.movedim(-1, 1), {"codes": codes, **channels_first})

    def embedded(self, codes: Tensor) -> Tensor:
        with torch.autocast(codes.device.type, enabled=False):
            return self.back(F.embedding(codes, self.vectors)).movedim(-1, 1)

    @property
    def vectors(self) -> Tensor:
        """[codes, code_dim or dim], as they are compared."""
        return self._onto(self.codebook.vectors)

    def _onto(self, vectors: Tensor) -> Tensor:
        """Onto the sphere, where directions alone count."""
        return F.normalize(vectors, dim=-1) if self.cosine else vectors

    @torch.no_grad()
    def _start(self, items: Tensor) -> None:
        """Begins with the centres of this batch, unless that has been done or the batch is not finite."""
        if self.started:
            return
        x = everyone(items).flatten(0, 1)
        if x.isfinite().all():
            centres = kmeans(x, self.codes, onto=self._onto)
            self.codebook.place(torch.arange(len(centres), device=x.device), centres)
            self.started.fill_(True)

    @torch.no_grad()
    def _follow(self, items: Tensor, codes: Tensor) -> None:
        """Learns from the vectors [B, places, d] that have these codes [B * places], and what has not been used."""
        counts = total(codes.bincount(minlength=self.codes))
        images = len(items) * world()
        self.codebook.follow(items.flatten(0, 1), codes, counts, images)
        if self.patience is not None:
            self.idle.add_(images).mul_(counts == 0)
            due = (self.idle >= 1000 * self.patience).nonzero()[:AT_ONCE, 0]
            if len(due):
                self._revive(everyone(items).flatten(0, 1), due)

    def _revive(self, x: Tensor, due: Tensor) -> None:
        """Moves codes to those vectors of x [M, d] that are represented worst, and are far from one another."""
        if x.isfinite().all():
            vectors = self.vectors
            distance = (x - vectors[nearest(x, vectors)]).square().sum(dim=1)
            found = spread(x, len(due), distance)
            self.codebook.place(due[: len(found)], found)
            self.idle[due] = 0


class ScalarQuantizer(Quantizer):
    """Finite scalar quantization: each number is bounded and rounded; Mentzer et al., arXiv 2309.15505, appendix A.1.

    There is no codebook to learn: codes are all combinations of levels, written as one number whose first digit counts
    least. Values are multiples of 1 / (levels // 2); of even levels there is one more below zero than above.

    Args:
        levels: of each number of a vector; 8, 5, 5, 5 are the paper's for a thousand codes.

    Raises:
        UserError: there are no levels, fewer than two of one, or more combinations than can be counted.
    """

    def __init__(self, levels: Sequence[int]) -> None:
        super().__init__()
        if not levels:
            raise UserError("ScalarQuantizer.levels is empty: name some, such as 8, 5, 5, 5.")
        for each in levels:
            within("ScalarQuantizer.levels", each, least=2, most=2**16)
        self.codes, self.dim = math.prod(levels), len(levels)
        within("ScalarQuantizer.levels in all", self.codes, most=2**48)
        bases = [math.prod(levels[:place]) for place in range(len(levels))]
        self.register_buffer("levels", torch.tensor(levels), persistent=False)
        self.register_buffer("bases", torch.tensor(bases), persistent=False)

    def forward(self, latent: Tensor) -> Made:
        with torch.autocast(latent.device.type, enabled=False):
            bounded = self._bounded(wide(latent).movedim(1, -1))
            rounded = bounded.round()
            codes = ((rounded.detach().long() + self.levels // 2) * self.bases).sum(dim=-1)
            output = straight_through(rounded, bounded) / (self.levels // 2)
        return Made(output.movedim(-1, 1), {"codes": codes})

    def embedded(self, codes: Tensor) -> Tensor:
        half = self.levels // 2
        digits = codes[..., None] // self.bases % self.levels
        return ((digits - half) / half).movedim(-1, 1)

    def _bounded(self, x: Tensor, margin: float = 1e-3) -> Tensor:
        """Numbers [..., dim] to where rounding gives each of the levels and no other."""
        half = (self.levels.to(x) - 1) * (1 - margin) / 2
        offset = (self.levels % 2 == 0).to(x) / 2
        return (x + (offset / half).tan()).tanh() * half - offset
