"""How well single numbers of a code say single factors of what is coded: the mutual information gap, and DCI."""

from __future__ import annotations

import importlib.util
import math
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.errors import UserError

BINS = 20  # of each number of a code, as in disentanglement_lib
HELD_OUT = 0.5  # of the items: how right the forests are, is measured on these
TREES = 50


class Dci(NamedTuple):
    """Each from 0 to 1, and best at 1."""

    disentanglement: float  # whether each number of the code speaks of one factor
    completeness: float  # whether of each factor one number speaks
    informativeness: float  # share of levels that are told rightly, over factors, of items kept away


def mutual_information_gap(said: Tensor, levels: Tensor) -> float:
    """MIG: by how much more the best number of a code says of a factor than the next one, in parts of its entropy.

    The mean over the factors that vary (Chen et al., arXiv 1802.04942, equation 6).

    Args:
        said: [D, F] what each number says of each factor, see `mutual_information`; D at least 2.
        levels: [N, F] int64, from 0 on: which of its values each factor has.
    """
    best = said[:, varies(levels)].topk(2, 0).values
    return float((best[0] - best[1]).mean())


def mutual_information(codes: Tensor, levels: Tensor) -> Tensor:
    """What each number of a code says of each factor, [D, F] float64, in parts of the factor's entropy.

    Numbers are cut into 20 bins of equal width, as in disentanglement_lib. Of a factor that does not vary nothing can
    be said: 0.

    Args:
        codes: [N, D] of items.
        levels: [N, F] int64, from 0 on: which of its values each factor has.
    """
    binned = torch.stack([_binned(code) for code in codes.double().T], 1)
    found = torch.zeros(codes.shape[1], levels.shape[1], dtype=torch.float64)
    for place in varies(levels).nonzero().flatten().tolist():
        factor = levels[:, place]
        entropy = _entropy(factor.bincount().double())
        said = [_mutual_information(number, factor) / entropy for number in binned.T]
        found[:, place] = torch.tensor(said, dtype=torch.float64)
    return found


def varies(levels: Tensor) -> Tensor:
    """Which factors have more than one value, [F] bool."""
    return (levels != levels[:1]).any(0)


def dci(codes: Tensor, levels: Tensor, seed: int = 0) -> Dci:
    """Disentanglement, completeness and informativeness (Eastwood and Williams, ICLR 2018, section 2), by forests.

    Args:
        codes: [N, D] of items in random order.
        levels: [N, F] int64: which of its values each factor has.
        seed: of the forests.

    Raises:
        UserError: scikit-learn is not installed.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise UserError('DCI is found by forests of scikit-learn, which is missing: run pip install "ganlit[latent]".')
    from sklearn.ensemble import RandomForestClassifier  # takes two seconds

    fitted = len(codes) - round(HELD_OUT * len(codes))
    x, weights, right = codes.numpy(), [], []
    for factor in levels.T:
        y = factor.numpy()
        forest = RandomForestClassifier(TREES, max_features=None, random_state=seed).fit(x[:fitted], y[:fitted])
        weights.append(torch.from_numpy(forest.feature_importances_))
        right.append(float(forest.score(x[fitted:], y[fitted:])))
    importance = torch.stack(weights, 1)
    return Dci(disentanglement(importance), disentanglement(importance.T), sum(right) / len(right))


def disentanglement(importance: Tensor) -> float:
    """1 less the entropy of what each row's weights are spread over, rows counted by their sums.

    Args:
        importance: [D, F], not negative: of each number of a code for each factor. Its transpose gives completeness.
    """
    sums = importance.sum(1)
    entropies = torch.tensor([_entropy(row) for row in importance]) / math.log(importance.shape[1])
    return float((sums * (1 - entropies)).sum() / sums.sum())


def _binned(values: Tensor) -> Tensor:
    """Which of 20 bins of equal width, from the least to the greatest of them, each [N] is in, [N] int64."""
    low, high = values.aminmax()
    if low == high:
        return torch.zeros_like(values, dtype=torch.long)
    return ((values - low) / (high - low) * BINS).long().clamp(max=BINS - 1)


def _mutual_information(first: Tensor, second: Tensor) -> float:
    """Of two numberings [N] int64, in nats."""
    width = int(second.max()) + 1
    joint = (first * width + second).bincount(minlength=(int(first.max()) + 1) * width).double().view(-1, width)
    return _entropy(joint.sum(0)) + _entropy(joint.sum(1)) - _entropy(joint.flatten())


def _entropy(weights: Tensor) -> float:
    """In nats, of what is distributed by weights [K]; 0 where all are 0."""
    weights = weights.double()
    shares = weights / weights.sum().clamp(min=1e-300)
    return float(-torch.xlogy(shares, shares).sum())
