"""How often the detector is right: reads run directories, asks the truth how they went, and replays the alarms.

    python experiments/0016-does-the-detector-tell/rates.py runs [--without-score] [--to results.csv]

It prints the tables of README.md. A hit is an alarm that rings at the onset, or begins from two validations before it
on. An alarm in a run that is well is a false one, and so is one in a run that is ill that was over by then.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import yaml
from copies import copied
from trials import kept_away
from truth import STREWN, Verdict, measured, verdict

from ganlit.metrics.detector import ILLNESSES, Event, replay
from ganlit.metrics.signals import PREFIX
from ganlit.studies.diagnosis.table import read

AHEAD = 2  # validations before an onset from which on an alarm is about it


class Ring(NamedTuple):
    """An alarm from its beginning to its end."""

    name: str
    signal: str
    kimg: float
    over: float  # kimg; inf where it rings at the end


class Judged(NamedTuple):
    """A run, what the truth says of it, and what was told."""

    name: str
    half: str  # bounds, or away
    end: float  # kimg
    truth: Verdict
    rings: tuple[Ring, ...]
    hits: tuple[Ring, ...]  # of them, those that are about the illness
    false: tuple[Ring, ...]  # those that are about nothing

    @property
    def first(self) -> Ring | None:
        return min(self.hits, key=lambda ring: ring.kimg, default=None)


def rings(events: Iterable[Event]) -> list[Ring]:
    """Alarms with their ends."""
    found: list[Ring] = []
    for event in events:
        if event.alarm is not None:
            found.append(Ring(event.name, event.alarm.signal, event.kimg, math.inf))
            continue
        place = next(place for place in reversed(range(len(found))) if found[place].name == event.name)
        found[place] = found[place]._replace(over=event.kimg)
    return found


def parted(truth: Verdict, told: Sequence[Ring], ahead: float) -> tuple[tuple[Ring, ...], tuple[Ring, ...]]:
    """Alarms that are about an illness, and those that are about nothing.

    Args:
        truth: about the run.
        told: the alarms.
        ahead: kimg before the onset from which on one may begin.
    """
    if truth.label == "doubt":
        return (), ()
    if truth.label == "well":
        return (), tuple(told)
    about = [ring.kimg >= truth.onset - ahead or ring.over > truth.onset for ring in told]
    pairs = list(zip(told, about, strict=True))
    return tuple(ring for ring, is_so in pairs if is_so), tuple(ring for ring, is_so in pairs if not is_so)


def wilson(hits: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of 95 % for a share (Wilson 1927, doi 10.1080/01621459.1927.10502953)."""
    if not count:
        return 0.0, 1.0
    share, shrunk = hits / count, 1 + z * z / count
    middle = (share + z * z / (2 * count)) / shrunk
    half = z / shrunk * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def judged(run: Path, died: bool, with_score: bool) -> Judged:
    """What became of one run directory."""
    base, trial = run.name.split("-", 1)
    trial = trial.rpartition("-")[0]
    config = yaml.safe_load((run / "config.yaml").read_text())
    end, tick = config["kimg"], config["data"]["init_args"]["tick"]
    seen = measured(run / "metrics.csv")
    if base not in STREWN:
        shares = copied(run, Path(config["data"]["init_args"]["source"]), Path(config["data"]["init_args"]["held_out"]))
        near = {each.kimg: min(shares, key=lambda kimg, at=each.kimg: abs(kimg - at)) for each in seen}
        seen = [each._replace(copied=shares[near[each.kimg]]) for each in seen]
    truth = verdict(base, seen, end, died)
    rows = read(run / "metrics.csv").rows
    if not with_score:
        rows = [{key: row[key] for key in row if key == "kimg" or key.startswith(PREFIX)} for row in rows]
    told = rings(replay(rows))
    half = "away" if kept_away(base, trial) else "bounds"
    return Judged(run.name, half, end, truth, tuple(told), *parted(truth, told, AHEAD * tick * 1.01))


