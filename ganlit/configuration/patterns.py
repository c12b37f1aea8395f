"""Names by patterns: `generator.decoder`, `discriminator.blocks.[12]`, `*.bias`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

from ganlit.errors import UserError, nearest

FEW = 3
"""Names in a sentence, or patterns that it proposes."""


def listed(patterns: str | list[str] | None) -> list[str]:
    """Patterns as they were given: with commas between them, or one after the other."""
    given = patterns if isinstance(patterns, list) else (patterns or "").split(",")
    return [each.strip() for each in given if each.strip()]


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns is the name, or what it begins with up to a dot; * and ? stand for anything."""
    return any(fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*") for pattern in patterns)


def chosen(key: str, patterns: list[str], names: Collection[str]) -> set[str]:
    """The names that match.

    Args:
        key: under which the patterns were given.
        patterns: as for `matches`.
        names: all there are.

    Raises:
        UserError: a pattern matches none.
    """
    for pattern in patterns:
        if not any(matches(name, [pattern]) for name in names):
            known = [*dict.fromkeys(prefix for name in names for prefix in prefixes(name))]
            inner = [f"; did you mean {each}?" for each in known if each.endswith(f".{pattern}")]
            close = [*inner, nearest(pattern, known) or "; names begin with generator or discriminator."][0]
            raise UserError(f"{key} names {pattern}, but there is no such part{close}")
    return {name for name in names if matches(name, patterns)}


def covering(some: Collection[str], others: Iterable[str]) -> list[str]:
    """The shortest patterns that match some names and none of the others."""
    taken = {prefix for name in others for prefix in prefixes(name)}
    found = dict.fromkeys(next(each for each in prefixes(name) if each not in taken) for name in some)
    return list(found)


def prefixes(name: str) -> list[str]:
    """Of "generator.layers.0": "generator", "generator.layers" and itself."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def few(names: Collection[str]) -> str:
    """The first of some names, and how many there are."""
    shown = ", ".join([*names][:FEW])
    return shown if len(names) <= FEW else f"{shown} and {len(names) - FEW} more"
