"""Distances between two sets of features, and the score of one set of class probabilities.

All in float64, on the device of the features; equal to torch-fidelity, by a shorter way.
"""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.metrics.blocks import slices


class Moments:
    """Mean and covariance of features that come in pieces; the memory does not grow with their number.

    Those of several processes are the `Moments` whose `count`, `total` and `products` are the sums of theirs. Where the
    features' mean is 10,000 times their deviation the covariance is right to 1e-6 of the variance.

    Args:
        dim: length of a feature.
        device: of the sums and of the features to come.
    """

    def __init__(self, dim: int, device: torch.device | str = "cpu") -> None:
        self.count = 0
        self.total = torch.zeros(dim, dtype=torch.float64, device=device)
        self.products = torch.zeros(dim, dim, dtype=torch.float64, device=device)

    def add(self, features: Tensor) -> None:
        """Takes features [N, dim]."""
        features = features.double()
        self.count += len(features)
        self.total += features.sum(0)
        self.products.addmm_(features.T, features)

    @property
    def mean(self) -> Tensor:
        """[dim] float64."""
        return self.total / self.count

    @property
    def covariance(self) -> Tensor:
        """[dim, dim] float64, unbiased."""
        return (self.products - self.count * torch.outer(self.mean, self.mean)) / (self.count - 1)


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean [d] and unbiased covariance [d, d] of features [N, d], in float64."""
    features = features.double()
    return features.mean(0), torch.cov(features.T)


def frechet_distance(mean1: Tensor, covariance1: Tensor, mean2: Tensor, covariance2: Tensor) -> float:
    """Squared Fréchet distance of two Gaussians (arXiv 1706.08500, equation 6): FID when they are fitted to features.

    Args:
        mean1, mean2: [d] float64.
        covariance1, covariance2: [d, d] float64, symmetric and positive semidefinite.
    """
    product = _symmetric_product(covariance1, covariance2)
    return _frechet(mean1, covariance1.trace(), mean2, covariance2.trace(), product)


def frechet_distance_to(features: Tensor, mean: Tensor, covariance: Tensor) -> float:
    """`frechet_distance` between the Gaussian of features [N, d] and a given one, on the smaller side of N and d."""
    if len(features) > features.shape[1]:
        return frechet_distance(*moments(features), mean, covariance)
    features = features.double()
    centred = (features - features.mean(0)) / (len(features) - 1) ** 0.5  # its covariance is centred.T @ centred
    return _frechet(
        features.mean(0), centred.square().sum(), mean, covariance.trace(), centred @ covariance @ centred.T
    )


def _frechet(mean1: Tensor, trace1: Tensor, mean2: Tensor, trace2: Tensor, product: Tensor) -> float:
    """`product` is symmetric and has the non-zero eigenvalues of covariance1 @ covariance2."""
    overlap = torch.linalg.eigvalsh(product).clamp_min(0).sqrt().sum()
    return float(((mean1 - mean2).square().sum() + trace1 + trace2 - 2 * overlap).clamp_min(0))


def _symmetric_product(covariance1: Tensor, covariance2: Tensor) -> Tensor:
    """R.T @ B @ R, where one covariance is R @ R.T and B the other: of the eigenvalues of A @ B, and symmetric."""
    for covariance, other in ((covariance1, covariance2), (covariance2, covariance1)):
        root, failed = torch.linalg.cholesky_ex(covariance)
        if not failed:
            return root.T @ other @ root
    values, vectors = torch.linalg.eigh(covariance1)  # both are singular: what is left out here is nothing but rounding
    certain = values > values[-1] * len(values) * torch.finfo(values.dtype).eps
    root = vectors[:, certain] * values[certain].sqrt()
    return root.T @ covariance2 @ root


def kernel_distances(
    features1: Tensor, features2: Tensor, subsets: int = 100, size: int = 1000, seed: int = 2020
) -> Tensor:
    """KID (arXiv 1801.01401) of random subsets: unbiased squared maximum mean discrepancies under (x.y / d + 1)^3.

    Their mean and (biased) standard deviation are those of torch-fidelity, which draws the same subsets. Where the
    items have fewer pairs than the subsets together, the kernel of each pair is computed once for all subsets.

    Args:
        features1: [N, d], generated.
        features2: [M, d], real.
        subsets: their number S.
        size: items of each side in a subset.
        seed: of the draw.

    Returns:
        [S] float64, on the features' device.

    Raises:
        UserError: a side has fewer than `size` items.
    """
    counts = len(features1), len(features2)
    if size > min(counts):
        raise UserError(
            f"KID over subsets of {size:,} has too few samples, {counts[0]:,} generated and {counts[1]:,} real: "
            f"measure more images, or take subsets of {min(counts):,} at most."
        )
    random = np.random.RandomState(seed)
    draws = [[torch.from_numpy(random.choice(count, size, replace=False)) for count in counts] for _ in range(subsets)]
    drawn1, drawn2 = (torch.stack(drawn).to(features1.device) for drawn in zip(*draws, strict=True))
    if sum(counts) ** 2 < subsets * (2 * size) ** 2:
        return _discrepancies(features1, features2, _members(drawn1, counts[0]), _members(drawn2, counts[1]), size)
    everyone = torch.ones(size, 1, dtype=torch.float64, device=features1.device)
    subset_pairs = ((features1[a].double(), features2[b].double()) for a, b in zip(drawn1, drawn2, strict=True))
    return torch.cat([_discrepancies(one, two, everyone, everyone, size) for one, two in subset_pairs])


def _members(drawn: Tensor, count: int) -> Tensor:
    """[count, S] of zeros and ones: who is in each subset, from the indices [S, size] of its members."""
    members = torch.zeros(count, len(drawn), dtype=torch.float64, device=drawn.device)
    return members.scatter_(0, drawn.T, 1)


def _discrepancies(features1: Tensor, features2: Tensor, members1: Tensor, members2: Tensor, size: int) -> Tensor:
    """[S]: squared maximum mean discrepancy of each pair of subsets, given by members1 [N, S] and members2 [M, S]."""
    within = _kernel_sums_within(features1, members1) + _kernel_sums_within(features2, members2)
    return within / (size * (size - 1)) - 2 * _kernel_sums_between(features1, features2, members1, members2) / size**2


def _kernel_sums_within(features: Tensor, members: Tensor) -> Tensor:
    """[S]: sum of the kernel over all pairs of different members of each subset."""
    sums = torch.zeros_like(members[0])
    for rows, columns in combinations_with_replacement(slices(len(features)), 2):
        kernel = _kernel(features[rows], features[columns])
        if rows == columns:
            kernel.fill_diagonal_(0)
        sums += (1 if rows == columns else 2) * (members[rows] * (kernel @ members[columns])).sum(0)
    return sums


def _kernel_sums_between(features1: Tensor, features2: Tensor, members1: Tensor, members2: Tensor) -> Tensor:
    """[S]: sum of the kernel over all pairs of one member of each side's subset."""
    sums = torch.zeros_like(members1[0])
    for rows in slices(len(features1)):
        for columns in slices(len(features2)):
            kernel = _kernel(features1[rows], features2[columns])
            sums += (members1[rows] * (kernel @ members2[columns])).sum(0)
    return sums


