"""How good texts are one by one, where something is known that tells it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganlit.contracts import Modality
from ganlit.errors import UserError
from ganlit.metrics.features import digest
from ganlit.metrics.likeness import Likeness


def oracle_nll(option: str, kind: Modality, device: torch.device | str) -> Likeness:
    """How improbable each sequence is to the oracle that real ones come from: the mean over symbols of -log p in nats.

    Raises:
        UserError: there is no oracle.
    """
    oracle = getattr(kind, "oracle", None)
    if oracle is None:
        raise UserError("oracle-nll asks the oracle of OracleTexts, and these texts are from elsewhere: leave it out.")

    def seen(output: Tensor) -> Tensor:
        return oracle.nll(output.cpu()).double()

    return Likeness(f"oracle@{digest(oracle.state_dict())}", seen)


PAIRED: dict[str, Callable[[str, Modality, torch.device | str], Likeness]] = {}
"""No text has a target."""

ALONE = {"oracle-nll": oracle_nll}

BETTER = {"oracle": "lower"}
"""As ids have it, where what is behind the first hyphen is a variant."""


def read(metric: str, options: str) -> str:
    """The option behind a metric's name: there is none.

    Raises:
        UserError: there is.
    """
    if options:
        raise UserError(f"{metric}{options}: write {metric} alone.")
    return options


def depth(items: Tensor) -> str:
    """What ids say of texts that are stored in an unusual way: there is none."""
    return ""
