"""Metrics of two sets of items as they are, which no extractor sees: those of texts, by name."""

from __future__ import annotations

from ganlit.contracts import Modality, Reference
from ganlit.errors import UserError
from ganlit.metrics.likeness import Plain
from ganlit.metrics.rooms import rooms

ROOMS = rooms("plain")
"""By modality what builds a metric by its name (`PLAIN`), which of them are about what was `TRAINED` on, whether higher
or lower is `BETTER`, and `read`, by which options behind a name are understood."""

BETTER = {name: better for room in ROOMS.values() for name, better in room.BETTER.items()}


def built(asked: str, reference: Reference, trained: Reference | None, modality: Modality) -> Plain:
    """A metric as it is asked for.

    Args:
        asked: its name, with options behind it: "bleu-4-characters".
        reference: the real items.
        trained: those that were trained on, where they are others.
        modality: of all.

    Raises:
        UserError: it cannot be had of such items.
    """
    room = ROOMS[modality.name]
    metric = metric_of(asked)
    real = trained if metric in room.TRAINED and trained is not None else reference
    return room.PLAIN[metric](room.read(metric, asked.removeprefix(metric)), real, modality)


def names(modality: str | None = None) -> list[str]:
    """All such metrics, of a modality or of any."""
    return [name for known, room in ROOMS.items() if modality in (None, known) for name in room.PLAIN]


def metric_of(asked: str) -> str | None:
    """The metric that is meant by a name with options behind it; None where there is none."""
    return next((name for name in names() if f"{asked}-".startswith(f"{name}-")), None)


def trained(asked: str) -> bool:
    """Whether a metric is about what was trained on."""
    return any(metric_of(asked) in room.TRAINED for room in ROOMS.values())


def understood(metric: str, options: str) -> None:
    """Refuses options behind a metric's name that mean nothing.

    Raises:
        UserError: they do not.
    """
    room = next((room for room in ROOMS.values() if metric in room.PLAIN), None)
    if room is None:
        raise UserError(f"there is no metric {metric}.")
    room.read(metric, options)
