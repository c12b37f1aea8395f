"""The curves of one run, with its alarms over them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ganlit.errors import printable
from ganlit.metrics.detector import Event, score_of
from ganlit.metrics.protocol import title
from ganlit.studies.diagnosis.table import Table

ACROSS = 3
BLUE, RED = "#0072B2", "#D55E00"

Points = list[tuple[float, float]]


def curves(name: str, table: Table, events: Sequence[Event]) -> Figure | None:
    """Score, losses and signals over kimg, a panel each; red where an alarm about it lasted, or its beginning."""
    panels: dict[str, Points] = {}
    if (scored := score_of(table.rows)) is not None:
        panels[title(scored[0])] = scored[1]
    panels |= {name: points for name, points in table.losses.items() if points}
    panels |= {signal: table.curve(signal) for signal in table.signals}
    if not panels:
        return None
    down = math.ceil(len(panels) / ACROSS)
    figure = Figure(figsize=(3.6 * ACROSS, 2.1 * down + 0.5), layout="constrained")
    spaces = figure.subplots(down, ACROSS, squeeze=False).ravel()
    for axes, (label, points) in zip(spaces, panels.items(), strict=False):
        axes.plot(*zip(*points, strict=True), color=BLUE, lw=1.2, marker="." if len(points) < 40 else None)
        axes.set_title(printable(label), fontsize="small", loc="left", parse_math=False)
        axes.tick_params(labelsize="x-small")
        axes.grid(alpha=0.25, lw=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        _mark(axes, label, events, table.rows[-1]["kimg"] if table.rows else points[-1][0], scored and title(scored[0]))
    for axes in spaces[len(panels) :]:
        axes.axis("off")
    figure.suptitle(f"{printable(name)}: over kimg", fontsize="small", parse_math=False)
    return figure


def _mark(axes: Axes, label: str, events: Sequence[Event], end: float, score: str | None) -> None:
    for index, event in enumerate(events):
        if event.alarm is None or label != (score if event.alarm.signal == "score" else event.alarm.signal):
            continue
        over = (other.kimg for other in events[index + 1 :] if other.name == event.name and other.alarm is None)
        axes.axvspan(event.alarm.since, max(next(over, end), event.kimg), color=RED, alpha=0.15, lw=0)
        axes.axvline(event.kimg, color=RED, lw=0.9)
        axes.annotate(
            event.name, (event.kimg, 1), xycoords=("data", "axes fraction"), fontsize="x-small", color=RED, va="top"
        )
