"""Distances between two sets of features, and the score of one set of class probabilities.

All in float64, with the mathematics of torchmetrics and torch-fidelity and a shorter way there.
"""

from __future__ import annotations

import torch
from torch import Tensor

ROWS = 1024  # of a kernel matrix held at a time: bounds its memory for any number of features


class Moments:
    """Mean and covariance of features that come in pieces; the memory does not grow with their number.

    Args:
        dim: length of a feature.
    """

    def __init__(self, dim: int) -> None:
        self.count = 0
        self.total = torch.zeros(dim, dtype=torch.float64)
        self.products = torch.zeros(dim, dim, dtype=torch.float64)

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
    root = _root(covariance1)
    return _frechet(mean1, covariance1.trace(), mean2, covariance2.trace(), root.T @ covariance2 @ root)


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
    return float((mean1 - mean2).square().sum() + trace1 + trace2 - 2 * overlap)


def _root(covariance: Tensor) -> Tensor:
    """R with R @ R.T the covariance: Cholesky's, or one from eigenvectors where the covariance is singular."""
    lower, failed = torch.linalg.cholesky_ex(covariance)
    if not failed:
        return lower
    values, vectors = torch.linalg.eigh(covariance)
    return vectors * values.clamp_min(0).sqrt()


def kernel_distance(features1: Tensor, features2: Tensor, within1: float | None = None) -> float:
    """Unbiased squared maximum mean discrepancy under the kernel (x.y / d + 1)^3: KID (arXiv 1801.01401).

    Over all pairs. torchmetrics and torch-fidelity average it over random subsets of 1,000: of the same expectation and
    a larger variance, and not defined for fewer images.

    Args:
        features1: [M, d].
        features2: [N, d].
        within1: `kernel_mean(features1)` where it is known.
    """
    within1 = kernel_mean(features1) if within1 is None else within1
    between = _kernel_sum(features1, features2) / (len(features1) * len(features2))
    return within1 + kernel_mean(features2) - 2 * between


def kernel_mean(features: Tensor) -> float:
    """Mean of the kernel over all pairs of different rows of features [N, d]."""
    count, dim = features.shape
    diagonal = float(_kernel(features.double().square().sum(1), dim).sum())
    return (_kernel_sum(features, features) - diagonal) / (count * (count - 1))


def _kernel_sum(features1: Tensor, features2: Tensor) -> float:
    columns = features2.double().T
    return sum(float(_kernel(rows.double() @ columns, len(columns)).sum()) for rows in features1.split(ROWS))


def _kernel(products: Tensor, dim: int) -> Tensor:
    return (products / dim + 1) ** 3


def inception_score(probabilities: Tensor, splits: int = 1) -> float:
    """exp of the mean divergence of p(y|x) from p(y) (arXiv 1606.03498, section 4), averaged over consecutive splits.

    From 1 to the number of classes. Papers use 10 splits of 5,000; a small set needs one, since each estimates p(y).

    Args:
        probabilities: [N, K], rows sum to one.
    """
    scores = []
    for conditional in probabilities.double().chunk(splits):
        marginal = conditional.mean(0)
        divergence = torch.special.xlogy(conditional, conditional) - torch.special.xlogy(conditional, marginal)
        scores.append(divergence.sum(1).mean().exp())
    return float(torch.stack(scores).mean())
