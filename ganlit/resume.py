"""What a resumed run may change, and what it must be asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ganlit.callbacks.progress import say
from ganlit.errors import UserError

# What the trained result depends on. The length, the machine and the record of a run are free.
GUARDED = (
    *("seed", "model", "data", "fidelity", "recovery"),
    *("trainer.callbacks", "trainer.precision", "trainer.sync_batchnorm", "trainer.limit_train_batches"),
)


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
        earlier = yaml.safe_load(path.read_text())
    except yaml.YAMLError:
        raise UserError(f"{path} is not valid YAML, so nobody can tell whether settings differ: mend it.") from None
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
    old, new = dict(leaves(earlier)), dict(leaves(settings))
    keys = [key for key in dict.fromkeys([*old, *new]) if any(inside(key, guarded) for guarded in GUARDED)]
    return {
        key: f"{key}: {old.get(key, 'unset')} -> {new.get(key, 'unset')}"
        for key in keys
        if old.get(key, "unset") != new.get(key, "unset")
    }


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of nested mappings and lists with its dotted key; the items of a list by number."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else None
    if not items:
        yield path, tree
        return
    for key, value in items:
        yield from leaves(value, f"{path}.{key}" if path else str(key))


def inside(key: str, other: str) -> bool:
    """Whether a dotted key is another one or lies inside it."""
    return key == other or key.startswith(f"{other}.")
