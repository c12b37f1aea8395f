"""The plane as a picture and as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from ganlit.errors import printable
from ganlit.studies.report.escaping import table_cell
from ganlit.studies.report.numbers import mean
from ganlit.studies.report.plots import COLOURS, DASHES, SMALL, wrapped
from ganlit.studies.tradeoff.verdict import Arm, Axis


def picture(arms: Sequence[Arm], quality: Axis, variety: Axis, real: tuple[float, float] | None, note: str) -> Figure:
    """A line of temperatures for every arm, with the standard deviations of its seeds; the better corner is told.

    Args:
        arms: of runs.
        quality: the number that goes up.
        variety: the number that goes along.
        real: both numbers of real items, where they are known.
        note: what is behind the numbers.
    """
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots()
    for place, arm in enumerate(arms):
        colour, dash = COLOURS[place % len(COLOURS)], DASHES[place // len(COLOURS) % len(DASHES)]
        across, up = ([mean([*column]) for column in values.T] for values in (arm.variety, arm.quality))
        axes.errorbar(
            [each.value for each in across],
            [each.value for each in up],
            [each.spread or 0.0 for each in up],
            [each.spread or 0.0 for each in across],
            color=colour,
            linestyle=dash,
            marker="o",
            markersize=4,
            capsize=2,
            label=wrapped(arm.name),
        )
        for temperature, x, y in zip(arm.temperatures, across, up, strict=True):
            above = 6 if place % 2 else -12
            axes.annotate(
                f"{temperature:g}", (x.value, y.value), (4, above), textcoords="offset points", color=colour, fontsize=8
            )
    if real is not None:
        axes.plot(real[1], real[0], "k*", markersize=11, label="real, that were trained on")
    words = [f"{axis.title}, {axis.better} is better" for axis in (variety, quality)]
    axes.set(xlabel=words[0], ylabel=words[1])
    axes.set_title(printable(note), fontsize="small", loc="left", parse_math=False)
    axes.grid(alpha=0.25, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(**SMALL)
    return figure


def table(
    arms: Sequence[Arm], rows: Sequence[Mapping[str, Sequence[Sequence[float]]]], real: Mapping[str, float] | None
) -> str:
    """Every arm at every temperature in Markdown, mean and standard deviation over seeds.

    Args:
        arms: of runs.
        rows: of each arm, the numbers [S][T] of each metric.
        real: those of real items, where they are known.
    """
    titles = [*rows[0]]
    heads = [*map(table_cell, titles)]
    lines = [f"| setting | temperature | {' | '.join(heads)} | runs |", "|---" * (len(titles) + 3) + "|"]
    for arm, numbers in zip(arms, rows, strict=True):
        for place, temperature in enumerate(arm.temperatures):
            means = [f"{mean([row[place] for row in numbers[title]])}" for title in titles]
            cells = [table_cell(arm.name), f"{temperature:g}", *means, f"{len(arm.quality)}"]
            lines.append(f"| {' | '.join(cells)} |")
    if real is not None:
        lines.append(f"| real, that were trained on | | {' | '.join(f'{real[title]:.4g}' for title in titles)} | |")
    return "\n".join(lines)
