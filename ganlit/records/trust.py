"""What a name that stands in a file may import: no file runs code.

Configurations, run directories, weights and trials name classes. Importing a module runs it, and so does building a
class: a name is looked at before either. What is ganlit's own, and a few rooms of its libraries, may be named; all else
is named by the user first, with `--trust` or $GANLIT_TRUST.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pkgutil import resolve_name
from typing import Any

from jsonargparse import set_parsing_settings

from ganlit.errors import UserError

ROOMS = (
    "augment",
    "callbacks",
    "compute.strategy",
    "data",
    "ema",
    "losses",
    "metrics",
    "networks",
    "records.resume",
    "tasks",
)
LIBRARIES = (
    "torch.optim",
    "torch.nn",
    "lightning.pytorch.callbacks",
    "lightning.pytorch.loggers",
    "lightning.Callback",  # of which those are
)
NEVER = ("lightning.pytorch.callbacks.lambda_function", "lightning.pytorch.callbacks.LambdaCallback")
"""Calls a function that is named to it."""

VARIABLE = "GANLIT_TRUST"

known = {*(f"ganlit.{room}" for room in ROOMS), *LIBRARIES}
set_parsing_settings(import_path_denylist=["*", *NEVER], import_path_allowlist=sorted(known))


def trust(names: Iterable[str]) -> None:
    """Lets files name what lies in these modules, in this process and in those that it starts.

    Raises:
        UserError: that is no name of a module.
    """
    names = [name.strip() for name in names if name.strip()]
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise UserError(f"--trust {name} is no module: give names such as my.package, with commas between them.")
        if name.split(".")[0] == "jsonargparse":
            raise UserError(f"--trust {name} would let files decide what they may name: leave it out.")
    known.update(names)
    set_parsing_settings(import_path_allowlist=names)
    os.environ[VARIABLE] = ",".join(sorted({*filter(None, os.environ.get(VARIABLE, "").split(",")), *names}))


def trusted(path: str) -> bool:
    """Whether a file may name this."""
    parts = path.split(".")
    above = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return not above.isdisjoint(known) and above.isdisjoint(NEVER)


def refusal(path: str) -> str:
    """Why nothing was imported, and what lets it be."""
    package = path.rpartition(".")[0] or path
    return (
        f"{path} is not ganlit's own, and to name it is to run it: if you know who wrote it, add --trust {package} or "
        f"set {VARIABLE}={package}"
    )


def imported(path: str) -> Any:
    """What a dotted path names.

    Raises:
        UserError: no file may name it.
        ImportError, AttributeError, ValueError: there is no such thing.
    """
    if not trusted(path):
        raise UserError(f"{refusal(path)}.")
    found = resolve_name(path)
    home = f"{getattr(found, '__module__', path)}.{getattr(found, '__qualname__', '')}".rstrip(".")
    if not trusted(home):  # which a trusted module imports for its own use
        raise UserError(f"{refusal(home)}.")
    return found


trust(os.environ.get(VARIABLE, "").split(","))
