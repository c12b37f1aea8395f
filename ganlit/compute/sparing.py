"""Libraries as far as they are used: what a command does without is no part of its start."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

PACKAGE = "torchmetrics"
FIRST = "utilities"
"""The module that all others have been imported from, whose circles close only this way round."""
ASKED = {
    "Metric": "metric",
    "CompositionalMetric": "metric",
    "MetricCollection": "collections",
    "__version__": "__about__",
}
"""What Lightning takes from the top of the package or jsonargparse seeks there, and the modules that have it."""


class Sparing(ModuleType):
    """A package whose own file is run when something else is asked of it; its modules are imported as ever."""

    def __getattr__(self, name: str) -> Any:
        if name == "_logger":
            return logging.getLogger(PACKAGE)
        if name in ASKED:
            import_module(f"{PACKAGE}.{FIRST}")
            return getattr(import_module(f"{PACKAGE}.{ASKED[name]}"), name)
        if name.startswith("__"):  # of which Python itself asks, such as __all__
            raise AttributeError(name)
        self.__class__ = ModuleType
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def spare() -> None:
    """Lets this process import of torchmetrics what is used, unless all of it is there already.

    Lightning wants two of its classes; all of it, with scipy and torchvision, is a third of a start.
    """
    if PACKAGE not in sys.modules and (spec := find_spec(PACKAGE)) is not None:
        module = module_from_spec(spec)
        module.__class__ = Sparing
        sys.modules[PACKAGE] = module


class Later:
    """A library that is imported when something is first taken from it.

    Args:
        name: of one that is installed.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # by which jsonargparse looks for types
            raise AttributeError(name)
        return getattr(import_module(self._name), name)
