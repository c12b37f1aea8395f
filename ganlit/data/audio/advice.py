"""With which options a training can start on recordings that have been listened to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from ganlit.data.audio.facts import Facts
from ganlit.data.audio.form import BEYOND, Form
from ganlit.data.ragged import lengths_of

NEARLY_ALL = 0.95  # have a rate that is worth having
USUAL = 2**14  # samples of a window, as WaveGAN has it, unless recordings are shorter


def completed(asked: Form, heard: Sequence[Facts]) -> Form:
    """What is asked for, and where that is left open: a rate that nearly all have, and as many channels as most."""
    rates = sorted(each.rate for each in heard)
    channels = Counter(each.channels for each in heard).most_common(1)[0][0]
    rate = rates[int((1 - NEARLY_ALL) * len(rates))]
    return asked._replace(rate=asked.rate or rate, channels=asked.channels or channels)


def working(heard: Sequence[Facts], form: Form) -> Form:
    """The same with whatever more of the recordings need."""
    sound = [each for each in heard if each.wrong is None]
    beyond = any(each.peak > BEYOND for each in sound)
    return form._replace(
        mix=form.mix or any(each.channels != form.channels for each in sound),
        upsample=form.upsample or any(each.rate < form.rate for each in sound),
        level="peak" if form.level == "kept" and beyond else form.level,
    )


def usable(heard: Sequence[Facts], form: Form) -> list[Facts]:
    return [each for each in heard if each.against(form) is None]


def items_of(heard: Sequence[Facts], form: Form) -> int:
    """How many items recordings become."""
    return sum(len(lengths_of(round(each.seconds * form.rate), form.piece)) for each in heard)


def piece_for(heard: Sequence[Facts], form: Form, batch: int, segment: int) -> float | None:
    """Seconds of pieces of which there are enough; None where they would be shorter than a window."""
    seconds = sum(each.seconds for each in heard) / (2 * batch)  # what is left over of each makes them fewer
    return float(f"{seconds:.2g}") if seconds >= segment / form.rate else None


def segment_for(heard: Sequence[Facts], form: Form) -> int:
    """Samples of a window, a power of two, in which half of the recordings find room."""
    middle = max(1, round(median(each.seconds for each in heard) * form.rate))
    return min(USUAL, 1 << (middle - 1).bit_length())


def options(form: Form, segment: int, batch: int, skip_bad: bool) -> dict[str, Any]:
    """The options of `Recordings` with which a training can start."""
    chosen = {**form._asdict(), "skip_bad": skip_bad, "batch": batch}
    needed = {"rate": chosen.pop("rate"), "segment": segment}
    defaults = {**Form._field_defaults, "skip_bad": False, "batch": None}
    return needed | {key: value for key, value in chosen.items() if value != defaults[key]}
