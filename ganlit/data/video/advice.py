"""With which options a training can start on clips that have been looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ganlit.data.ragged import lengths_of
from ganlit.data.video.facts import Facts
from ganlit.data.video.form import SHORTEST, Form, reach

NEARLY_ALL = 0.95  # have as many frames as are worth having
USUAL = 16  # frames of a window, as nearly all papers have it


def completed(asked: Form, seen: Sequence[Facts]) -> Form:
    """What is asked for, and where that is left open: the side of most, and as many channels as most have."""
    side = Counter(min(each.size) for each in seen).most_common(1)[0][0]
    channels = Counter(1 if each.kind.channels < 3 else 3 for each in seen).most_common(1)[0][0]
    picture = asked.picture
    return asked._replace(
        picture=picture._replace(resolution=picture.resolution or side, channels=picture.channels or channels)
    )


def working(seen: Sequence[Facts], form: Form) -> Form:
    """The same with whatever more of the clips need."""
    picture, side = form.picture, (form.picture.resolution,) * 2
    frames = [frame for each in seen for frame in (each.first, *each.others)]
    if picture.fit == "exact" and any(frame.size != side for frame in frames):
        picture = picture._replace(fit="crop")
    if any(frame.kind.channels != picture.channels or frame.kind.bits != 8 for frame in frames):
        picture = picture._replace(convert=True)
    return form._replace(picture=picture, fps=_rate(seen, form))


def _rate(seen: Sequence[Facts], form: Form) -> float | None:
    """A number of frames a second that all have, where there is need for one."""
    rates = [each.tempo.rate for each in seen if each.tempo.rate is not None]
    uneven = not all(each.tempo.steady for each in seen)
    if rates and ((form.fps is None and uneven) or (form.fps is not None and form.fps > min(rates))):
        return float(f"{min(rates):.3g}")
    return form.fps


def usable(seen: Sequence[Facts], form: Form, wanted: int) -> list[Facts]:
    return [each for each in seen if each.against(form, wanted) is None]


def items_of(seen: Sequence[Facts], form: Form) -> int:
    """How many items clips become."""
    return sum(len(lengths_of(each.kept(form), form.cut)) for each in seen)


def piece_for(seen: Sequence[Facts], form: Form, batch: int, wanted: int) -> int | None:
    """Frames of pieces of which there are enough; None where they would be shorter than a window."""
    frames = sum(each.kept(form) for each in seen) // (2 * batch)  # what is left over of each makes them fewer
    return frames if frames >= max(wanted, SHORTEST) else None


def frames_for(seen: Sequence[Facts], form: Form, stride: int) -> int:
    """Of a window that finds room in nearly all."""
    lengths = sorted(each.kept(form) for each in seen)
    least = lengths[int((1 - NEARLY_ALL) * len(lengths))]
    return next((frames for frames in range(USUAL, SHORTEST, -1) if reach(frames, stride) <= least), SHORTEST)


def options(form: Form, frames: int, stride: int, batch: int | None, skip_bad: bool) -> dict[str, Any]:
    """The options of `Clips` with which a training can start."""
    picture = form.picture
    chosen = {"frames": frames, "resolution": picture.resolution, "channels": picture.channels, "fps": form.fps}
    chosen |= {"stride": stride, "fit": picture.fit, "convert": picture.convert, "cut": form.cut}
    chosen |= {"skip_bad": skip_bad, "batch": batch}
    usual = {"channels": 3, "fps": None, "stride": 1, "fit": "exact", "convert": False, "cut": None}
    usual |= {"skip_bad": False, "batch": None}
    return {key: value for key, value in chosen.items() if key not in usual or value != usual[key]}
