"""What differs between the configurations of many runs, and which runs differ only in their seeds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ganlit.errors import printable
from ganlit.records.resume import brief
from ganlit.records.settings import Class, Tree, flat
from ganlit.studies.report.record import Run

MISSING = "–"  # noqa: RUF001, shown where a configuration has no such key


class Missing(NamedTuple):
    """Takes the place of a value where a configuration has no such key; null is a value."""


class Parameter(NamedTuple):
    """What was varied."""

    title: str
    key: str  # dotted, without init_args


class Setting(NamedTuple):
    """Runs that differ in nothing but the seed.

    Args:
        values: of the parameters, in their order.
        runs: in the order they were found.
    """

    values: tuple[Any, ...]
    runs: list[Run]


def group(runs: Sequence[Run], reserved: Iterable[str] = ()) -> tuple[list[Parameter], list[Setting]]:
    """The parameters that were varied, and the runs by their values.

    Args:
        runs: in the order in which settings shall come.
        reserved: names that no parameter may have, since other columns do.
    """
    trees = [flat(run.config) for run in runs]
    together: dict[str, list[int]] = {}
    for index, tree in enumerate(trees):
        together.setdefault(json.dumps(tree, sort_keys=True), []).append(index)
    firsts = [trees[indices[0]] for indices in together.values()]
    parameters = varied(firsts, set(reserved))
    values = (tuple(tree.get(parameter.key, Missing()) for parameter in parameters) for tree in firsts)
    members = ([runs[index] for index in indices] for indices in together.values())
    return parameters, [Setting(*pair) for pair in zip(values, members, strict=True)]


def varied(trees: Sequence[Tree], reserved: set[str]) -> list[Parameter]:
    """The keys whose values differ; of those that always have the same value, as `lr` of both players may, one."""
    keys = [*dict.fromkeys(key for tree in trees for key in tree)]
    differing = [key for key in keys if _differs(trees, key)]
    alike: dict[str, list[str]] = {}
    for key in differing:
        column = [[key in tree, tree.get(key)] for tree in trees]
        alike.setdefault(json.dumps(column), []).append(key)
    return [Parameter(title(same, keys, reserved), same[0]) for same in alike.values()]


def _differs(trees: Sequence[Tree], key: str) -> bool:
    """Whether configurations differ in a key, and not only since they differ in what it belongs to.

    Another class has other arguments: that is one difference.
    """
    owner = key.rpartition(".")[0]
    holders = [tree for tree in trees if key in tree]
    owners = {_exactly(tree.get(owner)) for tree in holders}
    lacking = any(_exactly(tree.get(owner)) in owners for tree in trees if key not in tree)
    return lacking or len({_exactly(tree[key]) for tree in holders}) > 1


def _exactly(value: Any) -> str:
    return json.dumps(value)


def title(same: Sequence[str], keys: Sequence[str], reserved: set[str]) -> str:
    """The shortest end of a dotted key that means nothing else, such as "generator_optimizer.lr".

    Args:
        same: one key, or several that go together; "lr" means them all where they are all that end so.
        keys: of the configurations.
        reserved: names that are taken.
    """
    parts = same[0].split(".")
    for count in range(1, len(parts) + 1):
        end = ".".join(parts[-count:])
        meant = {key for key in keys if f".{key}".endswith(f".{end}")}
        if meant <= set(same) and end not in reserved and end.strip() and not end[0].isdigit():
            return printable(end)
    return printable(f"config.{same[0]}")


def shown(value: Any) -> str:
    """A value in a few words: of a class its name."""
    if isinstance(value, Missing):
        return MISSING
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict):
        return "{…}"
    return printable(value.rpartition(".")[2] if isinstance(value, Class) else brief(value))
