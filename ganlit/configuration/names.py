"""What there is to be named: the classes of this package by short names, and the modalities."""

from __future__ import annotations

import inspect
import os
import pkgutil
import sys
from collections import deque
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import ganlit
from ganlit.errors import UserError

if TYPE_CHECKING:
    from ganlit.contracts import Modality

NAMED = ("augment", "callbacks", "data", "losses", "networks", "tasks")
"""Rooms with classes that stand in configurations."""


@cache
def import_named(*rooms: str) -> None:
    """Imports every module of these rooms, sub-rooms included: jsonargparse finds a short name among what is there."""
    for room in rooms or NAMED:
        for module in pkgutil.walk_packages([f"{ganlit.__path__[0]}/{room}"], f"ganlit.{room}."):
            import_module(module.name)


def known_classes() -> set[str]:
    """The short names of all classes of this package that can be built."""
    import_named()
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("ganlit.")]
    found = {cls for module in modules for _, cls in inspect.getmembers(module, inspect.isclass)}
    return {cls.__name__ for cls in found if cls.__module__.startswith("ganlit.") and not inspect.isabstract(cls)}


def modalities() -> list[Modality]:
    """One of each kind of data that is known; one's own are, once their module is imported."""
    from ganlit.contracts import Modality  # and torch with it, which a command may do without

    import_named("data")
    found, kinds = list[Modality](), deque(Modality.__subclasses__())
    while kinds:
        kind = kinds.popleft()
        kinds.extend(kind.__subclasses__())
        if not inspect.isabstract(kind):
            found.append(kind())
    return found


def foreign() -> list[Modality]:
    """Those among them that are not this package's."""
    there = "ganlit.contracts" in sys.modules  # without which nobody has made one
    return [one for one in modalities() if not type(one).__module__.startswith("ganlit.")] if there else []


def recognised(place: str) -> Modality | None:
    """The kind of data that a folder, a file or the name of a dataset looks like."""
    scores = {one: one.recognises(place) for one in modalities()}
    likeliest = max(scores, key=scores.__getitem__)
    return likeliest if scores[likeliest] else None


def kind_of(*places: str) -> Modality:
    """What the first of some places looks like that looks like anything; else images, which most sets with names are.

    Raises:
        UserError: nothing does, and the first is a folder in which there is no file.
    """
    if (found := next(filter(None, map(recognised, places)), None)) is not None:
        return found
    path, unread = os.path.expanduser(places[0]), list[OSError]()
    if os.path.isdir(path) and not any(files for *_, files in os.walk(path, onerror=unread.append)) and not unread:
        *others, last = sorted({f"{one.item}s" for one in modalities()})
        raise UserError(
            f"{places[0]} is an empty folder: put {', '.join(others)} or {last} into it, in a sub-folder for each "
            "class if any."
        )
    return next(one for one in modalities() if one.name == "images")


def own_options(kind: Modality, method: str) -> dict[str, inspect.Parameter]:
    """What a method of one kind of data takes beside what those of all kinds do: they become options of a command."""
    parameters = inspect.signature(getattr(kind, method)).parameters.items()
    return {name: each for name, each in parameters if each.default is not inspect.Parameter.empty}


def given_options(kind: Modality, method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those among the options of all kinds that were given.

    Raises:
        UserError: this kind does not know one of them.
    """
    defaults = {name: each.default for one in modalities() for name, each in own_options(one, method).items()}
    given = {name: value for name, value in options.items() if value != defaults[name]}
    if unknown := given.keys() - own_options(kind, method).keys():
        raise UserError(f"--{unknown.pop()} is no option of {kind.name}: leave it out.")
    return given
