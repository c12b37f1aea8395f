"""The table of a report: one row a setting, with means over seeds, sorted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple, get_args

from ganlit.errors import UserError, printable
from ganlit.metrics.protocol import metric_of
from ganlit.records.settings import is_number
from ganlit.records.state import Standing
from ganlit.studies.report.numbers import Mean, Measures, best, last, mean, measures, ranked
from ganlit.studies.report.record import Run
from ganlit.studies.report.settings import Parameter, Setting, group, shown

# Names that columns have already, here and in the CSV file.
FIXED = ("n", "kimg", "length", "runs", "seed", "phase", "best", "last", "test", "hours", "run", "setting", "seconds")
FIXED += ("device_hours", "device", "processes", "starts", "updated", "reason")


class Column(NamedTuple):
    """Numbers of one protocol id: the best and the last of a validation, the test at the end."""

    title: str  # "fid2k test"
    name: str  # the id
    take: Callable[[Run], float]

    def of(self, runs: Sequence[Run]) -> Mean:
        return mean([self.take(run) for run in runs if run.counts and self.name in run.curves])


class Row(NamedTuple):
    """One setting."""

    number: int  # its place in the table
    setting: Setting
    means: tuple[Mean, ...]  # by column
    score: Mean  # by which it is ranked
    median: Run  # the run whose samples stand for it

    @property
    def counted(self) -> list[Run]:
        return [run for run in self.setting.runs if run.counts]

    @property
    def kimg(self) -> tuple[float, float]:
        """How far its runs are: the least and the most."""
        reached = [run.state.kimg for run in self.counted or self.setting.runs if run.state] or [0.0]
        return min(reached), max(reached)

    @property
    def hours(self) -> float:
        """Device-hours of all its runs, the failed ones too."""
        return sum(run.state.device_hours for run in self.setting.runs if run.state)

    @property
    def values(self) -> list[str]:
        return [shown(value) for value in self.setting.values]

    @property
    def repeated(self) -> dict[Any, int]:
        """Seeds that several of its runs have, with their number: copies, or runs of several places."""
        seeds = Counter(run.seed for run in self.counted)
        return {seed: count for seed, count in seeds.items() if count > 1}

    @property
    def phases(self) -> str:
        """ "2 done, 1 failed"."""
        return counted(self.setting.runs)


class Summary(NamedTuple):
    """All that tables, pictures and the page show."""

    folder: Path
    parameters: list[Parameter]
    columns: list[Column]
    rows: list[Row]
    measures: Measures
    ranking: Column | None  # by which settings are called better; None where nothing was measured
    damage: tuple[str, ...] = ()  # what could not be read, a line each

    @property
    def runs(self) -> list[Run]:
        return [run for row in self.rows for run in row.setting.runs]

    @property
    def name(self) -> str:
        return printable(self.folder.resolve().name)

    @property
    def hours_title(self) -> str:
        devices = {run.state.device.lower() == "cpu" for run in self.runs if run.state and run.state.seconds}
        return {frozenset({True}): "CPU-hours", frozenset({False}): "GPU-hours"}.get(frozenset(devices), "device-hours")

    def label(self, row: Row) -> str:
        """A setting in words: "lr 0.002, loss Hinge"."""
        pairs = zip(self.parameters, row.values, strict=True)
        return ", ".join(f"{parameter.title} {value}" for parameter, value in pairs) or self.name

    def titles(self) -> list[str]:
        names = [parameter.title for parameter in self.parameters]
        return ["#", *names, *(column.title for column in self.columns), "n", "kimg", self.hours_title, "runs"]

    def cells(self, row: Row) -> list[str]:
        """A row as text."""
        means = [self._mean(row, *pair) for pair in zip(self.columns, row.means, strict=True)]
        low, high = row.kimg
        reached = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        return [f"{row.number}", *row.values, *means, f"{row.score.count}", reached, f"{row.hours:.2f}", row.phases]

    def _mean(self, row: Row, column: Column, found: Mean) -> str:
        """The number of a setting; where it has been stopped early as a whole, what each run had reached by when."""
        reached = () if row.counted else (run for run in row.setting.runs if run.phase == "stopped early")
        early = [f"{column.take(run):.4g} at {run.state.kimg:g}" for run in reached if column.name in run.curves]
        if early:
            return f"{', '.join(early)} kimg"
        return f"{found} ({found.count})" if 0 < found.count != row.score.count else f"{found}"

    def keys(self, row: Row) -> list[float | str]:
        """What a row is sorted by, column by column."""
        values = [value if is_number(value) else shown(value) for value in row.setting.values]
        means = [each.value for each in row.means]
        return [row.number, *values, *means, row.score.count, row.kimg[1], row.hours, row.phases]

    def notes(self) -> list[str]:
        """What a reader must know to read the table."""
        settings = f"{len(self.rows)} setting{'s' * (len(self.rows) > 1)}"
        hours = f"{sum(row.hours for row in self.rows):.2f} {self.hours_title}"
        found = [f"{settings}; runs: {counted(self.runs)}; {hours} in all."]
        if self.ranking:
            found.append(f"Numbers are mean ± standard deviation (n - 1) over seeds; ranked by {self.ranking.title}.")
        if any(0 < each.count != row.score.count for row in self.rows for each in row.means):
            found.append("A number in brackets is n, where it is not that of the ranking.")
        if any(run.phase in ("failed", "diverged") for run in self.runs):
            found.append("Failed and diverged runs are counted, and not averaged.")
        if any(run.phase == "stopped early" for run in self.runs):
            found.append(
                "Runs that were stopped early are not averaged; of settings without others it is told at how many kimg."
            )
        if any(run.phase in ("running", "preempted") for run in self.runs):
            found.append("Runs that are not done are averaged as far as they are: see kimg.")
        if bare := sum(run.phase == "done" and not run.kept for run in self.runs):
            found.append(f"Without a checkpoint, {bare} of the runs say that they are done.")
        for row in self.rows:
            for seed, count in row.repeated.items():
                twice = f"Setting {row.number} has {count} runs of seed {seed}: each is averaged as another seed."
                found.append(printable(twice))
        if len(self.measures.ids) > 1:
            found.append("Numbers of different protocol ids are not comparable, so each has columns of its own.")
        return found

    def legend(self) -> list[tuple[str, str]]:
        """What columns call the ids."""
        return [(self.measures.title(name), self.measures.note(name)) for name in self.measures.ids]

    def reasons(self) -> list[str]:
        """Why runs failed, diverged or were stopped, and which alarms have not ended."""
        found = []
        for run in self.runs:
            who = f"{run.folder} (seed {run.seed}) {run.phase}"
            if run.phase in ("stopped early", "failed", "diverged", "preempted"):
                found.append(printable(f"{who}: {run.state.reason or 'no reason known'}"))
            elif run.state and run.state.reason:
                found.append(printable(f"{who} at {run.state.kimg:g} of {run.state.length:g} kimg: {run.state.reason}"))
            if run.state and run.state.alarms:
                found.append(printable(f"{who}, with alarms: {', '.join(run.state.alarms)}; see its alarms.txt"))
        return found


def summary(folder: Path, runs: Sequence[Run], metric: str | None = None, sort: str | None = None) -> Summary:
    """The settings, the best first.

    Args:
        folder: what is reported.
        runs: in it.
        metric: as for `measures`.
        sort: title of another column, or "best", "last", "test", "hours"; or a parameter.

    Raises:
        UserError: there is no such metric or column.
    """
    ids = measures(runs, metric)
    parameters, settings = group(runs, FIXED)
    columns = _columns(ids)
    ranking = _ranking(columns, settings)
    scores = [ranking.of(setting.runs) if ranking else mean([]) for setting in settings]
    order = ranked(ranking.name, [score.value for score in scores]) if ranking else [*range(len(settings))]
    rows = []
    for number, index in enumerate(order, 1):
        setting = settings[index]
        means = tuple(column.of(setting.runs) for column in columns)
        rows.append(Row(number, setting, means, scores[index], _median(setting, ranking)))
    found = Summary(folder, parameters, columns, rows, ids, ranking)
    return found._replace(rows=_sorted(found, sort)) if sort else found


def counted(runs: Sequence[Run]) -> str:
    """How many are done, running, ...: "5 done, 1 failed"."""
    phases = Counter(run.phase for run in runs)
    return ", ".join(f"{phases[phase]} {phase}" for phase in get_args(Standing) if phases[phase])


def _columns(ids: Measures) -> list[Column]:
    """Those of one metric stand together."""
    found = []
    for name in ids.closing:
        found.append(Column(f"{ids.title(name)} test", name, lambda run, name=name: last(run.curves[name])))
    for name in ids.curves:
        found.append(Column(f"{ids.title(name)} best", name, lambda run, name=name: best(name, run.curves[name])[1]))
        found.append(Column(f"{ids.title(name)} last", name, lambda run, name=name: last(run.curves[name])))
    return sorted(found, key=lambda column: ids.metrics.index(metric_of(column.name)))


def _ranking(columns: list[Column], settings: list[Setting]) -> Column | None:
    """The first column of the first metric in which most settings have a number: the test, or validation until then."""
    first = [column for column in columns if metric_of(column.name) == metric_of(columns[0].name)]
    counts = [sum(bool(column.of(setting.runs).count) for setting in settings) for column in first]
    return first[counts.index(max(counts))] if first else None


def _median(setting: Setting, ranking: Column | None) -> Run:
    scored = [run for run in setting.runs if ranking and run.counts and ranking.name in run.curves]
    if scored:
        return sorted(scored, key=ranking.take)[(len(scored) - 1) // 2]
    return next((run for run in setting.runs if run.samples), setting.runs[0])


def _sorted(found: Summary, sort: str) -> list[Row]:
    titles = found.titles()
    short = {title.rpartition(" ")[2]: index for index, title in reversed([*enumerate(titles)]) if title[-1] != ")"}
    places = {**short, "hours": titles.index(found.hours_title), **{title: i for i, title in enumerate(titles)}}
    if sort not in places:
        close = get_close_matches(sort, places, 1)
        advice = f"did you mean {close[0]}?" if close else f"there are {', '.join(titles)}."
        raise UserError(f"--sort {sort}: the table has no such column; {advice}")
    index = places[sort]
    of_measures = index - 1 - len(found.parameters)
    if 0 <= of_measures < len(found.columns):
        values = [row.means[of_measures].value for row in found.rows]
        return [found.rows[i] for i in ranked(found.columns[of_measures].name, values)]
    return sorted(found.rows, key=lambda row: _order(found.keys(row)[index]))


def _order(value: Any) -> tuple[bool, float, str]:
    return (False, value, "") if is_number(value) else (True, 0.0, str(value))
