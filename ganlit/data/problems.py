"""What a look through a source finds wrong, and how a report says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

SPELLED_OUT = 3  # problems of one topic
COUNTED = 12  # classes, sizes and kinds, each by name


class Problem(NamedTuple):
    """What would stop a training."""

    topic: str
    sentence: str
    spare: bool = True  # whether to leave the item out is advice


def grouped(problems: Sequence[Problem]) -> list[str]:
    """The lines of the report that say what is wrong."""
    if not problems:
        return ["Nothing would stop a training."]
    lines = [f"{len(problems)} problem{'s' if len(problems) > 1 else ''} would stop a training:"]
    for topic, number in Counter(problem.topic for problem in problems).most_common():
        lines.append(f"  {topic}: {number}")
        sentences = [problem.sentence for problem in problems if problem.topic == topic]
        lines += [f"    {sentence}" for sentence in sentences[:SPELLED_OUT]]
        lines += ["    ..."] * (number > SPELLED_OUT)
    return lines


def counts(found: Iterable[tuple[Any, int]]) -> str:
    """How often there is what, the most frequent first."""
    ordered = sorted(found, key=lambda count: -count[1])
    shown, more = ordered[:COUNTED], len(ordered[COUNTED:])
    return " · ".join(f"{name} {number}" for name, number in shown) + (f" · {more} more" if more else "")
