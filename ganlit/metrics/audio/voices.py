"""How close voices are in pitch and in voicing: the evaluation of CARGAN, Morrison et al., arXiv 2110.10139."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from ganlit.metrics.audio.crepe import RATE, WINDOW
from ganlit.metrics.audio.last import Last
from ganlit.metrics.audio.listening import compared, resampled
from ganlit.metrics.audio.pitch import Listening, Track, Tracker, Yin


class Voices:
    """Tracks of pitch of outputs and of targets.

    Args:
        tracker: what hears the pitch.
        rate: of the recordings.
        device: of the tracker.
    """

    def __init__(self, tracker: Tracker, rate: int, device: torch.device | str) -> None:
        self.tracker, self.rate, self.device = tracker, rate, device
        self.tracks = Last(self.hear)

    def hear(self, output: Tensor, target: Tensor) -> list[Track]:
        """Of both, stored [B, C, T], whose channels are heard together.

        Raises:
            UserError: they cannot be compared, or are too short for a frame.
        """
        sides = compared(output, target, math.ceil(WINDOW * self.rate / RATE), "a track of pitch")
        return [self.tracker(resampled(x.mean(1), self.rate, RATE).to(self.device)) for x in sides]


@lru_cache(maxsize=4)
def voices(option: str, rate: int, device: torch.device | str) -> Voices:
    """Those of all metrics of pitch: by YIN, or by CREPE where the option is that.

    Raises:
        UserError: CREPE's weights are not here.
    """
    return Voices(Listening("full", "CREPE", device) if option else Yin(), rate, device)


def pitch(output: Track, target: Track) -> Tensor:
    """Root of the mean squared difference [B] in cents over the frames in which both are voiced; nan of none."""
    both = output.voiced & target.voiced
    cents = 1200 * (output.pitch / target.pitch).log2()
    return (cents.square().where(both, 0.0).sum(1) / both.sum(1)).sqrt()


def periodicity(output: Track, target: Track) -> Tensor:
    """Root of the mean squared difference [B] of how periodic they are, from 0 to 1."""
    return (output.periodicity - target.periodicity).square().mean(1).sqrt()


def voicing(output: Track, target: Track) -> Tensor:
    """F1 [B] of the choice between voiced and not; nan where neither side is voiced anywhere."""
    both, either = (output.voiced & target.voiced).sum(1), output.voiced.sum(1) + target.voiced.sum(1)
    return 2 * both.double() / either
