"""The names by which a configuration may call the classes of this package: short ones, once their modules are known."""

from __future__ import annotations

import inspect
import pkgutil
import sys
from importlib import import_module

import ganlit

NAMED = ("augment", "callbacks", "data", "losses", "networks", "tasks")
"""Rooms with classes that stand in configurations."""


def import_named() -> None:
    """Imports every module of these rooms, sub-rooms included: jsonargparse finds a short name among what is there."""
    for room in NAMED:
        for module in pkgutil.walk_packages([f"{ganlit.__path__[0]}/{room}"], f"ganlit.{room}."):
            import_module(module.name)


def known_classes() -> set[str]:
    """The short names of all classes of this package that can be built."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("ganlit.")]
    found = {cls for module in modules for _, cls in inspect.getmembers(module, inspect.isclass)}
    return {cls.__name__ for cls in found if cls.__module__.startswith("ganlit.") and not inspect.isabstract(cls)}