def _kernel(features1: Tensor, features2: Tensor) -> Tensor:
    return (features1.double() @ features2.double().T).div_(features1.shape[1]).add_(1).pow_(3)


class ScoreSums:
    """The Inception Score (arXiv 1606.03498, section 4) of items that come in pieces and in any order.

    It is exp of the mean divergence of p(y|x) from p(y): from 1 to the number of classes. Papers average it over 10
    splits of 5,000 images; a small set needs one, since each split estimates p(y). An item belongs to the split in
    which torch-fidelity puts it. Of the items only the number of its split is kept, two bytes each; the score of
    several processes is that of the `ScoreSums` whose `counts`, `total` and `entropies` are the sums of theirs.

    Args:
        classes: their number K.
        count: all items to come, on all processes.
        splits: parts of the items, each with a score of its own.
        seed: of the permutation that is split.
        device: of the sums and of the probabilities to come.

    Raises:
        UserError: there are fewer items than splits.
    """

    def __init__(
        self, classes: int, count: int, splits: int = 10, seed: int = 2020, device: torch.device | str = "cpu"
    ) -> None:
        if count < splits:
            raise UserError(
                f"The Inception Score in {splits} splits has too few samples, {count}: measure {splits} at least."
            )
        permutation = torch.from_numpy(np.random.RandomState(seed).permutation(count))
        self.split = torch.empty(count, dtype=torch.int16)
        for index in range(splits):
            self.split[permutation[index * count // splits : (index + 1) * count // splits]] = index
        self.split = self.split.to(device)
        self.counts = torch.zeros(splits, dtype=torch.float64, device=device)
        self.total = torch.zeros(splits, classes, dtype=torch.float64, device=device)  # of p
        self.entropies = torch.zeros(splits, dtype=torch.float64, device=device)  # sums of -p log p

    def add(self, probabilities: Tensor, indices: Tensor) -> None:
        """Takes p(y|x) [B, K], rows of sum one, of the items of these indices [B] in [0, count)."""
        probabilities = probabilities.double()
        split = self.split[indices.to(self.split.device)]
        members = (split == torch.arange(len(self.counts), device=split.device)[:, None]).double()
        self.counts += members.sum(1)
        self.total += members @ probabilities
        self.entropies += members @ torch.special.entr(probabilities).sum(1)

    def scores(self) -> Tensor:
        """[splits] float64; papers give their mean and (biased) standard deviation."""
        marginal = self.total / self.counts[:, None]
        return (torch.special.entr(marginal).sum(1) - self.entropies / self.counts).exp()
