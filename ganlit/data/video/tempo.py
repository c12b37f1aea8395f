"""When the frames of a clip are shown, and those of them that are shown at even times."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple, TypeVar

from ganlit.data.video.reading import Frame

UNEVEN = 1.5  # times as long as half of them is one of the gaps between frames where these vary
TICK = 1e-3  # seconds, which a gap has at least
NEAR = 0.02  # by this share may rates differ that are meant to be the same, such as 29.97 and 30

Shown = TypeVar("Shown", bound=Frame)


class Tempo(NamedTuple):
    """When the frames of a clip are shown."""

    frames: int
    rate: float | None  # a second, of most where gaps between frames vary; None where nobody says
    seconds: float = 0.0  # with those of the last frame
    shortest: float = 0.0  # seconds between two
    longest: float = 0.0
    steady: bool = True

    @classmethod
    def of(cls, times: Sequence[float | None]) -> Tempo:
        """From the time of each."""
        if len(times) < 2 or None in times or not times[-1] > times[0]:
            return cls(len(times), None)
        gaps = [later - one for one, later in pairwise(times)]
        usual = median(gaps)
        steady = usual / UNEVEN <= min(gaps) and max(gaps) <= usual * UNEVEN
        lasts = times[-1] - times[0]
        rate = len(gaps) / lasts if steady else 1 / max(usual, TICK)
        return cls(len(times), rate, lasts + usual, min(gaps), max(gaps), steady)


def at_even_times(frames: Iterable[Shown], rate: float) -> Iterator[Shown]:
    """Of each moment, so many a second, the frame that is shown then; all of those whose times nobody says."""
    start, gap, taken, latest = 0.0, 0.0, 0, None
    for frame in frames:
        if frame.time is None:
            yield frame
            continue
        if latest is None:
            start = frame.time
        else:
            gap = frame.time - latest.time
            until = _moments(frame.time - start, gap, rate)
            yield from [latest] * (until - taken)
            taken = max(taken, until)
        latest = frame
    if latest is not None:
        yield from [latest] * max(_moments(latest.time + gap - start, gap, rate) - taken, taken == 0)


def _moments(seconds: float, gap: float, rate: float) -> int:
    """How many there are before a time, which files round: those that are nearer to it than to others come after."""
    return math.ceil(seconds * rate - min(1, gap * rate) / 2)
