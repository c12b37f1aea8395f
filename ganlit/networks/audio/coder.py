"""What codecs of sound have in common: a few codes a second in levels, of which the first alone are a coarser code."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from torch import Tensor, nn

from ganlit.contracts import Made
from ganlit.errors import UserError
from ganlit.networks.residual import ResidualQuantizer


class Coder(nn.Module, ABC):
    """Sound to a few codes a second in levels, and back; labels are ignored.

    A subclass says by `reach` how many samples on either side of its own a sample depends on, and has a `last_layer`.

    Args:
        quantizer: gives the latent its codes; the size of its vectors is that of the latent.
        rate: samples a second.
        multiple: samples a code, of which the samples of a sound are a multiple.
    """

    classes = 0

    def __init__(self, quantizer: ResidualQuantizer, rate: int, multiple: int) -> None:
        super().__init__()
        self.quantizer = quantizer
        self.rate, self.codes, self.multiple = rate, quantizer.codes, multiple

    @abstractmethod
    def latents(self, sound: Tensor) -> Tensor:
        """Sound [B, C, T] to latents [B, dim, T / multiple] that have no codes yet."""

    @abstractmethod
    def decode(self, latent: Tensor, label: Tensor) -> Tensor:
        """Latents [B, dim, t] to sound [B, C, t * multiple]."""

    @property
    def levels(self) -> int:
        """How many of the quantizer's count where it is not trained; fewer can be set at any time, and more again.

        Raises:
            UserError: there are not so many.
        """
        return self.quantizer.levels

    @levels.setter
    def levels(self, levels: int) -> None:
        self.quantizer.levels = levels

    @property
    def bitrate(self) -> float:
        """Bits that the codes of a second of sound take, at so many levels."""
        return self.rate / self.multiple * self.levels * math.log2(self.codes)

    def forward(self, source: Tensor, label: Tensor) -> Made:
        """Sound [B, C, T] to sound like it."""
        latent, side = self.encode(source, label)
        return Made(self.decode(latent, label), side)

    def encode(self, source: Tensor, label: Tensor) -> Made:
        """Sound [B, C, T] to latents [B, dim, T / multiple], with "codes" [B, levels, T / multiple].

        Raises:
            UserError: its length is no multiple of what it has to be.
        """
        if not source.shape[-1] or source.shape[-1] % self.multiple:
            raise UserError(
                f"{type(self).__name__} takes sounds whose samples are multiples of {self.multiple}, but is shown some "
                f"of {source.shape[-1]}: bring them to such a length, or take fewer samples a code."
            )
        return self.quantizer(self.latents(source))

    def embedded(self, codes: Tensor) -> Tensor:
        """Codes [B, levels, t], of all levels or the first ones, to latents [B, dim, t]."""
        return self.quantizer.embedded(codes)
