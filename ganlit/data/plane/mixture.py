"""Mixtures of Gaussians in the plane, of which all is known: Lin et al., arXiv 1712.04086, section 4.1."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor

NEAR = 3.0
"""Standard deviations from its mean within which a point is one of a mode."""

Shape = Literal["ring", "grid"]


class Mixture(NamedTuple):
    """Round Gaussians of one size, all equally likely."""

    name: str
    means: Tensor  # [K, 2] float32
    deviation: float  # of each coordinate

    @property
    def modes(self) -> int:
        """K."""
        return len(self.means)

    @property
    def side(self) -> float:
        """Half of that of a square around 0 in which all modes are, and some room around them."""
        return 1.3 * float(self.means.abs().max()) + 5 * self.deviation

    def members(self, points: Tensor) -> Tensor:
        """Of which mode each of some points [N, 2] is one: [N] int64, -1 of what is near none."""
        distance, mode = self.nearest(points)
        return mode.where(distance < NEAR, -1)

    def nearest(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Of points [N, 2] the distance to the nearest mean, in deviations, and which that is: [N] each."""
        distance, mode = torch.cdist(points.double(), self.means.to(points.device).double()).min(dim=1)
        return distance / self.deviation, mode


def ring(modes: int = 8, deviation: float = 0.01) -> Mixture:
    """Means on the unit circle; 8 of them with a deviation of .01 are the paper's."""
    angle = torch.arange(modes, dtype=torch.float64) * (math.tau / modes)
    means = torch.stack([angle.cos(), angle.sin()], 1).float()
    return Mixture(f"ring{modes}-sd{deviation:g}", means, deviation)


def grid(side: int = 5, deviation: float = 0.05) -> Mixture:
    """Means two apart around 0; from -4 to 4 with a deviation of .05 are the paper's 25."""
    places = 2 * torch.arange(side, dtype=torch.float32) - (side - 1)
    return Mixture(f"grid{side**2}-sd{deviation:g}", torch.cartesian_prod(places, places), deviation)
