"""How close voices are in pitch and in voicing: the evaluation of CARGAN, Morrison et al., arXiv 2110.10139."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from ganlit.contracts import Modality
from ganlit.metrics.audio.crepe import RATE, WINDOW
from ganlit.metrics.audio.last import Last
from ganlit.metrics.audio.listening import heard, refuse_unlike
from ganlit.metrics.audio.pitch import Listening, Track, Tracker, Yin


class Voices:
    """Tracks of pitch of outputs and of targets.

    Args:
        tracker: what hears the pitch.
        kind: of the recordings, whose rate is known.
        device: of the tracker.
    """

    def __init__(self, tracker: Tracker, kind: Modality, device: torch.device | str) -> None:
        self.tracker, self.kind, self.device = tracker, kind, device
        self.tracks = Last(self.hear)

    def hear(self, output: Tensor, target: Tensor) -> list[Track]:
        """Of both, stored [B, C, T], whose channels are heard together.

        Raises:
            UserError: they cannot be compared, or are too short for a frame.
        """
        refuse_unlike(output, target, math.ceil(WINDOW * self.kind.rate / RATE), "a track of pitch")
        return [self.tracker(heard(items, self.kind, RATE).to(self.device)) for items in (output, target)]


@lru_cache(maxsize=4)
def voices(option: str, kind: Modality, device: torch.device | str) -> Voices:
    """Those of all metrics of pitch: by YIN, or by CREPE where the option is that.

    Raises:
        UserError: CREPE's weights are not here.
    """
    return Voices(Listening("full", "CREPE", device) if option else Yin(), kind, device)


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
