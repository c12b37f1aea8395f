"""What a resumed run may change, and what it must be asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ganlit.compute.console import say
from ganlit.errors import UserError
from ganlit.records.moved import ADDED, current

# What the trained result and the meaning of its scores depend on. The length, the machine and the record are free.
GUARDED = (
    *("seed", "model", "data", "fidelity", "trainer.callbacks", "trainer.precision", "trainer.sync_batchnorm"),
    *("from", "train", "fresh", "from_optimizers"),
)
# Of these, what only says where files lie and how often the run is measured.
FREE = ("data.root", "data.stage", "data.tick", "fidelity.weights", "fidelity.every")

UNSET = "unset"


@dataclass
class Resume:
    """How to go on with a run.

    Args:
        allow: keys of settings that may differ from those it was trained with.
    """

    allow: str | list[str] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        keys = self.allow.split(",") if isinstance(self.allow, str) else self.allow
        return [key.strip() for key in keys]


def compare(folder: Path, settings: dict[str, Any], allowed: list[str]) -> None:
    """Refuses to go on with a run under other settings than it was trained with, and tells of those that are allowed.

    Args:
        folder: the run directory.
        settings: the resolved configuration, as it would be saved.
        allowed: keys that may differ; with a key all that is inside it.

    Raises:
        UserError: there are other differences.
    """
    path = folder / "config.yaml"
    if not path.is_file():
        return
    try:
        earlier = yaml.safe_load(current(path.read_text()))
    except yaml.YAMLError:
        earlier = None
    if not isinstance(earlier, dict):
        raise UserError(f"{path} is not a mapping in YAML, so nobody can tell whether settings differ: mend it.")
    changed = differences(earlier, settings)
    refused = [key for key in changed if not any(inside(key, other) for other in allowed)]
    if refused:
        raise UserError(
            f"{folder} was trained with other settings, {'; '.join(changed[key] for key in refused)}: take them back, "
            f"or go on with --resume.allow={','.join(refused)}."
        )
    for text in changed.values():
        say(f"changed  {text}")


def differences(earlier: dict[str, Any], settings: dict[str, Any]) -> dict[str, str]:
    """By key, "key: old -> new" for every guarded setting that differs."""
    return {key: f"{key}: {brief(old)} -> {brief(new)}" for key, old, new in changes(earlier, settings) if guarded(key)}


def changes(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two trees differ: dotted key, old value and new, as far down as they are of one kind.

    Of another class, or of lists of other lengths, nothing inside can be told apart: these differ as a whole.
    """
    if isinstance(old, dict) and isinstance(new, dict) and old.get("class_path") == new.get("class_path"):
        if added := ADDED.get(str(old.get("class_path"))):
            old = {**old, "init_args": added | (old.get("init_args") or {})}
        pairs = [(key, old.get(key, UNSET), new.get(key, UNSET)) for key in dict.fromkeys([*old, *new])]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(index, *items) for index, items in enumerate(zip(old, new, strict=True))]
    else:
        pairs = []
        if old != new:
            yield path, old, new
    for key, before, after in pairs:
        yield from changes(before, after, f"{path}.{key}" if path else str(key))


def guarded(key: str) -> bool:
    """Whether a change of this key needs the user's consent; that of what holds a guarded key does, too."""
    if any(inside(key, free) for free in FREE):
        return False
    return any(inside(key, other) or inside(other, key) for other in GUARDED)


def inside(key: str, other: str) -> bool:
    """Whether a dotted key is another one or lies inside it, whether or not they spell out `init_args`."""
    return f"{_short(key)}.".startswith(f"{_short(other)}.")


def brief(value: Any) -> str:
    """A setting in a few words: of a class its name, of a mapping its keys."""
    if isinstance(value, dict):
        keys = f"{{{', '.join(map(str, value))}}}"
        return str(value["class_path"]).rpartition(".")[2] if "class_path" in value else keys
    if isinstance(value, list):
        return f"[{', '.join(map(brief, value))}]"
    return "null" if value is None else str(value)


def _short(key: str) -> str:
    return ".".join(part for part in key.split(".") if part != "init_args")
