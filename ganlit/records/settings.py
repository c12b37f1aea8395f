"""What of a configuration says what was trained, and which runs differ in their seed only."""

from __future__ import annotations

import json
import math
from hashlib import sha256
from pathlib import Path
from typing import Any

from ganlit.errors import UserError
from ganlit.records import documents
from ganlit.records.moved import ADDED, current

# Who ran it, where its files lie and who watched: not what was trained.
IGNORED = (
    *(
        "name",
        "seed",
        "model.seed",
        "data.seed",
        "wandb",
        "resume",
        "ckpt_path",
        "weights_only",
        "config",
        "data.root",
        "data.stage",
    ),
    *("fidelity.weights", "trainer.default_root_dir", "trainer.logger", "trainer.enable_progress_bar"),
    *("trainer.log_every_n_steps", "trainer.profiler"),
)


class Class(str):
    """Takes the place of a value that is a class: its import path."""


Tree = dict[str, Any]
"""Values by dotted key."""


EXACT = 1023  # bits of a whole number that a float can be made of


def plain(value: Any) -> Any:
    """The same of what JSON has: whatever else YAML knows, such as dates and keys that are numbers, as text."""
    if isinstance(value, dict):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, int) and value.bit_length() > EXACT:
        return hex(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


KINDS = {"name": str, "kimg": int | float, "trainer": dict, "model": dict, "data": dict}
"""What every saved configuration has."""


def configuration(path: Path) -> Tree:
    """A saved configuration of a run, of what JSON has.

    Raises:
        UserError: it cannot be read, or is none.
    """
    found = plain(documents.mapping(current(documents.text(path)), path))
    for key, kind in KINDS.items():
        value = found.get(key)
        if not isinstance(value, kind) or (key == "kimg" and not is_number(value)):
            there = f"{key} is {json.dumps(value)[:60]}" if key in found else f"it has no {key}"
            raise UserError(f"{path} is the configuration of no run ({there}): mend it, or move it away.")
    return found


def is_number(value: Any) -> bool:
    """Whether a value can stand on an axis."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def flat(config: Tree) -> Tree:
    """A configuration by dotted keys, without what does not matter: of a class its path, then its arguments.

    Of a list with classes in it the names make one value, so that another member is one difference, not ten.
    """
    found: Tree = {}
    for key, value in plain(config).items():
        _flatten(value, key, found)
    return {key: value for key, value in found.items() if not any(f"{key}.".startswith(f"{no}.") for no in IGNORED)}


def _flatten(value: Any, key: str, found: Tree) -> None:
    inside = [(str(index), item) for index, item in enumerate(value)] if isinstance(value, list) else []
    if isinstance(value, dict) and "class_path" in value:
        found[key] = Class(value["class_path"])
        arguments = value.get("init_args") or {}
        added = ADDED.get(str(value["class_path"]), {}) if isinstance(arguments, dict) else {}
        arguments = (
            {key: item for key, item in arguments.items() if added.get(key, ...) != item} if added else arguments
        )
        others = ("class_path", "init_args") if isinstance(arguments, dict) else ("class_path",)
        inside = [(name, item) for name, item in value.items() if name not in others]
        inside += arguments.items() if isinstance(arguments, dict) else []
    elif isinstance(value, dict) and value:
        found[key], inside = "{…}", [*value.items()]
    elif any(isinstance(item, dict) for _, item in inside):
        found[key] = [Class(item.get("class_path", "{}")) if isinstance(item, dict) else item for _, item in inside]
    else:
        found[key], inside = value, []
    for name, item in inside:
        _flatten(item, f"{key}.{name}", found)


def fingerprint(config: Tree) -> str:
    """A word that runs have in common which differ in their seed only, to draw them as one curve with a band.

    Of classes it knows the names alone: one may move, and is the same.
    """

    def bare(value: Any) -> Any:
        if isinstance(value, list):
            return [bare(each) for each in value]
        return value.rpartition(".")[2] if isinstance(value, Class) else value

    tree = {key: bare(value) for key, value in flat(config).items()}
    return sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()[:8]
