"""Pictures of a report: curves with seed bands, and what each parameter does."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from ganlit.errors import printable
from ganlit.metrics.protocol import metric_of
from ganlit.records.settings import is_number
from ganlit.studies.report.numbers import band, correlation_ratio, spearman
from ganlit.studies.report.settings import MISSING, shown
from ganlit.studies.report.summary import Row, Summary

# Okabe and Ito's colours, which the colour-blind tell apart too; each line has a dash of its own besides.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (4, 1.5, 1, 1.5)), (0, (8, 2)))
REST = "#b8b8b8"
SETTINGS = 8  # from here on it is worth asking what each parameter does


def curves(found: Summary) -> Figure | None:
    """The metric over kimg, a panel for each protocol id; the best settings in colour, the others behind, in grey."""
    names = found.measures.curves
    if not names:
        return None
    rows = sorted(found.rows)
    figure = Figure(figsize=(10, 1.2 + 4.2 * len(names)), layout="constrained")
    for axes, name in zip(figure.subplots(len(names), 1, squeeze=False)[:, 0], names, strict=True):
        shown_rows = [row for row in rows if any(name in run.curves for run in row.counted)]
        for row in reversed(shown_rows):
            _line(axes, found, row, name, shown_rows.index(row))
        _decorate(axes, name, found.measures.title(name))
        handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        wanted = sorted((label for label in handles), key=lambda label: (label[0] == "o", _leading(label)))
        axes.legend([handles[label] for label in wanted], wanted, loc="upper left", bbox_to_anchor=(1, 1), **SMALL)
    return figure


SMALL: dict[str, Any] = {"fontsize": "small", "frameon": False}


def _leading(label: str) -> int:
    return int(label.split()[0]) if label.split()[0].isdigit() else 0


def _line(axes: Axes, found: Summary, row: Row, name: str, place: int) -> None:
    runs = [run for run in row.counted if name in run.curves]
    points = band([run.curves[name] for run in runs])
    if place >= len(COLOURS):
        axes.plot(points.kimg, points.mean, color=REST, lw=0.9, zorder=1, label="other settings")
        return
    colour = COLOURS[place]
    label = wrapped(f"{row.number}  {found.label(row)}")
    axes.fill_between(points.kimg, *_around(points.mean, points.spread), color=colour, alpha=0.15, lw=0)
    axes.plot(points.kimg, points.mean, color=colour, linestyle=DASHES[place], lw=1.8, zorder=3, label=label)
    axes.plot(points.kimg[-1], points.mean[-1], "o", color=colour, markersize=4, zorder=3)


def _around(mean: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The band's edges; one below zero would drag a logarithmic axis down."""
    return np.where(mean > 0, np.maximum(mean - spread, mean / 10), mean - spread), mean + spread


