"""Holes to be filled in: Yu et al., arXiv 1806.03589, section 3.4 and appendix C."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation, Range, WholeRange, extent, whole_between
from ganlit.errors import UserError

CORNERS = (4, 12)
"""Of a stroke."""
TURN, SPREAD = 2 * math.pi / 5, 2 * math.pi / 15
"""By how much it turns at each, and by how much that varies; this way and that in turn."""


class Masked(Degradation):
    """Images with holes, drawn by a brush or as rectangles, and one more channel that shows them, for inpainting.

    Holes are 0, mid-grey, in the channels of the image; the last channel is -1 in them and 1 elsewhere, as alpha is
    where something was erased. So a mask of one's own is the alpha of a picture that `translate` is given: what is
    transparent is filled in, whatever lies under it. Strokes have 4 to 12 corners, an eighth of the diagonal apart on
    the average: the numbers of the paper's own code.

    Args:
        strokes: how many of a brush.
        width: of the brush, as a share of the shorter side.
        rectangles: how many.
        side: of them, as a share of the image's, drawn for height and width.

    Raises:
        UserError: an argument is out of its range, or nothing is hidden.
    """

    def __init__(
        self,
        strokes: WholeRange = (1, 3),
        width: Range = (0.05, 0.15),
        rectangles: WholeRange = 0,
        side: Range = (0.2, 0.5),
    ) -> None:
        self.strokes = extent("Masked.strokes", strokes, least=0, most=100)
        self.width = extent("Masked.width", width, above=0, most=1)
        self.rectangles = extent("Masked.rectangles", rectangles, least=0, most=100)
        self.side = extent("Masked.side", side, above=0, most=1)
        if self.strokes[1] == self.rectangles[1] == 0:
            raise UserError("Masked.strokes and Masked.rectangles are both 0, which hides nothing: set one to more.")

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        height, width = images.shape[2:]
        hidden = self._strokes(draws, height, width) | self._rectangles(draws, height, width)
        draws.tell("mask/share", hidden.float().mean(dim=(1, 2)))
        mask = hidden[:, None].to(images.dtype)
        return torch.cat([images * (1 - mask), 1 - mask * 2], dim=1)

    def given(self, source: Tensor) -> Tensor:
        """Nothing is seen of what is transparent."""
        colours, alpha = source[:, :-1], source[:, -1:]
        return torch.cat([colours * (alpha + 1) / 2, alpha], dim=1)

    def _strokes(self, draws: Draws, height: int, width: int) -> Tensor:
        """[B, H, W] bool: under the brush."""
        most, (fewest, corners) = self.strokes[1], CORNERS
        count = whole_between(draws, self.strokes)
        ends = fewest + draws.integers(corners - fewest + 1, most)
        brush = draws.uniform(most, low=self.width[0], high=self.width[1]) * (min(height, width) / 2)
        x, y = draws.uniform(most) * width, draws.uniform(most) * height
        first = draws.uniform(most, high=2 * math.pi)
        turns = draws.uniform(corners, most, low=TURN - SPREAD, high=TURN + SPREAD)
        average = math.hypot(height, width) / 8
        lengths = (draws.normal(corners, most) * (average / 2) + average).clamp(0, 2 * average)

        hidden = torch.zeros(len(draws), height, width, dtype=torch.bool, device=x.device)
        drawn = torch.arange(most, device=x.device) < count[:, None]
        for corner in range(corners):
            angle = first + turns[:, corner] * (1 if corner % 2 else -1)
            to_x = (x + lengths[:, corner] * angle.cos()).clamp(0, width)
            to_y = (y + lengths[:, corner] * angle.sin()).clamp(0, height)
            near = under_line(height, width, (x, y), (to_x, to_y), brush)
            hidden |= (near & (drawn & (corner < ends))[:, :, None, None]).any(dim=1)
            x, y = to_x, to_y
        return hidden

    def _rectangles(self, draws: Draws, height: int, width: int) -> Tensor:
        """[B, H, W] bool: inside a rectangle."""
        most = self.rectangles[1]
        drawn = torch.arange(most, device=draws.device) < whole_between(draws, self.rectangles)[:, None]
        rows, columns = (covered(draws, most, length, self.side) for length in (height, width))
        return ((rows & drawn[:, :, None])[:, :, :, None] & columns[:, :, None]).any(dim=1)


def under_line(
    height: int, width: int, start: tuple[Tensor, Tensor], end: tuple[Tensor, Tensor], radius: Tensor
) -> Tensor:
    """Which pixels are within a radius [B, n] of lines from and to points of [B, n]: [B, n, H, W] bool."""
    x, y, to_x, to_y, radius = (one[:, :, None, None] for one in (*start, *end, radius))
    right = torch.arange(width, device=x.device) + 0.5 - x
    down = torch.arange(height, device=x.device)[:, None] + 0.5 - y
    across, along = to_x - x, to_y - y
    squared = (across**2 + along**2).clamp(min=1e-6)
    share = (right * (across / squared) + down * (along / squared)).clamp(0, 1)  # of the line, to the nearest point
    return (right - share * across) ** 2 + (down - share * along) ** 2 <= radius**2


def covered(draws: Draws, count: int, length: int, share: tuple[float, float]) -> Tensor:
    """Which places of a side lie in each of several random pieces of it, a pixel long at least: [B, count, length]."""
    size = (draws.uniform(count, low=share[0], high=share[1]) * length).round().clamp(1, length)
    first = (draws.uniform(count) * (length - size + 1)).floor()
    places = torch.arange(length, device=draws.device)
    return (places >= first[:, :, None]) & (places < (first + size)[:, :, None])
