"""Extractors by name, of every modality."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from ganlit.errors import UserError, nearest
from ganlit.metrics.features import FeatureExtractor, Precision, Resize
from ganlit.metrics.rooms import rooms
from ganlit.records.trust import imported

ROOMS = tuple(rooms("backbones").values())
"""One a modality: the `NAMES` and `FAMILIES` that there are, other names of some (`ALIASES`), the options that each
`takes`, and `network`, which builds one."""

NAMES = tuple(name for room in ROOMS for name in room.NAMES)
ALIASES = {name: other for room in ROOMS for name, other in room.ALIASES.items()}
DEFAULTS = {"weights": None, "precision": "fp32", "resize": "legacy"}


def extractor(
    name: str,
    weights: Path | None = None,
    precision: Precision = "fp32",
    resize: Resize = "legacy",
    example: Callable[[Any], Tensor] | None = None,
) -> FeatureExtractor:
    """The extractor of a name.

    Args:
        name: one that a modality's room knows, such as "inception"; or the dotted path of a FeatureExtractor, built
            with those of the other arguments that it takes.
        weights: file of the weights instead of the published ones, for those that take one.
        precision: of the network.
        resize: what brings items to the size that it sees, for those that know several.
        example: gives an item [1, ...] as it will see them, by what it `wants`: the shapes of one's own are tested.

    Raises:
        UserError: the name is unknown, an option does not go with it, or weights are missing and cannot be downloaded.
    """
    options = {"weights": weights, "precision": precision, "resize": resize}
    for room in ROOMS:
        if (taken := room.takes(name)) is not None:
            found = room.network(name, **_refuse(name, taken, options))
            return found.eval().requires_grad_(False)
    if "." not in name:
        families = [family for room in ROOMS for family in room.FAMILIES]
        known = nearest(name, NAMES) or f"; known are {', '.join((*NAMES, *families, 'package.module.Class'))}."
        raise UserError(f"unknown extractor {name}{known}")
    return _own(name, options, example).eval().requires_grad_(False)


def accepted(name: str) -> tuple[str, ...]:
    """The options that are given to an extractor where many are asked alike; one's own may refuse them."""
    known = (room.takes(name) for room in ROOMS)
    return next((taken for taken in known if taken is not None), ("precision", "resize"))


def _own(path: str, options: dict[str, Any], example: Callable[[Any], Tensor] | None) -> FeatureExtractor:
    """A class of the user's, built with those of the options that it takes."""
    try:
        own = imported(path)
    except (ImportError, AttributeError) as error:
        raise UserError(f"unknown extractor {path} ({error}){nearest(path, NAMES)}") from error
    if not (inspect.isclass(own) and issubclass(own, FeatureExtractor)) or inspect.isabstract(own):
        raise UserError(f"extractor {path} is no class that implements ganlit.metrics.features.FeatureExtractor.")
    found = own(**_refuse(path, tuple(inspect.signature(own).parameters), options))
    missing = [field for field in ("name", "dim", "protocol", "batch") if not hasattr(found, field)]
    if missing:
        raise UserError(f"extractor {path} does not set {', '.join(missing)}, as a FeatureExtractor must.")
    if found.protocol.count("/") != 1:
        raise UserError(f"extractor {path} has the protocol {found.protocol}: make it network@weights/resize.")
    if example is not None:
        shapes = {key: list(value.shape) for key, value in found(example(found.wants)).items()}
        wanted = {"pool": [1, found.dim]} | ({"logits": [1, found.classes]} if found.classes else {})
        if shapes != wanted:
            raise UserError(f"extractor {path} gives {shapes} of an item, where its dim and classes say {wanted}.")
    return found


def _refuse(name: str, taken: tuple[str, ...], options: dict[str, Any]) -> dict[str, Any]:
    """The options that an extractor takes; others must be left as they are."""
    for option, value in options.items():
        if option not in taken and value != DEFAULTS[option]:
            default = DEFAULTS[option] or "null"
            raise UserError(f"extractor {name} takes no {option}: leave it at {default} instead of {value}.")
    return {option: value for option, value in options.items() if option in taken}
