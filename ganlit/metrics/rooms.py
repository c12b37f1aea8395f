"""The rooms of the modalities in metrics/, each with what it has of its own."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from ganlit import metrics


def rooms(part: str) -> dict[str, ModuleType]:
    """By modality its module of this name, where it has one: `backbones`, or `paired`."""
    names = [room.name for room in pkgutil.iter_modules(metrics.__path__) if room.ispkg]
    places = {name: f"{metrics.__name__}.{name}.{part}" for name in names}
    return {name: import_module(place) for name, place in places.items() if find_spec(place) is not None}
