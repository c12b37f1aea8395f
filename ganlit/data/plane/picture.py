"""Points of the plane as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ganlit.data.plane.mixture import NEAR, Mixture
from ganlit.records.media import drawn

INCHES, DPI = 4.0, 80
GOOD, ASTRAY = "tab:blue", "tab:orange"
VISIBLE = 0.02  # of the picture's half side: radius of the smallest circle


def picture(rows: Sequence[Tensor], mixture: Mixture | None) -> Image.Image:
    """Points [B, 2] over the plane; with a mixture those near none of its modes in another colour, on their circles.

    The plane that is seen is the mixture's, so that pictures of one run lie on one another; points outside are on its
    border.
    """
    points = torch.cat([row.detach().cpu().float() for row in rows])
    centre, side = torch.zeros(2), 1.0
    if mixture is not None:
        side = mixture.side
    elif len(points):
        low, high = points.amin(0), points.amax(0)
        centre, side = (low + high) / 2, 0.55 * max(float((high - low).max()), 1e-6)
    seen = torch.maximum(torch.minimum(torch.where(points.isnan(), centre, points), centre + side), centre - side)
    good = mixture.members(points) >= 0 if mixture is not None else torch.ones(len(points), dtype=torch.bool)
    figure = Figure(figsize=(INCHES, INCHES), layout="constrained")
    axes = figure.subplots()
    if mixture is not None:
        radius = max(NEAR * mixture.deviation, VISIBLE * side)
        circle = torch.linspace(0, 2 * torch.pi, 33)
        for mean in mixture.means:
            around = mean[:, None] + radius * torch.stack([circle.cos(), circle.sin()])
            axes.plot(*around.numpy(), color="lightgray", linewidth=0.8, zorder=0)
        told = f"{len(set(mixture.members(points).tolist()) - {-1})} of {mixture.modes} modes"
        axes.set_title(f"{told}, {good.float().mean():.0%} near one" if len(points) else told, fontsize=9)
    for chosen, colour in ((~good, ASTRAY), (good, GOOD)):
        axes.scatter(*seen[chosen].T.numpy(), s=4, alpha=0.5, linewidths=0, color=colour)
    x, y = centre.tolist()
    axes.set(xlim=(x - side, x + side), ylim=(y - side, y + side), aspect="equal")
    axes.tick_params(labelsize=7)
    with Image.open(io.BytesIO(drawn(figure, DPI))) as image:
        return image.convert("RGB")
