"""The metrics by name: what each asks of a portrait of the generated items and of the real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, TypeVar

import torch
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.metrics import paired, plain
from ganlit.metrics.bootstrap import bootstrap
from ganlit.metrics.fidelity import ScoreSums, frechet_distance, frechet_distance_to, kernel_distances, moments
from ganlit.metrics.manifold import authenticity, nearest, prdc
from ganlit.metrics.portrait import SPLITS, Portrait, fixed_choice
from ganlit.metrics.probe import HELD_OUT
from ganlit.metrics.protocol import Protocol, metric_of
from ganlit.metrics.reality import Reality

Better = Literal["lower", "higher"]
Items = TypeVar("Items", Reference, Reality)

SUBSETS, SUBSET = 100, 1000  # of the kernel distance, as in its paper and in torch-fidelity
NEIGHBOURS = 5  # of precision, recall, density and coverage, as in the paper of the latter


class Measured(NamedTuple):
    """One number."""

    protocol: Protocol
    value: float
    spread: float | None = None
    of: str = ""  # over what: "20 bootstraps", "100 subsets", "10 splits"

    @property
    def metric(self) -> str:
        return self.protocol.metric


class Question(NamedTuple):
    """What is compared with what, and how."""

    fake: Portrait
    real: Reality
    made: str  # how the generated items were made
    replicates: int = 0  # of the bootstrap; none by default
    seed: int = 0  # of the bootstrap

    def answer(self, metric: str, value: float, variant: str = "", part: str = "") -> Measured:
        """A number of the kept items, which are all where they are not very many."""
        extractor, reference = self.real.extractor.protocol, self.real.kept_name
        return Measured(Protocol(metric, len(self.fake.rows), variant, extractor, reference, self.made, part), value)

    def answer_by_sums(self, metric: str, value: float, variant: str = "", reference: str | None = None) -> Measured:
        """A number of all items."""
        reference = self.real.name if reference is None else reference
        extractor = self.real.extractor.protocol
        return Measured(Protocol(metric, self.fake.count, variant, extractor, reference, self.made), value)


class Metric(NamedTuple):
    """How a name is answered."""

    measure: Callable[[Question], Iterator[Measured]]
    first: str  # what its first number is called
    better: Better  # of that number
    rows: bool  # asks for features one by one, of which `KEPT` items are kept
    least: int  # generated items that it needs
    real: int = 2  # real items that it needs
    within_classes: bool = False  # whether these must be of one class
    trained: bool = False  # whether these are those that were trained on, also where others are measured
    derived: Callable[[Reality], object] = lambda real: None  # has what it asks of real rows computed and stored

    def among(self, measured: Items, trained: Items | None) -> Items:
        """Which real items it asks for: those that are measured against, or, if these are others, those trained on."""
        return trained if self.trained and trained is not None else measured


def fid(question: Question) -> Iterator[Measured]:
    """Fréchet distance of all items' features (arXiv 1706.08500)."""
    fake, real = question.fake, question.real.moments
    mean, covariance = real.mean, real.covariance

    def distance(rows: Tensor) -> float:
        return frechet_distance_to(rows, mean, covariance)

    few = fake.complete and len(fake.rows) <= len(mean)
    sums = fake.moments
    value = distance(fake.rows) if few else frechet_distance(sums.mean, sums.covariance, mean, covariance)
    found = question.answer_by_sums("fid", value)
    if question.replicates > 1 and fake.complete:
        spread = bootstrap(lambda drawn: distance(fake.rows[drawn]), len(fake.rows), question.replicates, question.seed)
        found = found._replace(spread=spread, of=f"{question.replicates} bootstraps")
    yield found


def kid(question: Question) -> Iterator[Measured]:
    """Kernel distance over random subsets (arXiv 1801.01401)."""
    fake, real = question.fake.rows, question.real.rows
    size = min(SUBSET, len(fake), len(real))
    distances = kernel_distances(fake, real, SUBSETS, size)
    found = question.answer("kid", float(distances.mean()), f"{SUBSETS}x{size}")
    if size < max(len(fake), len(real)):  # else all subsets are the same
        found = found._replace(spread=float(distances.std(correction=0)), of=f"{SUBSETS} subsets")
    yield found


def inception_score(question: Question) -> Iterator[Measured]:
    """The score by the extractor's own classifier (arXiv 1606.03498); it knows no real items."""
    if question.fake.scores is not None:
        yield _score(question.answer_by_sums("is", 0.0, f"{SPLITS}splits", "-"), question.fake.scores)


