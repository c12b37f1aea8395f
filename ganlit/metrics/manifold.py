"""Where generated items lie among real ones: precision, recall, density, coverage, authenticity, nearest neighbours.

Distances are Euclidean, in float64, on the device of the features, and computed in blocks: whatever the number of
features, about 50 MB beside them at 2,048 dimensions.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.metrics.blocks import slices

ROUNDING = 1e-12  # of a squared distance by products, relative to the squared lengths; the worst case at d = 4,096


class PRDC(NamedTuple):
    """Shares of 1, except density, which may be above."""

    precision: float  # of the generated items, how many are inside the real manifold
    recall: float  # of the real items, how many are inside the generated manifold
    density: float  # balls of real items around a generated one, in units of k
    coverage: float  # of the real items, how many have a generated one in their ball


def prdc(real: Tensor, fake: Tensor, k: int = 5, real_radii: Tensor | None = None) -> PRDC:
    """Improved precision and recall (arXiv 1904.06991), density and coverage (arXiv 2002.09797).

    A manifold is the union of balls around its items, each up to its k-th nearest other item. What lies on the
    surface of a ball is outside, as in the prdc package; torch-fidelity, with k = 3, counts it as inside.

    Args:
        real: [N, d].
        fake: [M, d].
        k: neighbours.
        real_radii: `radii(real, k)` where they are known.

    Raises:
        UserError: a side has no k + 1 items.
    """
    real_limits = (radii(real, k) if real_radii is None else real_radii).square()
    fake_limits = radii(fake, k).square()
    balls = torch.zeros(len(fake), dtype=torch.int64, device=fake.device)  # of real items around each fake
    recalled = torch.zeros(len(real), dtype=torch.bool, device=real.device)
    covered = torch.zeros_like(recalled)
    for rows in slices(len(real)):
        for columns in slices(len(fake)):
            squared = _squared_distances(real[rows], fake[columns])
            inside = squared < real_limits[rows, None]
            balls[columns] += inside.sum(0)
            covered[rows] |= inside.any(1)
            recalled[rows] |= (squared < fake_limits[columns]).any(1)
    return PRDC(
        precision=float((balls > 0).double().mean()),
        recall=float(recalled.double().mean()),
        density=float(balls.double().mean() / k),
        coverage=float(covered.double().mean()),
    )


def authenticity(distances: Tensor, indices: Tensor, real_nearest: Tensor) -> float:
    """Share of the generated items that are no copies (arXiv 2102.08921, the authenticity classifier).

    A copy is no farther from its nearest training item than that item is from its own nearest other one.

    Args:
        distances, indices: [M, 1], `nearest(fake, real)`.
        real_nearest: [N], `radii(real, 1)`.
    """
    return float((distances > real_nearest[indices]).double().mean())


def radii(features: Tensor, k: int) -> Tensor:
    """[N] float64: distance of each of the features [N, d] to its k-th nearest other one.

    Raises:
        UserError: there are no k + 1 features.
    """
    return nearest_others(features, k)[0][:, -1]


def nearest_others(features: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The nearest other rows of each row of features [N, d], from near to far; a duplicate is another, at distance 0.

    Returns:
        Distances [N, count] float64, and indices [N, count].

    Raises:
        UserError: there are no count + 1 rows.
    """
    if count >= len(features):
        raise UserError(
            f"The {count} nearest other items cannot be found among {len(features)}: measure {count + 1} items at "
            f"least, or take fewer neighbours."
        )
    found = _Nearest(len(features), count, features.device)
    for rows, columns in combinations_with_replacement(slices(len(features)), 2):
        squared = _squared_distances(features[rows], features[columns])
        if rows == columns:
            found.see(rows, columns, squared.fill_diagonal_(torch.inf))
        else:
            found.see(rows, columns, squared)
            found.see(columns, rows, squared.T)
    return _measured(features, features, found.indices)


def nearest(queries: Tensor, keys: Tensor, count: int = 1) -> tuple[Tensor, Tensor]:
    """The keys [M, d] that are nearest to each of the queries [N, d], from near to far.

    Returns:
        Distances [N, count] float64, and indices [N, count].

    Raises:
        UserError: there are not as many keys.
    """
    if count > len(keys):
        raise UserError(
            f"The {count} nearest items cannot be found among {len(keys)}: measure against {count} items at least, "
            f"or take fewer neighbours."
        )
    found = _Nearest(len(queries), count, queries.device)
    for rows in slices(len(queries)):
        for columns in slices(len(keys)):
            found.see(rows, columns, _squared_distances(queries[rows], keys[columns]))
    return _measured(queries, keys, found.indices)


class _Nearest:
    """The nearest columns of every row of a matrix of squared distances that comes in blocks."""

    def __init__(self, rows: int, count: int, device: torch.device) -> None:
        self.squared = torch.full((rows, count), torch.inf, dtype=torch.float64, device=device)
        self.indices = torch.zeros(rows, count, dtype=torch.int64, device=device)

    def see(self, rows: slice, columns: slice, squared: Tensor) -> None:
        count = self.indices.shape[1]
        closest = squared.topk(min(count, squared.shape[1]), largest=False)
        candidates = torch.cat([self.squared[rows], closest.values], 1)
        indices = torch.cat([self.indices[rows], closest.indices + columns.start], 1)
        self.squared[rows], kept = candidates.topk(count, largest=False)
        self.indices[rows] = indices.gather(1, kept)


def _squared_distances(queries: Tensor, keys: Tensor) -> Tensor:
    """[N, M] float64, by products, which is fast, and rounded up: what ties with a limit is not below it."""
    queries, keys = queries.double(), keys.double()
    lengths = queries.square().sum(1)[:, None] + keys.square().sum(1)
    return torch.addmm(lengths * (1 + ROUNDING), queries, keys.T, alpha=-2)


def _measured(queries: Tensor, keys: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """Distances of queries [N, d] to keys[indices [N, count]] by differences, exact for copies; both in their order."""
    distances = torch.empty(indices.shape, dtype=torch.float64, device=queries.device)
    for rows in slices(len(queries)):
        for column in range(indices.shape[1]):
            differences = queries[rows].double() - keys[indices[rows, column]].double()
            distances[rows, column] = torch.linalg.vector_norm(differences, dim=1)
    distances, order = distances.sort(dim=1, stable=True)
    return distances, indices.gather(1, order)
