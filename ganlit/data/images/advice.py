"""With which options a training can start on pictures that have been looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median_low
from typing import Any, NamedTuple

from ganlit.data.images.depth import Depth, Range
from ganlit.data.images.fitting import objection
from ganlit.data.images.form import Fit, Form
from ganlit.data.images.kind import Kind
from ganlit.data.images.tiles import count
from ganlit.data.objections import Objection

TILE = 256  # pixels a side at most, unless it is said


class Seen(NamedTuple):
    """What there is to know of a picture that can be read."""

    title: str
    size: tuple[int, int]  # width, height
    kind: Kind
    label: int | None
    depth: Depth | None = None

    def against(self, form: Form) -> Objection | None:
        return objection(self.size, self.kind, form, self.depth)


def completed(asked: Form, seen: Sequence[Seen]) -> Form:
    """What is asked for, with what most pictures have where that is left open."""
    side = _tile([picture.size for picture in seen]) if asked.fit == "tiles" else _commonest_side(seen)
    return asked._replace(resolution=asked.resolution or side, channels=asked.channels or _commonest_channels(seen))


def images_of(seen: Sequence[Seen], form: Form) -> int:
    """How many images pictures become."""
    return sum(count(picture.size, form.resolution) for picture in seen) if form.fit == "tiles" else len(seen)


def working_form(seen: Sequence[Seen], asked: Form) -> Form | None:
    """One that most pictures can be brought into, converted if need be; what `asked` leaves at 0 is a free choice."""
    resolution, fit = _working_fit([picture.size for picture in seen], asked)
    channels = asked.channels or _working_channels(seen)
    form = asked._replace(resolution=resolution, channels=channels, fit=fit, convert=True)
    floats = form._replace(depth="float", range=_working_range(seen, asked.range))
    return next((form for form in (form, floats) if usable(seen, form)), None)


def working_options(seen: Sequence[Seen], form: Form, batch: int, skip_bad: bool) -> dict[str, Any]:
    """The options of `Images` with which a training can start in a form."""
    pictures = usable(seen, form)
    convert = any(picture.against(form._replace(convert=False)) for picture in pictures)
    choices = {"fit": form.fit, "convert": convert, "depth": form.depth, "range": [*form.range], "skip_bad": skip_bad}
    choices |= {"batch": min(batch, images_of(pictures, form))}
    defaults = {"fit": "exact", "convert": False, "depth": 8, "range": [0.0, 1.0], "skip_bad": False, "batch": batch}
    needed = {key: value for key, value in choices.items() if value != defaults[key]}
    return {"resolution": form.resolution, "channels": form.channels, **needed}


def usable(seen: Sequence[Seen], form: Form) -> list[Seen]:
    return [picture for picture in seen if picture.against(form) is None]


def _working_fit(sizes: Sequence[tuple[int, int]], asked: Form) -> tuple[int, Fit]:
    """A resolution, unless it is given, that is a power of two as most networks take it, and the option that fits."""
    resolution = asked.resolution
    if asked.fit == "tiles":
        return resolution or _tile(sizes), "tiles"
    if any(width != height for width, height in sizes):
        return resolution or _power_below(median_low(min(size) for size in sizes)), "crop"
    sides = {side for side, _ in sizes}
    side = median_low(side for side, _ in sizes)
    if len(sides) == 1:
        below, above = _power_below(side), 2 * _power_below(side)
        resolution = resolution or (above if below < side and above - side <= above // 8 else below)
        if resolution == side:
            return resolution, "exact"
        if side < resolution <= side + resolution // 8:
            return resolution, "pad"
    return resolution or _power_below(side), "resize"


def _power_below(side: int) -> int:
    return 1 << max(0, side.bit_length() - 1)


def _commonest_side(seen: Sequence[Seen]) -> int:
    return Counter(max(picture.size) for picture in seen).most_common(1)[0][0]


def _tile(sizes: Sequence[tuple[int, int]]) -> int:
    return min(TILE, _power_below(median_low(min(size) for size in sizes)))


def _commonest_channels(seen: Sequence[Seen]) -> int:
    """Without alpha."""
    return Counter(picture.kind.channels - picture.kind.alpha for picture in seen).most_common(1)[0][0]


def _working_channels(seen: Sequence[Seen]) -> int:
    """RGB where some pictures are, and the others can become it."""
    found = {picture.kind.channels - picture.kind.alpha for picture in seen}
    return max(found) if found <= {1, 3} else _commonest_channels(seen)


def _working_range(seen: Sequence[Seen], range: Range) -> Range:
    """The range that is asked for, or one of all values."""
    depths = [picture.depth for picture in seen if picture.depth is not None]
    lowest = min((depth.lowest for depth in depths), default=0)
    highest = max((depth.highest for depth in depths), default=0)
    return range if range[0] <= lowest and highest <= range[1] else (float(min(lowest, 0)), float(highest))
