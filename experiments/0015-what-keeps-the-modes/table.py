"""The table of README.md, from results.csv: mean ± standard deviation over seeds.

python experiments/0015-what-keeps-the-modes/table.py
"""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import mean, stdev

MEASURES = {"modes": "{:.1f}", "quality": "{:.1f}", "rkl": "{:.2f}"}
Row = dict[str, str]


def told(rows: list[Row], measure: str) -> str:
    """Of the trials of one kind that have a number."""
    values = [float(row[measure]) for row in rows if row[measure] != "nan"]
    if not values:
        return "-"
    form = MEASURES[measure]
    return form.format(mean(values)) + (f" ± {form.format(stdev(values))}" if len(values) > 1 else "")


def table() -> None:
    with (Path(__file__).parent / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    print("| loss | regularizer | ring: modes of 8 | near one, % | KL | grid: modes of 25 | near one, % | KL | seeds |")
    print("|---|---|---|---|---|---|---|---|---|")
    for loss, how in dict.fromkeys((row["loss"], row["regularizer"]) for row in rows):
        cells, counts = [], []
        for mixture in ("ring", "grid"):
            some = [row for row in rows if (row["mixture"], row["loss"], row["regularizer"]) == (mixture, loss, how)]
            cells += [told(some, measure) for measure in MEASURES]
            counts.append(str(len(some)))
        print(f"| {loss} | {how} | {' | '.join(cells)} | {'+'.join(counts)} |")


if __name__ == "__main__":
    table()
