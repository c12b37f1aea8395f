"""The generator of a run, ready to be sampled, and whether what it makes means anything."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Literal

from torch import Tensor

from ganlit.configuration.rebuild import load
from ganlit.errors import UserError
from ganlit.records.runs import trained
from ganlit.tasks.base import AdversarialModule

Weights = Literal["ema", "trained"]
Checkpoint = Literal["last", "best"]


def loaded(run: str, checkpoint: Checkpoint, weights: Weights = "ema") -> AdversarialModule:
    """A trained module whose average has the weights that are asked for.

    Args:
        run: its directory, or the .safetensors file of its averaged generator.
        checkpoint: of a directory, the last, or the best.
        weights: the average of the generator, or the generator as it was trained last.

    Raises:
        UserError: the run cannot be loaded, does not hold such weights, or some of them are not finite.
    """
    path = Path(run)
    if weights == "trained" and path.suffix == ".safetensors":
        raise UserError(f"{run} holds the averaged generator alone: name its run directory for --weights trained.")
    if checkpoint == "last" and (path / "config.yaml").is_file() and not trained(path):
        raise UserError(f"{run} holds no checkpoint: train it first, or name another run.")
    module = load(run, checkpoint)
    if weights == "trained":
        module.ema.module.load_state_dict(module.generator.state_dict())
    for name, value in module.ema.module.state_dict().items():
        if not bool(value.isfinite().all()):
            raise UserError(f"{run} has weights that are not finite ({name}): take another checkpoint.")
    return module


def truncates(module: AdversarialModule, run: str) -> None:
    """Refuses to truncate by a generator that cannot.

    Raises:
        UserError: it knows nothing of it.
    """
    if "truncation" not in inspect.signature(module.generator.forward).parameters:
        raise UserError(f"{type(module.generator).__name__} in {run} knows no truncation: leave the option out.")


def finite(output: Tensor, run: str) -> Tensor:
    """The same items [B, ...], as a network gave them.

    Raises:
        UserError: some number in them is not finite.
    """
    if not bool(output.isfinite().all()):
        raise UserError(f"{run} makes items that are not finite: take another checkpoint, or leave --truncation out.")
    return output