def _decorate(axes: Axes, name: str, short: str) -> None:
    axes.set(xlabel="kimg", ylabel=short, xmargin=0.02)
    axes.set_title(
        f"{printable(name)}\nmean over seeds, band ± standard deviation", fontsize="small", loc="left", parse_math=False
    )
    if "fid" in metric_of(name):
        _logarithmic(axes)
    axes.grid(alpha=0.25, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def _logarithmic(axes: Axes) -> None:
    if not math.isfinite(axes.dataLim.minposy):  # nothing that has a logarithm
        return
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low > 4 else range(1, 10)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def worth_asking(found: Summary) -> bool:
    """Whether enough settings vary in enough parameters to ask what each of them does."""
    scored = [row for row in found.rows if row.score.count]
    return len(scored) >= SETTINGS and len(found.parameters) >= 2


def importance(found: Summary) -> Figure:
    """The score against each parameter, the most telling first, and how strongly its ranks go along."""
    rows = [row for row in sorted(found.rows) if row.score.count]
    scores = [row.score.value for row in rows]
    columns = [[row.setting.values[index] for row in rows] for index in range(len(found.parameters))]
    strengths = [strength(column, scores) for column in columns]
    order = sorted(range(len(columns)), key=lambda index: -abs(strengths[index]))
    order = [index for index in order if len({shown(value) for value in columns[index]}) > 1][:11]
    across = min(len(order) + 1, 3)
    down = math.ceil((len(order) + 1) / across)
    figure = Figure(figsize=(3.6 * across, 3.1 * down + 0.4), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    names = [found.parameters[index].title for index in order]
    _bars(panels[0], names, [strengths[index] for index in order], [numeric(columns[index]) for index in order])
    panels[0].set_title(f"rank correlation with the score, n = {len(rows)}", fontsize="small")
    for axes, index in zip(panels[1:], order, strict=False):
        _scatter(axes, columns[index], scores, found.parameters[index].title)
        axes.set_ylabel(found.ranking.title)
        if "fid" in metric_of(found.ranking.name):
            _logarithmic(axes)
    for axes in panels[len(order) + 1 :]:
        axes.axis("off")
    figure.suptitle(
        f"{printable(found.ranking.name)}, a point for each setting: mean over its seeds",
        fontsize="small",
        parse_math=False,
    )
    return figure


def strength(column: Sequence[Any], scores: Sequence[float]) -> float:
    """Spearman's correlation of a parameter with numbers, the correlation ratio of ranks of one with names."""
    if numeric(column):
        return spearman(column, scores)
    return correlation_ratio([shown(value) for value in column], scores)


def numeric(column: Sequence[Any]) -> bool:
    return all(map(is_number, column))


def _bars(axes: Axes, names: list[str], strengths: list[float], signed: list[bool]) -> None:
    places = range(len(names))[::-1]
    axes.barh(places, [abs(each) for each in strengths], 0.6, color=COLOURS[0])
    for place, each, sign in zip(places, strengths, signed, strict=True):
        axes.text(abs(each) + 0.02, place, f"ρ {each:+.2f}" if sign else f"η {each:.2f}", va="center", fontsize="small")  # noqa: RUF001
    axes.set_yticks(places, [wrapped(name, 22) for name in names], fontsize="small")
    axes.set(xlim=(0, 1.35), xticks=(0, 0.5, 1))
    axes.spines[["top", "right"]].set_visible(False)


def _scatter(axes: Axes, column: Sequence[Any], scores: Sequence[float], title: str) -> None:
    if numeric(column):
        places = [*map(float, column)]
        if min(places) > 0 and max(places) / min(places) >= 10:
            axes.set_xscale("log")
        if len(distinct := sorted(set(column))) <= 5:
            axes.set_xticks([*map(float, distinct)], [wrapped(shown(value), 14) for value in distinct])
            axes.xaxis.set_minor_locator(NullLocator())
    else:
        labels = sorted({shown(value) for value in column}, key=lambda label: (label == MISSING, label))
        places = [labels.index(shown(value)) for value in column]
        axes.set_xticks(range(len(labels)), [wrapped(label, 14) for label in labels], fontsize="small")
        axes.set_xlim(-0.5, len(labels) - 0.5)
    axes.plot(places, scores, "o", color=COLOURS[0], alpha=0.75, markersize=5, markeredgecolor="white")
    axes.set_xlabel(title, fontsize="small", parse_math=False)
    axes.grid(alpha=0.25, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def wrapped(text: str, most: int = 46) -> str:
    """Broken where it may be, and cut after three lines."""
    lines = [""]
    for word in re.split(r"(?<=[ _])|(?<=\.)(?=[a-zA-Z])", text):  # not within a number
        if len(lines[-1] + word) > most and lines[-1]:
            lines.append("")
        lines[-1] += word if len(word) <= 2 * most else f"{word[: 2 * most]}…"
    kept = lines[:3] + ["…"] * (len(lines) > 3)
    return "\n".join(line.rstrip() for line in kept).replace("$", r"\$")  # no formula