def share(hits: int, count: int) -> str:
    low, high = wilson(hits, count)
    return f"{hits} of {count} ({100 * low:.0f} to {100 * high:.0f} %)" if count else "none"


def headline(runs: Sequence[Judged]) -> list[str]:
    """Cells: hits, runs with a false alarm, false alarms in a healthy run, delay, saved."""
    ill, well = ([run for run in runs if run.truth.label == label] for label in ("ill", "well"))
    found = [run for run in ill if run.hits]
    delays = [run.first.kimg - run.truth.onset for run in found if run.first]
    shares = [100 * delay / run.end for delay, run in zip(delays, found, strict=True)]
    saved = [100 * (1 - run.first.kimg / run.end) for run in found if run.first]
    doubt = [run for run in runs if run.truth.label == "doubt"]
    return [
        share(len(found), len(ill)),
        share(sum(bool(run.false) for run in well), len(well)),
        f"{sum(len(run.false) for run in well) / len(well):.2f}" if well else "-",
        f"{sum(bool(run.false) for run in ill)}",
        f"{median(delays):+.1f} ({median(shares):+.0f} %)" if delays else "-",
        f"{median(saved):.0f} %" if saved else "-",
        f"{sum(bool(run.rings) for run in doubt)} of {len(doubt)}",
    ]


def by_alarm(runs: Sequence[Judged], name: str) -> list[str]:
    """Cells: in how many of the ill, the well and those in doubt an alarm rang, and what was wrong there."""
    cells = []
    for label in ("ill", "well", "doubt"):
        some = [run for run in runs if run.truth.label == label]
        rung = [run for run in some if any(ring.name == name for ring in (run.hits if label == "ill" else run.rings))]
        cells.append(share(len(rung), len(some)))
        if label == "ill":
            kinds = [kind for run in rung for kind in run.truth.kinds]
            counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
            alone = sum(len({ring.name for ring in run.hits}) == 1 for run in rung)
    return [*cells, str(alone), ", ".join(f"{kind} {count}" for kind, count in counts.items()) or "-"]


def tables(runs: Sequence[Judged]) -> None:
    print(
        "| half | ill runs told | well runs with a false alarm | false alarms a well run | ill runs that also had a "
        "false one before | median kimg from onset to alarm (of the run) | of the run saved | told of those in doubt |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for half in ("bounds", "away", "both"):
        some = [run for run in runs if half in (run.half, "both")]
        print(f"| {half} | {' | '.join(headline(some))} |")
    for half in ("away", "both"):
        some = [run for run in runs if half in (run.half, "both")]
        print(f"\n| alarm, {half} | in ill runs | in well runs | in doubt | alone | what was wrong there |")
        print("|---|---|---|---|---|---|")
        for name in ILLNESSES:
            print(f"| {name} | {' | '.join(by_alarm(some, name))} |")


def write(runs: Sequence[Judged], path: Path) -> None:
    """A line for each run."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["run", "half", "kimg", "truth", "onset", "wrong", "alarms", "hit", "false"])
        for run in runs:
            onset = "" if math.isnan(run.truth.onset) else f"{run.truth.onset:g}"
            told = " ".join(f"{ring.name}:{ring.signal}@{ring.kimg:g}" for ring in run.rings)
            first = f"{run.first.kimg:g}" if run.first else ""
            kinds = " ".join(run.truth.kinds)
            rows.writerow([run.name, run.half, run.end, run.truth.label, onset, kinds, told, first, len(run.false)])


def rates(folder: Path, done: Path, with_score: bool, to: Path | None) -> None:
    with done.open() as file:
        codes = {name: int(code) for name, code, _ in csv.reader(file)}
    there = [folder / name for name in sorted(codes) if (folder / name / "metrics.csv").is_file()]
    runs = [judged(run, codes[run.name] != 0, with_score) for run in there]
    tables(runs)
    if to is not None:
        write(runs, to)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--done", type=Path, default=Path("done.csv"))
    parser.add_argument("--without-score", action="store_true")
    parser.add_argument("--to", type=Path)
    given = parser.parse_args()
    rates(given.folder, given.done, not given.without_score, given.to)
