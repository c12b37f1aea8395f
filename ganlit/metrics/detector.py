"""When signals mean that a training is ill: which illness, since when, why, and what may be changed.

All is a pure function of a table with a row for each validation, its kimg, signals under their prefix and its score by
its id: of a run that goes on, or of the metrics.csv of one that has ended. How often it is right, on runs by which no
bound was chosen, is in experiments/0016-does-the-detector-tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from ganlit.metrics.protocol import title
from ganlit.metrics.signals import PREFIX
from ganlit.metrics.trend import best_of, last_better, spread, turns, worse

Row = dict[str, float]
Test = Callable[[float], bool]

EARLY = 3
"""Rows in which a generator has learnt too little to have lost anything."""


class Illness(NamedTuple):
    """What an alarm is about, in words."""

    cause: str  # the probable one
    change: str  # settings that may be changed


ILLNESSES = {
    "collapse": Illness(
        "the generator makes few things, or one, whatever it is given",
        "give the discriminator R1 or a larger weight of it, let it see packs of items (Packed), or lower the "
        "learning rates",
    ),
    "won": Illness(
        "the discriminator is never wrong, and what it tells the generator leads nowhere",
        "give the discriminator R1 or a larger weight of it, lower its learning rate, or augment what it sees (ADA)",
    ),
    "overfits": Illness(
        "the discriminator knows the items that it is trained on by heart",
        "augment what it sees (ADA), give it R1 or a larger weight of it, or train on more items",
    ),
    "divergence": Illness(
        "the game has lost its balance, and what was learnt is going",
        "lower the learning rates, or give the discriminator R1 or a larger weight of it, from the best checkpoint on",
    ),
    "stagnation": Illness(
        "the generator stands still, though the discriminator tells its items apart",
        "raise the generator's learning rate, or take a loss that does not saturate",
    ),
    "oscillation": Illness(
        "the players chase one another, and what is gained is lost again",
        "lower the learning rates, lower beta 1 of Adam to 0, or let the average of the generator have a longer "
        "half-life",
    ),
}
"""By the name of the alarm."""


class Alarm(NamedTuple):
    """An illness that a table shows in its last row."""

    name: str  # of ILLNESSES
    signal: str  # that shows it
    value: float
    shows: str  # in words, with the bound
    since: float  # kimg

    def __str__(self) -> str:
        illness = ILLNESSES[self.name]
        signal = self.signal if self.signal == "score" else f"{PREFIX}{self.signal}"
        return f"{self.shows} ({signal}), since {self.since:.1f} kimg: {illness.cause}; {illness.change}"


def detect(rows: Sequence[Row]) -> list[Alarm]:
    """The alarms of a table, one at most of each name, for its last row."""
    found: dict[str, Alarm] = {}
    for rule in RULES:
        if (alarm := rule(rows)) is not None:
            found.setdefault(alarm.name, alarm)
    return list(found.values())


class Event(NamedTuple):
    """An alarm that began, or, without one, the end of the alarm of a name."""

    kimg: float
    name: str
    alarm: Alarm | None


def replay(rows: Sequence[Row]) -> list[Event]:
    """What would have been told during a training, of its whole table."""
    events: list[Event] = []
    ringing: set[str] = set()
    for end in range(1, len(rows) + 1):
        found = {alarm.name: alarm for alarm in detect(rows[:end])}
        kimg = rows[end - 1]["kimg"]
        events += [Event(kimg, name, None) for name in sorted(ringing - found.keys())]
        events += [Event(kimg, name, alarm) for name, alarm in found.items() if name not in ringing]
        ringing = set(found)
    return events


def score_of(rows: Sequence[Row]) -> tuple[str, list[tuple[float, float]]] | None:
    """The id of the latest score in a table, and kimg and value wherever it was measured; None without any."""
    name = next((key for row in reversed([*rows]) for key in row if key != "kimg" and not key.startswith(PREFIX)), None)
    return None if name is None else (name, [(row["kimg"], row[name]) for row in rows if name in row])


def held(rows: Sequence[Row], signal: str, test: Test, least: int) -> tuple[float, float] | None:
    """The latest value of a signal and since which kimg all have passed a test; None unless so many have, or more."""
    values = [(row["kimg"], row[f"{PREFIX}{signal}"]) for row in rows if f"{PREFIX}{signal}" in row]
    passed = 0
    while passed < len(values) and test(values[-1 - passed][1]):
        passed += 1
    current = bool(rows) and f"{PREFIX}{signal}" in rows[-1]
    return (values[-1][1], values[-passed][0]) if current and passed >= least else None


def highest(rows: Sequence[Row], signal: str) -> float:
    """The largest value of a signal so far; 0 without any."""
    return max((row.get(f"{PREFIX}{signal}", 0.0) for row in rows), default=0.0)


def one_thing(rows: Sequence[Row]) -> Alarm | None:
    """Outputs are alike that were not before, or that should no longer be."""
    found = held(rows, "variety", lambda value: value < 0.1, 1)
    if found is None or (highest(rows, "variety") < 0.3 and len(rows) <= 2 * EARLY):
        return None
    return Alarm(
        "collapse", "variety", *shown("outputs differ from one another by {:.3g} of what real items do", found)
    )


def few_things(rows: Sequence[Row]) -> Alarm | None:
    """Most of what was made before is made no more, or there was never much."""
    most = highest(rows, "reached")
    bound = max(most / 4, LITTLE if len(rows) > 2 * EARLY else 0.0)
    found = held(rows, "reached", lambda value: value < bound, 2) if len(rows) > EARLY else None
    says = f"{{:.1%}} of real items are the nearest of some output, below {bound:.1%}, and {most:.1%} were"
    return found and Alarm("collapse", "reached", *shown(says, found))


def twins(rows: Sequence[Row]) -> Alarm | None:
    found = held(rows, "duplicates", lambda value: value > 0.5, 2) if len(rows) > EARLY else None
    return found and Alarm("collapse", "duplicates", *shown("{:.0%} of outputs have a twin, above 50 %", found))


def won(rows: Sequence[Row]) -> Alarm | None:
    """Real and generated logits lie apart, and nothing has become better meanwhile.

    Of a discriminator that knows its items by heart that is so anyway, and another alarm.
    """
    found = held(rows, "overlap", lambda value: value < 0.02, 3)
    if found is None or improved_since(rows, rows[-3]["kimg"]) or overfits(rows) is not None:
        return None
    says = "logits of real and generated items overlap by {:.2g}, below 0.02, and nothing becomes better"
    return Alarm("won", "overlap", *shown(says, found))


def overfits(rows: Sequence[Row]) -> Alarm | None:
    """Learnt items seem more real than others, and nothing has become better meanwhile: until then it does no harm."""
    found = held(rows, "overfit", lambda value: value > 0.5, 3)
    if found is None or improved_since(rows, rows[-3]["kimg"]):
        return None
    says = (
        "items that are trained on seem more real than held-out ones by {:.2g}, above 0.5, and nothing becomes better"
    )
    return Alarm("overfits", "overfit", *shown(says, found))


def broken(rows: Sequence[Row]) -> Alarm | None:
    found = held(rows, "skipped", lambda value: value > 0.1, 1)
    return found and Alarm("divergence", "skipped", *shown("{:.0%} of steps are not taken, above 10 %", found))


def astray(rows: Sequence[Row]) -> Alarm | None:
    """Items are of another size than real ones, or elsewhere."""
    if len(rows) <= EARLY:
        return None
    for signal, test, says in (
        ("energy", lambda value: not 0.2 < value < 5, "outputs have {:.3g} times the size of real items"),
        ("mean", lambda value: value > 2, "the mean of outputs is {:.3g} spreads of real items away from theirs"),
    ):
        if (found := held(rows, signal, test, 2)) is not None:
            return Alarm("divergence", signal, *shown(says, found))
    return None


def ruined(rows: Sequence[Row]) -> Alarm | None:
    """The score has lost what it had, twice, and by far more than its noise."""
    scored = score_of(rows)
    if scored is None or len(scored[1]) <= EARLY or scored[0] not in rows[-1]:
        return None
    name, points = scored
    values = [value for _, value in points]
    place = best_of(name, values)
    best, noise = values[place], spread(values[: place + 1]) or 0.0
    limit = max(abs(best) / (1 if worse(name, 1.0, 0.0) > 0 else 2), 6 * noise)
    lost = [worse(name, value, best) > limit for value in values]
    if best == 0 or not all(lost[-2:]):
        return None
    first = max((index for index, each in enumerate(lost) if not each), default=-1) + 1
    says = f"{title(name)} is {values[-1]:.4g}, and was {best:.4g} at {points[place][0]:.1f} kimg"
    return Alarm("divergence", "score", values[-1], says, points[first][0])


def sunk(rows: Sequence[Row]) -> Alarm | None:
    """The level of the score has sunk: a fall among swings that `ruined` takes for noise, as in numbers of modes."""
    name, points = score_of(rows) or ("", [])
    if len(points) <= EARLY or name not in rows[-1] or min(value for _, value in points) < 0:
        return None
    values = [value for _, value in points]
    falls = worse(name, 1.0, 0.0) > 0
    place = sunk_since([1 / max(value, TINY) if falls else value for value in values], 3)
    says = f"{title(name)} is {values[-1]:.4g}, and has for long been better than that by three tenths"
    return None if place is None else Alarm("divergence", "score", values[-1], says, points[place][0])


def sunk_since(values: Sequence[float], over: int) -> int | None:
    """Since which place the level of numbers is below seven tenths of its best; None unless it is so twice.

    Args:
        values: of which more is better.
        over: of so many successive ones the median is the level.
    """
    levels = [median(values[end - over : end]) for end in range(over, len(values) + 1)]
    low = [level < KEPT * max(levels) for level in levels]
    if not all(low[-2:]) or not levels:
        return None
    return max(place for place, each in enumerate(low) if not each) + over


def still(rows: Sequence[Row]) -> Alarm | None:
    found = held(rows, "moved", lambda value: value < 1e-5, 3)
    apart = held(rows, "overlap", lambda value: value < 0.5, 3)
    says = "the generator goes {:.2g} of its length in a half-life, below 1e-05"
    return Alarm("stagnation", "moved", *shown(says, found)) if found and apart else None


def to_and_fro(rows: Sequence[Row]) -> Alarm | None:
    """The score swings by half of itself, or outputs by a quarter of the variety of real items, again and again."""
    scored = score_of(rows)
    points = scored[1][-WINDOW:] if scored and scored[0] in rows[-1] else []
    if len(points) == WINDOW:
        values = [value for _, value in points]
        usual = sorted(map(abs, values))[WINDOW // 2]
        if usual and (count := turns(values, usual / 2)) >= 4:
            says = f"{title(scored[0])} has turned {count} times in {WINDOW} validations, by half of itself"
            return Alarm("oscillation", "score", values[-1], says, points[0][0])
    varieties = [(row["kimg"], row[f"{PREFIX}variety"]) for row in rows[-WINDOW:] if f"{PREFIX}variety" in row]
    count = turns([value for _, value in varieties], 0.25)
    says = f"the variety of outputs has turned {count} times in {WINDOW} validations, by 0.25 or more"
    swings = len(varieties) == WINDOW and count >= 4
    return Alarm("oscillation", "variety", varieties[-1][1], says, varieties[0][0]) if swings else None


KEPT = 0.7
"""Share of the best level below which much is lost."""

TINY = 1e-9

LITTLE = 0.1
"""Share of real items reached that is never much: of one mode of eight 0.08, of all that there is 0.63."""

WINDOW = 10
"""Validations in which swings are counted."""

RULES: tuple[Callable[[Sequence[Row]], Alarm | None], ...] = (
    one_thing,
    few_things,
    twins,
    won,
    overfits,
    broken,
    astray,
    ruined,
    sunk,
    still,
    to_and_fro,
)


def improved_since(rows: Sequence[Row], kimg: float) -> bool:
    """Whether the score, or without one the share of real items reached, was best from a clock on."""
    name, points = score_of(rows) or ("", [])
    values = [value for _, value in points]
    if len(values) > 1:
        return points[last_better(name, values)][0] >= kimg
    return max(rows, key=lambda row: row.get(f"{PREFIX}reached", -math.inf))["kimg"] >= kimg


def shown(says: str, found: tuple[float, float]) -> tuple[float, str, float]:
    """Value, words with it, and kimg, as an alarm has them."""
    return found[0], says.format(found[0]), found[1]