def precision_recall(question: Question) -> Iterator[Measured]:
    """Precision and recall (arXiv 1904.06991), density and coverage (arXiv 2002.09797)."""
    real = question.real
    found = prdc(real.rows, question.fake.rows, NEIGHBOURS, real.radii(NEIGHBOURS))
    for name, value in found._asdict().items():
        answer = question.answer(name, value, f"k{NEIGHBOURS}")
        yield _share(answer) if name == "precision" else answer


def probe(question: Question) -> Iterator[Measured]:
    """What a classifier of the dataset's own classes says: a score like the Inception Score, and each class's share."""
    real = question.real
    if real.probe is None:
        return
    probabilities = real.probe.probabilities(question.fake.rows)
    count, classes = probabilities.shape
    sums = ScoreSums(classes, count, splits=1)
    sums.add(probabilities, torch.arange(count))
    yield question.answer("probe-is", float(sums.scores()))
    shares = torch.bincount(probabilities.argmax(1), minlength=classes).double() / count
    for name, share in zip(real.reference.classes, shares.tolist(), strict=True):
        yield _share(question.answer("share", share, part=name))


def kept(question: Question) -> Iterator[Measured]:
    """Percent of the items that a classifier of the dataset's own classes takes for what their label says."""
    real = question.real
    if real.probe is not None:
        right = real.probe.probabilities(question.fake.rows).argmax(1) == question.fake.labels
        share = _share(question.answer("kept", float(right.double().mean())))
        yield share._replace(value=100 * share.value, spread=100 * share.spread)


def class_fid(question: Question) -> Iterator[Measured]:
    """Fréchet distance within each class that both sides have two items of, and the mean over these classes."""
    fake, real = question.fake, question.real
    found = []
    for label, name in enumerate(real.reference.classes):
        made, true = fake.rows[fake.labels == label], real.rows[real.labels == label]
        if min(len(made), len(true)) > 1:
            distance = frechet_distance_to(made, *moments(true))
            found.append(question.answer("class-fid", distance, part=name))
    if found:
        mean = sum(each.value for each in found) / len(found)
        yield question.answer("class-fid", mean, part=f"mean of {len(found)}")
        yield from found


def memorisation(question: Question) -> Iterator[Measured]:
    """Whether items are copies: authenticity (arXiv 2102.08921) and the medians of the distances behind it.

    Those are from a generated item to its nearest training item, and from a training item to its nearest other one.
    """
    real, others = question.real, question.real.radii(1)
    distances, indices = nearest(question.fake.rows, real.rows)
    answer = question.answer("authenticity", authenticity(distances, indices, others))
    yield _share(answer)
    yield question.answer("nearest", float(distances.median()))
    protocol = Protocol("nearest-real", len(real.rows), "", real.extractor.protocol, real.kept_name, "real")
    yield Measured(protocol, float(others.median()))


METRICS = {
    "fid": Metric(fid, "fid", "lower", rows=False, least=2),
    "kid": Metric(kid, "kid", "lower", rows=True, least=2),
    "is": Metric(inception_score, "is", "higher", rows=False, least=SPLITS, real=0),
    "prdc": Metric(
        precision_recall,
        "precision",
        "higher",
        rows=True,
        least=NEIGHBOURS + 1,
        real=NEIGHBOURS + 1,
        derived=lambda real: real.radii(NEIGHBOURS),
    ),
    "probe": Metric(
        probe, "probe-is", "higher", rows=True, least=1, real=round(1 / HELD_OUT), derived=lambda real: real.probe
    ),
    "kept": Metric(
        kept, "kept", "higher", rows=True, least=1, real=round(1 / HELD_OUT), derived=lambda real: real.probe
    ),
    "class-fid": Metric(class_fid, "class-fid", "lower", rows=True, least=2, within_classes=True),
    "memorisation": Metric(
        memorisation, "authenticity", "higher", rows=True, least=1, trained=True, derived=lambda real: real.radii(1)
    ),
}


BETTER: dict[str, Better] = {
    **{metric.first: metric.better for metric in METRICS.values()},
    **paired.BETTER,
    **plain.BETTER,
    "code-use": "higher",
    "elbo": "lower",
    "iwae": "lower",
    "nll": "lower",
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


def _score(found: Measured, scores: Tensor) -> Measured:
    spread = float(scores.std(correction=0))
    return found._replace(value=float(scores.mean()), spread=spread, of=f"{len(scores)} splits")


def _share(found: Measured) -> Measured:
    """A share of the generated items, whose bootstrap has a closed form."""
    spread = (found.value * (1 - found.value) / found.protocol.count) ** 0.5
    return found._replace(spread=spread, of="bootstrap, exactly")
