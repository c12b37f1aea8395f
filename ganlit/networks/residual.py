"""Codebooks one after the other: SoundStream, Zeghidour et al., arXiv 2107.03312, sections III-C and III-D."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlit.contracts import Made
from ganlit.errors import within
from ganlit.networks.layers import wide
from ganlit.networks.quantizers import Quantizer, VectorQuantizer


class ResidualQuantizer(Quantizer):
    """Levels, each of which codes what those before it have left, so that the first ones alone are a coarser code.

    Codes are [B, levels, ...]. "latent" and "quantized" beside them are [B, levels, code_dim or dim, ...], zeros where
    a level is dropped: criteria are means over levels, while in DAC's code they are sums.

    Args:
        levels: how many there are.
        codes: size of each one's codebook; what follows is as in `VectorQuantizer`, of each.
        dim: size of the vectors on the way in and out.
        code_dim: size in which they are compared, behind a linear map to there and before one back.
        cosine: compare directions alone.
        half_life: kimg over which codebooks follow their vectors by moving average; `null` has them learn by gradient.
        start: begin with the centres of the first training batch.
        patience: kimg after which a code that nothing has used is moved; `null` for never.
        dropout: share of the items that in training keep some of the first levels alone, any number being as likely,
            so that one network serves all bitrates: DAC, Kumar et al., arXiv 2306.06546, section 3.3.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self,
        levels: int,
        codes: int,
        dim: int,
        code_dim: int | None = None,
        cosine: bool = False,
        half_life: float | None = None,
        start: bool = True,
        patience: float | None = 2.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        within("ResidualQuantizer.levels", levels, least=1, most=2**10)
        within("ResidualQuantizer.dropout", dropout, least=0, most=1)
        self.codes, self.dim, self.dropout = codes, dim, dropout
        self.quantizers = nn.ModuleList(
            VectorQuantizer(codes, dim, code_dim, cosine, half_life, start, patience) for _ in range(levels)
        )
        self.levels = levels

    @property
    def levels(self) -> int:
        """How many count where it is not trained; fewer can be set at any time, and more again.

        Raises:
            UserError: there are not so many.
        """
        return self._levels

    @levels.setter
    def levels(self, levels: int) -> None:
        within("levels", levels, least=1, most=len(self.quantizers))
        self._levels = levels

    def forward(self, latent: Tensor) -> Made:
        rest, kept, sides = wide(latent), self._kept(latent), list[dict[str, Tensor]]()
        output = torch.zeros_like(rest)
        for place, level in enumerate(self.quantizers if self.training else self.quantizers[: self.levels]):
            part, side = level(rest)
            rest = rest - part
            counts = (place < kept).view(-1, *[1] * (rest.dim() - 1))
            output = output + part * counts
            sides.append({name: each if name == "codes" else each * counts for name, each in side.items()})
        return Made(output, {name: torch.stack([side[name] for side in sides], dim=1) for name in sides[0]})

    def embedded(self, codes: Tensor) -> Tensor:
        """Codes [B, levels, ...], of all levels or the first ones, to the latents [B, dim, ...] that they stand for."""
        within("levels of codes", codes.shape[1], least=1, most=len(self.quantizers))
        parts = zip(self.quantizers, codes.unbind(1), strict=False)
        return sum(level.embedded(one) for level, one in parts)

    def _kept(self, latent: Tensor) -> Tensor:
        """How many levels count of each item, [B]."""
        count, device = len(latent), latent.device
        all_of_them = torch.full((count,), len(self.quantizers), device=device)
        if not (self.training and self.dropout):
            return all_of_them
        drawn = torch.randint(1, len(self.quantizers) + 1, (count,), device=device)
        return torch.where(torch.rand(count, device=device) < self.dropout, drawn, all_of_them)
