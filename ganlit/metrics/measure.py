"""The metrics of sets by name, and what they say."""

from __future__ import annotations

from ganlit.metrics import paired, plain
from ganlit.metrics.fidelity import frechet_distance_to, moments
from ganlit.metrics.portrait import fixed_choice
from ganlit.metrics.protocol import Protocol, metric_of
from ganlit.metrics.question import Better, Measured, Metric, Question
from ganlit.metrics.reality import Reality
from ganlit.metrics.rooms import rooms
from ganlit.metrics.sets import SETS

METRICS: dict[str, Metric] = SETS | {name: each for room in rooms("sets").values() for name, each in room.SETS.items()}
"""Those of any modality, and those of one alone, which its room has."""

BETTER: dict[str, Better] = {
    **{metric.first: metric.better for metric in METRICS.values()},
    **paired.BETTER,
    **plain.BETTER,
    "code-use": "higher",
    "elbo": "lower",
    "iwae": "lower",
    "nll": "lower",
    "pathlength": "lower",
}
"""Of the first number of each metric, those that look inside a generator among them, whether higher or lower."""


def improves(name: str, value: float, best: float) -> bool:
    """Whether a value of the number of this id, the first of a metric, is better than another."""
    return value < best if BETTER.get(metric_of(name)) == "lower" else value > best


def measure(metrics: list[str], question: Question, trained: Reality | None = None) -> list[Measured]:
    """All numbers of the metrics; one that does not apply gives none, and `unavailable` says why.

    Args:
        metrics: by name.
        question: to all of them.
        trained: the real items that were trained on, where those of the question are others.
    """
    asked = {metric: question._replace(real=METRICS[metric].among(question.real, trained)) for metric in metrics}
    return [found for metric in metrics for found in METRICS[metric].measure(asked[metric])]


def floor(count: int, real: Reality) -> list[Measured]:
    """FID of `count` real items against the other real ones: what a perfect generator would be given.

    None where the others are not at least as many.
    """
    total = len(real.rows)
    if 2 * count > total or count < 2:
        return []
    order = fixed_choice(total, total)
    distance = frechet_distance_to(real.rows[order[:count]], *moments(real.rows[order[count:]]))
    protocol = Protocol("floor-fid", count, "", real.extractor.protocol, real.kept_name, "real")
    return [Measured(protocol, distance)]
