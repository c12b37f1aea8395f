"""What is known of the real images: computed once for a dataset and an extractor, then read from the cache."""

from __future__ import annotations

import os
import pickle
import re
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.durable import replacing
from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.fidelity import Moments, kernel_mean
from ganlit.metrics.probe import Probe, fit_probe

VERSION = 1  # of what is computed and stored here
KEPT = 20_000  # features kept, chosen at random, for what needs them one by one: 160 MB at 2,048 dimensions
BLOCK = 1024  # images between two updates of the moments
PATIENCE = 15.0  # seconds between two lines about the progress

Say = Callable[[str], None]


class Statistics(NamedTuple):
    """The real side of every metric: mean and covariance of all images, the rest of at most `KEPT`."""

    count: int  # images behind mean and covariance
    mean: Tensor  # [d] float64
    covariance: Tensor  # [d, d] float64
    features: Tensor  # [M, d] float32
    labels: Tensor  # [M] int64
    kernel: float  # `kernel_mean` of the features
    probe: Probe | None  # where there are two classes or more


def subset(reference: Reference, count: int) -> Reference:
    """A fixed random choice of the real images under a name of its own, such as digits-train-1000.

    Raises:
        UserError: there are not as many.
    """
    total = len(reference.images)
    if not 1 < count <= total:
        raise UserError(f"fidelity.reference_images is {count}, but {reference.name} has {total} images.")
    chosen = fixed_choice(total, count)
    return reference._replace(
        name=f"{reference.name}-{count}",
        digest=f"{reference.digest}-{count}",
        images=reference.images[chosen],
        labels=reference.labels[chosen],
    )


def reference_statistics(reference: Reference, extractor: FeatureExtractor, say: Say = print) -> Statistics:
    """The statistics of a reference, from $GANLIT_CACHE/statistics (~/.cache/ganlit/statistics) or computed into it."""
    path = _entry(reference, extractor)
    statistics = _read(path, say)
    if statistics is None:
        statistics = _compute(reference, extractor, say)
        _write(statistics, path, say)
    return statistics


def _entry(reference: Reference, extractor: FeatureExtractor) -> Path:
    cache = Path(os.environ.get("GANLIT_CACHE", "~/.cache/ganlit")).expanduser() / "statistics"
    parts = (VERSION, reference.digest, tuple(reference.images.shape), len(reference.classes), extractor.protocol)
    key = blake2b(repr(parts).encode(), digest_size=8).hexdigest()
    return cache / re.sub(r"[^\w.-]", "_", f"{reference.name}-{extractor.protocol}-{key}.pt")


def _read(path: Path, say: Say) -> Statistics | None:
    if not path.is_file():
        return None
    try:
        entry = torch.load(path, map_location="cpu", weights_only=True)
        probe = entry.pop("probe")
        return Statistics(**entry, probe=Probe(**probe) if probe else None)
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, TypeError, AttributeError):
        say(f"Real statistics: {path} is damaged and computed again.")
        return None


def _write(statistics: Statistics, path: Path, say: Say) -> None:
    entry = statistics._asdict() | {"probe": statistics.probe._asdict() if statistics.probe else None}
    try:
        with replacing(path) as partial:
            torch.save(entry, partial)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        say(f"Real statistics: not cached, {path.parent} cannot be written ({error}): set GANLIT_CACHE to another.")


def _compute(reference: Reference, extractor: FeatureExtractor, say: Say) -> Statistics:
    total = len(reference.images)
    say(f"Real statistics: {total:,} images of {reference.name} through {extractor.protocol}, once and then cached.")
    advance = _progress(total, say)
    sums, kept = Moments(extractor.dim), []
    keep = torch.zeros(total, dtype=torch.bool)
    keep[fixed_choice(total, KEPT)] = True
    for block, mask in zip(reference.images.split(BLOCK), keep.split(BLOCK), strict=True):
        features = extractor.extract(block, advance)["pool"]
        sums.add(features)
        kept.append(features[mask])
    features, labels, classes = torch.cat(kept), reference.labels[keep], len(reference.classes)
    probe = fit_probe(features, labels, classes) if classes > 1 else None
    return Statistics(total, sums.mean, sums.covariance, features, labels, kernel_mean(features), probe)


def fixed_choice(total: int, count: int) -> Tensor:
    """Fixed random indices: a dataset may be sorted by class."""
    return torch.randperm(total, generator=torch.Generator().manual_seed(0))[:count]


def _progress(total: int, say: Say) -> Callable[[int], None]:
    """Tells now and then how far it is and how long it will take."""
    start = told = time.monotonic()
    done = 0

    def advance(count: int) -> None:
        nonlocal done, told
        done += count
        now = time.monotonic()
        if now - told > PATIENCE and done < total:
            told = now
            left = (now - start) / done * (total - done)
            say(f"Real statistics: {done:,} of {total:,} images, {left:.0f} s left.")

    return advance
