"""Metrics of sets of items of any kind: what each asks of a portrait of the generated items and of the real ones."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ganlit.metrics.bootstrap import bootstrap
from ganlit.metrics.fidelity import ScoreSums, frechet_distance, frechet_distance_to, kernel_distances, moments
from ganlit.metrics.manifold import authenticity, nearest, prdc
from ganlit.metrics.portrait import SPLITS
from ganlit.metrics.probe import HELD_OUT
from ganlit.metrics.protocol import Protocol
from ganlit.metrics.question import Measured, Metric, Question

SUBSETS, SUBSET = 100, 1000  # of the kernel distance, as in its paper and in torch-fidelity
NEIGHBOURS = 5  # of precision, recall, density and coverage, as in the paper of the latter


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
        yield share_of(answer) if name == "precision" else answer


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
        yield share_of(question.answer("share", share, part=name))


def kept(question: Question) -> Iterator[Measured]:
    """Percent of the items that a classifier of the dataset's own classes takes for what their label says."""
    real = question.real
    if real.probe is not None:
        right = real.probe.probabilities(question.fake.rows).argmax(1) == question.fake.labels
        share = share_of(question.answer("kept", float(right.double().mean())))
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
    yield share_of(answer)
    yield question.answer("nearest", float(distances.median()))
    protocol = Protocol("nearest-real", len(real.rows), "", real.extractor.protocol, real.kept_name, "real")
    yield Measured(protocol, float(others.median()))


def _score(found: Measured, scores: Tensor) -> Measured:
    spread = float(scores.std(correction=0))
    return found._replace(value=float(scores.mean()), spread=spread, of=f"{len(scores)} splits")


def share_of(found: Measured) -> Measured:
    """A share of the generated items, whose bootstrap has a closed form."""
    spread = (found.value * (1 - found.value) / found.protocol.count) ** 0.5
    return found._replace(spread=spread, of="bootstrap, exactly")


SETS = {
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
"""By name."""
