"""Where in its frames something bright is, and how it moves: what is known of moving digits."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.video.clips import of_clips

NAME = "trajectory"
FAINT = 0.25  # of white: what is darker is ground
STILL = 0.005  # of a side: a step that is shorter has no direction
STEPS = 64  # of a side


class Spread(NamedTuple):
    """A number of which the distribution is told: by the share of values below a limit, its mean over each step of it.

    The distance of two distributions is the sum of the differences of these means, but where they cross inside a step.
    """

    first: int  # where its steps begin among all,
    count: int  # how many there are,
    axes: int  # and in how many rows, one an axis
    step: float  # how long one is


SPREADS = {
    "velocity": Spread(0, 2 * STEPS, 2, 1 / STEPS),
    "position": Spread(4 * STEPS, STEPS, 2, 1 / STEPS),
    "bounces": Spread(6 * STEPS, STEPS, 1, 1 / STEPS),
}
"""Of the centre of mass: its steps from frame to frame, from -1 to 1 side; its places, from 0 to 1; and the share of
frames and axes in which it turns back. Rows first, then columns."""


class Trajectory(FeatureExtractor):
    """Of each clip the shares of its centres of mass, steps and turns below limits: their means are those of all.

    Of two bright things, it is what lies between them.
    """

    name, batch = NAME, 64
    dim = sum(each.count * each.axes for each in SPREADS.values())
    protocol = f"{NAME}@{STEPS}-{FAINT}-{STILL}/sides"

    def encode(self, clips: Tensor) -> dict[str, Tensor]:
        place, seen = centres(of_clips(clips, self.name, least=3))
        steps, pairs = place.diff(dim=1), seen[:, 1:] & seen[:, :-1]
        turns = turned(steps, pairs).double().mean(dim=(1, 2))[:, None, None]
        told = [
            below(steps, pairs, -1.0, SPREADS["velocity"]),
            below(place, seen, 0.0, SPREADS["position"]),
            below(turns, torch.ones_like(turns[..., 0], dtype=torch.bool), 0.0, SPREADS["bounces"]),
        ]
        return {"pool": torch.cat(told, dim=1).float()}


def centres(clips: Tensor) -> tuple[Tensor, Tensor]:
    """Of uint8 clips [B, C, T, H, W] centres of mass [B, T, 2], in sides from above and left, and where there is any.

    Where nothing is bright it is the middle.
    """
    weights = mass(clips)
    total = weights.sum(dim=(2, 3))
    seen = total > 0
    places = []
    for axis, length in ((3, weights.shape[2]), (2, weights.shape[3])):
        spots = (torch.arange(length, device=clips.device, dtype=torch.float64) + 0.5) / length
        places.append((weights.sum(dim=axis) @ spots / total).where(seen, 0.5))
    return torch.stack(places, dim=2), seen


def mass(clips: Tensor) -> Tensor:
    """[B, T, H, W] float64: how bright uint8 clips [B, C, T, H, W] are above their ground, from 0 on."""
    return (clips.double().mean(dim=1) / 255 - FAINT).clamp(min=0)


def turned(steps: Tensor, known: Tensor) -> Tensor:
    """Where steps [B, T, axes] that are known [B, T] go back: [B, T - 1, axes] bool.

    What stands still between goes on in the direction that it had.
    """
    moves = torch.where((steps.abs() > STILL) & known[..., None], steps.sign(), 0)
    places = torch.arange(steps.shape[1], device=steps.device)[:, None]
    last = torch.where(moves != 0, places, 0).cummax(dim=1).values
    return moves[:, 1:] * moves.gather(1, last)[:, :-1] < 0


def below(values: Tensor, known: Tensor, least: float, spread: Spread) -> Tensor:
    """Of the values [B, n, axes] that are known [B, n] the share below a limit, over each step: [B, axes * count].

    All shares are 0 of a clip in which none is known, as if it were beyond the largest.
    """
    ends = least + spread.step * torch.arange(1, spread.count + 1, dtype=torch.float64, device=values.device)
    shares = ((ends - values[..., None]) / spread.step).clamp(0, 1) * known[..., None, None]
    return (shares.sum(dim=1) / known.sum(dim=1).clamp(min=1)[:, None, None]).flatten(1)
