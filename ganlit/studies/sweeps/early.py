"""When trials of a sweep end early: `early_terminate` in sweep.yaml, by W&B's own keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, get_type_hints

from ganlit.errors import UserError
from ganlit.metrics.pruning import OF_RULES, EarlyTerminate
from ganlit.records.state import fits
from ganlit.studies.sweeps.parameters import nearest

TAKES = {"eta": "a number above 1", "strict": "true or false"}
"""What keys take that do not take a whole number."""


def early_termination(
    given: Any, metric: tuple[str, Literal["minimize", "maximize"]] | None, path: Path
) -> EarlyTerminate | None:
    """The rule that a sweep names; None where each trial runs to its end.

    Args:
        given: what stands under `early_terminate`.
        metric: name and goal of that of the sweep.
        path: of sweep.yaml, for a refusal.

    Raises:
        UserError: it is no rule, or there is no metric to judge by.
    """
    if given is None:
        return None
    kind = given.get("type") if isinstance(given, dict) else given
    if not isinstance(given, dict) or not isinstance(kind, str) or kind not in OF_RULES:
        raise UserError(
            f"{path}: early_terminate.type is {json.dumps(kind)}: give {' or '.join(OF_RULES)}, as in early_terminate: "
            "{type: hyperband, min_iter: 3}."
        )
    kinds = get_type_hints(EarlyTerminate)
    for key, value in given.items():
        if key not in (known := ["type", *OF_RULES[kind]]):
            hint = nearest(str(key), known)
            raise UserError(f"{path}: early_terminate of type {kind} has an unknown key {key}{hint}.")
        if not fits(value, kinds[key]):
            takes = TAKES.get(key, "a whole number")
            raise UserError(f"{path}: early_terminate.{key} is {json.dumps(value)}: give {takes}.")
    if metric is None:
        raise UserError(f"{path} has no metric to end trials by: give metric: {{name: fid2k, goal: minimize}}.")
    try:
        return EarlyTerminate(*metric, **given)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
