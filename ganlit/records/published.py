"""Weights of a network, as others publish them."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ganlit.errors import UserError, nearest
from ganlit.records import durable

SUFFIXES = (".safetensors", ".pth", ".pt")

INSIDE = ("params_ema", "params", "state_dict", "generator")
"""What the weights are called in a file that holds more: an average comes before what it is of."""

PICKLED = b"\x80"
"""Every pickle's first byte."""

PARALLEL = "module."
"""Before the names of a network that was trained on several devices."""

NORMED = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}
"""What length and direction of a weight were called before torch 2.0 made weight norm a parametrization."""


def read(path: Path, part: str | None = None) -> dict[str, Tensor]:
    """The tensors of a network by their names in it, whoever has written them; nothing in the file is run.

    Args:
        path: of the file.
        part: what these weights are called in a file that holds more; by default one of `INSIDE`, or the only ones.

    Raises:
        UserError: it is damaged, holds code, or no weights.
    """
    found = durable.tensors(path)[0] if path.suffix == ".safetensors" else saved(path)
    parts = {str(name): weights_in(each) for name, each in found.items() if isinstance(each, dict)}
    if part is not None and not parts.get(part):
        there = [name for name, state in parts.items() if state]
        known = f"those of {', '.join(there)}" if there else "no parts at all"
        raise UserError(f"{path} holds no weights of a part {part}, but {known}{nearest(part, there) or '.'}")
    named = part or next((name for name in INSIDE if name in parts), None)
    state = weights_in(found) if named is None else parts[named]
    if not state and named is None:
        whole = [each for each in parts.values() if each]
        state = whole[0] if len(whole) == 1 else {}
    if not state:
        there = ", ".join(map(str, found)) or "nothing"
        raise UserError(
            f"{path} holds {there[:200]}, and no weights by their names: give a file of these alone, or one that has "
            f"them as {', '.join(INSIDE[:-1])} or {INSIDE[-1]}."
        )
    parallel = all(name.startswith(PARALLEL) for name in state)
    return {name.removeprefix(PARALLEL): value for name, value in state.items()} if parallel else state


def weights_in(found: Mapping[Any, Any]) -> dict[str, Tensor]:
    """The tensors among other things, by their names."""
    return {str(name): value for name, value in found.items() if isinstance(value, Tensor)}


def renamed(state: dict[str, Tensor], names: Collection[str]) -> dict[str, Tensor]:
    """The same weights, where they have an older torch's names for what a network has, by its own names.

    Args:
        state: by the names of whoever wrote them.
        names: of the network.
    """

    def today(name: str) -> str:
        layer, dot, last = name.rpartition(".")
        new = f"{layer}{dot}{NORMED.get(last, last)}"
        return new if name not in names and new in names else name

    return {today(name): value for name, value in state.items()}


def saved(path: Path) -> dict[str, Any]:
    """What torch.save has written: a zip, or before 2020 pickles in a row.

    Raises:
        UserError: as `read`.
    """
    if zipfile.is_zipfile(path):
        return durable.load(path)
    with path.open("rb") as file:
        if file.read(1) != PICKLED:
            raise UserError(f"{path} is damaged or no file of weights: get it anew.")
    return durable.unpickled(path)
