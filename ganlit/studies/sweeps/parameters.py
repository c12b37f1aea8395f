"""What one parameter of a sweep may be, with the names and the meaning that W&B gives to distributions."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from ganlit.errors import UserError

if TYPE_CHECKING:
    import numpy as np

BOUNDS = ("min", "max")
MOMENTS = ("mu", "sigma")


class Distribution(NamedTuple):
    """How a value is drawn.

    Args:
        takes: the two numbers that describe it.
        draw: a value, by a generator and these two.
        rounds: whether the value is a multiple of `q`.
        defaults: of the two.
    """

    takes: tuple[str, str]
    draw: Callable[[np.random.Generator, float, float], float]
    rounds: bool = False
    defaults: Mapping[str, float] = {}


def uniform(random: np.random.Generator, low: float, high: float) -> float:
    return float(random.uniform(low, high))


def log_uniform(random: np.random.Generator, low: float, high: float) -> float:
    return math.exp(random.uniform(math.log(low), math.log(high)))


def normal(random: np.random.Generator, mu: float, sigma: float) -> float:
    return float(random.normal(mu, sigma))


STANDARD = {"mu": 0.0, "sigma": 1.0}

DISTRIBUTIONS = {
    "uniform": Distribution(BOUNDS, uniform),
    "q_uniform": Distribution(BOUNDS, uniform, rounds=True),
    "int_uniform": Distribution(BOUNDS, lambda random, low, high: int(random.integers(low, high, endpoint=True))),
    "log_uniform_values": Distribution(BOUNDS, log_uniform),
    "inv_log_uniform_values": Distribution(BOUNDS, log_uniform),  # the logarithm of 1/x is uniform: so is that of x
    "q_log_uniform_values": Distribution(BOUNDS, log_uniform, rounds=True),
    "normal": Distribution(MOMENTS, normal, defaults=STANDARD),
    "q_normal": Distribution(MOMENTS, normal, rounds=True, defaults=STANDARD),
    "log_normal": Distribution(MOMENTS, lambda *args: math.exp(normal(*args)), defaults=STANDARD),
}
LISTS = ("constant", "categorical", "categorical_w_probabilities")


@dataclass(frozen=True)
class Parameter:
    """A setting that differs between trials.

    Args:
        key: as on the command line.
        values: that are listed; None where they are drawn from a distribution.
        probabilities: of the values.
        distribution: its name.
        first: its lower bound, or its mean.
        second: its upper bound, or its standard deviation.
        q: what values are multiples of, where the distribution rounds.
    """

    key: str
    values: list[Any] | None = None
    probabilities: list[float] | None = None
    distribution: str = "categorical"
    first: float = 0.0
    second: float = 0.0
    q: float = 1.0

    def draw(self, random: np.random.Generator) -> Any:
        """A value by chance."""
        if self.values is not None:
            return self.values[int(random.choice(len(self.values), p=self.probabilities))]
        try:
            value = self.rounded(DISTRIBUTIONS[self.distribution].draw(random, self.first, self.second))
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise UserError(
                f"parameters.{self.key} draws numbers that are too large for a computer: give smaller ones."
            )
        return value

    def rounded(self, value: float) -> float:
        """The nearest multiple of `q`, an integer where `q` is one, if the distribution rounds."""
        return round(value / self.q) * self.q if DISTRIBUTIONS[self.distribution].rounds else value


def parameter(key: str, given: Any, where: str) -> Parameter:
    """One entry of `parameters`.

    Args:
        key: its name.
        given: what stands under it.
        where: the file, for a refusal.

    Raises:
        UserError: it is none that ganlit knows how to draw from.
    """
    where = f"{where}: parameters.{key}"
    if not isinstance(given, dict):
        raise UserError(f"{where} is {_told(given)}: write `value: {_told(given)}`, or `values: [...]`.")
    if "parameters" in given:
        inner = given["parameters"]
        example = next(iter(inner), "KEY") if isinstance(inner, dict) else "KEY"
        raise UserError(f"{where} is nested: write its keys with dots, such as {key}.{example}.")
    kind = given["distribution"] if "distribution" in given else _implied(given, where)
    if kind in LISTS:
        return _listed(key, kind, given, where)
    if not isinstance(kind, str) or kind not in DISTRIBUTIONS:
        name = kind if isinstance(kind, str) else _told(kind)
        raise UserError(f"{where}: ganlit draws from no distribution {name}{nearest(name, [*LISTS, *DISTRIBUTIONS])}.")
    drawn = DISTRIBUTIONS[kind]
    _only(given, (*drawn.takes, *(["q"] if drawn.rounds else [])), where)
    numbers = {name: _number(given.get(name, drawn.defaults.get(name)), name, where) for name in drawn.takes}
    first, second = numbers.values()
    q = _number(given.get("q", 1), "q", where)
    if q <= 0:
        raise UserError(f"{where}: q is {q:g}, which has no multiples: give a positive number.")
    if drawn.takes == MOMENTS and second <= 0:
        raise UserError(f"{where}: sigma is {second:g}, which spreads nothing: give a positive number.")
    if drawn.takes == BOUNDS and not first < second:
        raise UserError(f"{where}: min is {first:g} and max is {second:g}: max must be the larger.")
    if drawn.takes == BOUNDS and not math.isfinite(second - first):
        raise UserError(f"{where}: from min {first:g} to max {second:g} is further than numbers go: give nearer ones.")
    if "log_uniform" in kind and first <= 0:
        raise UserError(f"{where}: min is {first:g}, which has no logarithm: {kind} takes positive bounds.")
    if kind == "int_uniform" and not (isinstance(first, int) and isinstance(second, int)):
        raise UserError(f"{where}: int_uniform takes whole numbers as min and max.")
    if drawn.rounds and drawn.takes == BOUNDS and q > second - first:
        raise UserError(f"{where}: q is {q:g}, which is more than from min to max: give a smaller one.")
    if drawn.rounds and max(abs(first), abs(second)) > q * 2**53:
        raise UserError(f"{where}: q is {q:g}, which no number of this size can be rounded to: give a larger one.")
    return Parameter(key, None, None, kind, first, second, q)


def nearest(name: str, known: list[str]) -> str:
    """ "; did you mean KEY?" without its end, or what there is."""
    close = get_close_matches(str(name), known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"


def _implied(given: dict[str, Any], where: str) -> str:
    """The distribution that W&B takes where none is named."""
    if "value" in given:
        return "constant"
    if "values" in given:
        return "categorical"
    if "mu" in given or "sigma" in given:
        return "normal"
    bounds = [type(given.get(name)) for name in BOUNDS]
    if bounds == [int, int]:
        return "int_uniform"
    if bounds == [float, float]:
        return "uniform"
    if set(bounds) == {int, float}:
        raise UserError(
            f"{where}: min and max must both be whole numbers or both have a point; or name a distribution."
        )
    raise UserError(f"{where} has neither value, nor values, nor min and max: give one of them.")


def _listed(key: str, kind: str, given: dict[str, Any], where: str) -> Parameter:
    if kind == "constant":
        _only(given, ("value",), where)
        if "value" not in given:
            raise UserError(f"{where} is constant and has no value: give it.")
        return Parameter(key, _sayable([given["value"]], where))
    _only(given, ("values", "probabilities"), where)
    values, probabilities = given.get("values"), given.get("probabilities")
    if not isinstance(values, list) or not values:
        raise UserError(f"{where}: values is {_told(values)}, so there is no trial to run: list what to try.")
    if probabilities is not None and not _shares(probabilities, len(values)):
        raise UserError(f"{where}: probabilities must be {len(values)} numbers, one a value, whose sum is 1.")
    return Parameter(key, _sayable(values, where), probabilities)


def _sayable(values: list[Any], where: str) -> list[Any]:
    """The same values, of which each is one."""
    for value in values:
        try:
            json.dumps(value, allow_nan=False)
        except ValueError:
            raise UserError(f"{where} has the value {_told(value)}, which is no number to try: leave it out.") from None
    return values


def _shares(probabilities: Any, count: int) -> bool:
    """Whether these are as many numbers whose sum is 1."""
    if not isinstance(probabilities, list) or len(probabilities) != count:
        return False
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in probabilities)
    return numbers and all(0 <= each <= 1 for each in probabilities) and math.isclose(sum(probabilities), 1)


def _told(value: Any) -> str:
    """A value in a few words, as it may stand in the file."""
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _only(given: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in given:
        if name not in (*known, "distribution"):
            raise UserError(f"{where} has an unknown key {name}{nearest(name, list(known))}.")


def _number(value: Any, name: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(
            f"{where}: {name} is {value!r:.60}: give a number, with a point before an exponent, as in 1.0e-4."
        )
    fits = -(2**63) <= value < 2**63 if isinstance(value, int) else math.isfinite(value)
    if not fits:
        raise UserError(f"{where}: {name} is {str(value)[:60]}, from which nobody can draw: give a number of 64 bits.")
    return value
