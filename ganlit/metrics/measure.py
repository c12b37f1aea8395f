"""Every measure of generated images under a name that says how it was made."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.fidelity import frechet_distance_to, inception_score, kernel_distance, moments
from ganlit.metrics.statistics import Statistics, fixed_choice


def measure(
    features: dict[str, Tensor], statistics: Statistics, reference: Reference, extractor: FeatureExtractor
) -> dict[str, float]:
    """FID, KID, Inception Scores and class shares of N generated images.

    A name is measure and N / extractor and resize / reference: fid2k/inception-2015-12-05/legacy/digits-train. What the
    class probe says carries its name: is2k/probe-digits-train/..., share2k/probe-digits-train/.../<class>.

    Args:
        features: the extractor's of the generated images.
        statistics: of the reference.

    Raises:
        UserError: there are fewer than two images.
    """
    pool = features["pool"]
    if len(pool) < 2:
        raise UserError(
            f"FID needs two images at least, not {len(pool)}: raise data.init_args.val_images or test_images."
        )
    size, seen_by = abbreviated(len(pool)), extractor.protocol
    kept = _kept_name(statistics, reference)
    values = {
        f"fid{size}/{seen_by}/{reference.name}": frechet_distance_to(pool, statistics.mean, statistics.covariance),
        f"kid{size}-all-pairs/{seen_by}/{kept}": kernel_distance(statistics.features, pool, statistics.kernel),
    }
    if "logits" in features:
        values[f"is{size}/{seen_by}"] = inception_score(features["logits"].double().softmax(1))
    if statistics.probe is not None:
        probabilities = statistics.probe.probabilities(pool)
        shares = torch.bincount(probabilities.argmax(1), minlength=len(reference.classes)).double() / len(pool)
        values[f"is{size}/probe-{kept}/{seen_by}"] = inception_score(probabilities)
        for name, share in zip(reference.classes, shares.tolist(), strict=True):
            values[f"share{size}/probe-{kept}/{seen_by}/{name}"] = share
    return values


def floor(count: int, statistics: Statistics, reference: Reference, extractor: FeatureExtractor) -> dict[str, float]:
    """FID of `count` real images against the other real ones: what a perfect generator would be given.

    Empty where the others are not at least as many.
    """
    total = len(statistics.features)
    if 2 * count > total:
        return {}
    order = fixed_choice(total, total)
    some, others = statistics.features[order[:count]], statistics.features[order[count:]]
    name = f"floor-fid{abbreviated(count)}/{extractor.protocol}/{_kept_name(statistics, reference)}"
    return {name: frechet_distance_to(some, *moments(others))}


def abbreviated(count: int) -> str:
    """2000 is "2k", 250 is "250"."""
    return f"{count // 1000}k" if count and count % 1000 == 0 else str(count)


def _kept_name(statistics: Statistics, reference: Reference) -> str:
    """What needs features one by one is measured against the kept ones, which a huge reference has more than."""
    kept = len(statistics.features)
    return reference.name if kept == statistics.count else f"{reference.name}-{kept}"
