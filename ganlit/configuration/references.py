"""What in a configuration refers to something else: `${kimg}`, `${data.init_args.resolution}`, `${oc.env:SCRATCH}`.

References are filled in when a configuration is read. Two of them stand in the record of a run as they were written:
what follows its length, which a run that goes on may change, and what comes from the environment, which is nobody's
business. `???` refers to whoever uses a file: they have to give a value of their own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from jsonargparse import Namespace
from omegaconf import OmegaConf

from ganlit.errors import UserError
from ganlit.records.trust import VARIABLE, trusted

RELATIVE = re.compile(r"\$\{(\.+)([^{}:]*)\}")
KEPT = re.compile(r"\$\{kimg\}|oc\.env")
OPEN = "???"
"""What OmegaConf writes for a value that is to be given."""


def environment(name: str, default: str | None = None) -> str | None:
    """A variable of the environment, for a file that may read it.

    Raises:
        UserError: the user has not said so.
    """
    if not trusted("oc.env"):
        raise UserError(
            f"${{oc.env:{name}}} would read a variable of the environment: give its value on the command line, or let "
            f"files read such by --trust oc.env or {VARIABLE}=oc.env."
        )
    if (value := os.environ.get(name, default)) is None:
        raise UserError(f"${{oc.env:{name}}} is not set: set it.")
    return value


OmegaConf.register_resolver("oc.env", environment, replace=True)


def filled(tree: Any) -> Any:
    """A tree, or what stands in one at its top, with what its references lead to."""
    return OmegaConf.to_container(tree, resolve=True) if OmegaConf.is_config(tree) else tree


def refuse_open(settings: Namespace) -> None:
    """Refuses a configuration in which something is left to whoever uses it.

    Raises:
        UserError: something is.
    """
    if keys := [*open_keys(settings.as_dict())]:
        are, them = ("is", "it") if len(keys) == 1 else ("are", "them")
        options = " ".join(f"--{key}=VALUE" for key in keys)
        raise UserError(
            f"{' and '.join(keys)} {are} {OPEN}, which the configuration leaves to you: give {them} by {options}."
        )


def open_keys(tree: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The keys of what is to be given."""
    if tree == OPEN:
        yield ".".join(path)
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inside:
        yield from open_keys(value, (*path, str(key)))


def kept(resolved: Any, written: Any, path: tuple[str, ...] = ()) -> Any:
    """A tree with the values in place of its references, but for those that its record keeps.

    Args:
        resolved: the tree after they were filled in.
        written: the same before.
        path: where both stand.
    """
    if isinstance(resolved, dict) and isinstance(written, dict):
        return {key: kept(value, written.get(key), (*path, str(key))) for key, value in resolved.items()}
    if isinstance(resolved, list) and isinstance(written, list) and len(resolved) == len(written):
        pairs = enumerate(zip(resolved, written, strict=True))
        return [kept(value, before, (*path, str(place))) for place, (value, before) in pairs]
    if isinstance(written, str) and KEPT.search(absolute := from_the_top(written, path)):
        return absolute
    return resolved


def from_the_top(text: str, path: tuple[str, ...]) -> str:
    """A value with references that count from where it stands, as `${...kimg}`, as ones that count from the top."""
    return RELATIVE.sub(lambda found: "${" + ".".join([*path[: -len(found[1])], found[2]]) + "}", text)
