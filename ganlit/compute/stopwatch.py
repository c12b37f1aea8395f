"""Where the time of a run goes."""

from __future__ import annotations

import time
from collections import deque
from statistics import median
from typing import Any

import torch

UNSETTLED = 2048  # cuts of a hundred steps or more: the device has long passed the oldest, reading it waits for nothing


class HostClock:
    """Moments are seconds of this process' monotonic clock."""

    def now(self) -> float:
        return time.perf_counter()

    def between(self, begin: float, end: float) -> float:
        return end - begin


class CudaClock:
    """Moments are events in the current stream: marked without waiting, read when the device has passed them."""

    def now(self) -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def between(self, begin: torch.cuda.Event, end: torch.cuda.Event) -> float:
        end.synchronize()
        return begin.elapsed_time(end) / 1000


class Visit:
    """One stay in an activity, from its start to its stop."""

    __slots__ = ("activity", "seconds")

    def __init__(self, activity: str) -> None:
        self.activity = activity
        self.seconds = 0.0  # without what was started inside it


class Stopwatch:
    """Tells how much of the time each activity takes: `with stopwatch("discriminator"): ...`.

    Every start and stop cuts the time line, and each piece belongs to the innermost activity under way, "other" where
    there is none. So one activity inside another is taken out of it, and all of them add up to the wall time.

    On CUDA the time line is the current stream's, and the host waits for the device once a lap: what is told is how
    long the device worked for an activity or stood idle in it. Elsewhere it is the host's.

    "a+b" is an activity a that does b too, in a way that cannot be timed apart, such as a step of the discriminator
    with a lazy regularizer, which shares its backward. A lap splits it: b is what a typical (median) "a+b" took longer
    than a typical "a", times their number, and the rest is a. In a lap without a plain "a" all of it is a.

    Args:
        device: where the work is done.
    """

    def __init__(self, device: torch.device) -> None:
        self.clock: Any = CudaClock() if device.type == "cuda" else HostClock()
        self.visits = [Visit("other")]
        self.under_way = list(self.visits)
        self.pieces: deque[tuple[Visit, Any, Any]] = deque()  # visit, begin, end
        self.last_cut = self.clock.now()

    def __call__(self, activity: str) -> Stopwatch:
        """Starts an activity that the end of the `with` stops."""
        self.start(activity)
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, activity: str) -> None:
        """Begins an activity inside the one under way; `stop` ends it."""
        self._cut()
        visit = Visit(activity)
        self.visits.append(visit)
        self.under_way.append(visit)

    def stop(self) -> None:
        """Ends the innermost activity."""
        self._cut()
        self.under_way.pop()

    def lap(self) -> dict[str, float]:
        """Seconds of each activity met since the last lap; their sum is the wall time of the lap."""
        self._cut()
        while self.pieces:
            self._settle()
        spans: dict[str, list[float]] = {}
        for visit in self.visits:
            spans.setdefault(visit.activity, []).append(visit.seconds)
        self.under_way = [Visit(visit.activity) for visit in self.under_way]
        self.visits = list(self.under_way)
        return apart(spans)

    def _cut(self) -> None:
        now = self.clock.now()
        self.pieces.append((self.under_way[-1], self.last_cut, now))
        self.last_cut = now
        if len(self.pieces) > UNSETTLED:
            self._settle()

    def _settle(self) -> None:
        visit, begin, end = self.pieces.popleft()
        visit.seconds += self.clock.between(begin, end)


def apart(spans: dict[str, list[float]]) -> dict[str, float]:
    """Seconds by activity, from those of each visit: "a+b" split between a and b, see `Stopwatch`."""
    seconds: dict[str, float] = {}
    for name, visits in spans.items():
        activity, _, extra = name.partition("+")
        total, more = sum(visits), 0.0
        if extra and activity in spans:
            more = min(total, max(0.0, median(visits) - median(spans[activity])) * len(visits))
            seconds[extra] = seconds.get(extra, 0.0) + more
        seconds[activity] = seconds.get(activity, 0.0) + total - more
    return seconds
