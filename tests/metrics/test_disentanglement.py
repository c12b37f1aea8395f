from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score

from ganlit.errors import UserError
from ganlit.metrics.disentanglement import dci, disentanglement, mutual_information, mutual_information_gap


def factors(count: int = 1200) -> torch.Tensor:
    draws = torch.Generator().manual_seed(0)
    return torch.stack([torch.randint(levels, (count,), generator=draws) for levels in (3, 5, 4)], 1)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def mig(codes: torch.Tensor, levels: torch.Tensor) -> float:
    return mutual_information_gap(mutual_information(codes, levels), levels)


def reference_mig(codes: np.ndarray, levels: np.ndarray) -> float:
    """As disentanglement_lib has it."""
    binned = np.zeros_like(codes, dtype=int)
    for number in range(codes.shape[1]):
        binned[:, number] = np.digitize(codes[:, number], np.histogram(codes[:, number], 20)[1][:-1])
    said = np.array([[mutual_info_score(code, factor) for factor in levels.T] for code in binned.T])
    entropy = np.array([mutual_info_score(factor, factor) for factor in levels.T])
    best = np.sort(said, axis=0)[::-1]
    return float(np.mean((best[0] - best[1]) / entropy))


def test_the_gap_is_that_of_disentanglement_lib() -> None:
    levels = factors()
    codes = torch.cat([levels.double() @ noise(3, 4).double() + 0.3 * noise(1200, 4), levels.double()], 1)
    assert mig(codes, levels) == pytest.approx(reference_mig(codes.numpy(), levels.numpy()), rel=1e-9)


def test_numbers_that_are_the_factors_have_a_gap_near_one_and_those_said_twice_none() -> None:
    levels = factors()
    assert mig(levels.float(), levels) > 0.95
    assert mig(levels.float().repeat(1, 2), levels) == pytest.approx(0, abs=1e-12)


def test_a_factor_that_does_not_vary_is_left_out() -> None:
    levels = factors()
    still = torch.cat([levels, torch.zeros_like(levels[:, :1])], 1)
    assert mig(levels.float(), still) == mig(levels.float(), levels)


def test_each_number_for_one_factor_is_all_there_can_be_and_all_alike_is_nothing() -> None:
    assert disentanglement(torch.eye(3)) == pytest.approx(1)
    assert disentanglement(torch.ones(4, 3)) == pytest.approx(0)
    lopsided = torch.tensor([[3.0, 0.0], [1.0, 1.0]])  # three fifths of the weight are pure, the rest says nothing
    assert disentanglement(lopsided) == pytest.approx(0.6)
    assert disentanglement(torch.tensor([[1.0, 0.0], [0.0, 0.0]])) == pytest.approx(1)


def test_forests_tell_codes_that_are_factors_from_those_that_are_turned() -> None:
    levels = factors()
    plain = dci(levels.float() + 0.1 * noise(1200, 3), levels)
    turn, _ = torch.linalg.qr(noise(3, 3))
    turned = dci((levels.float() + 0.1 * noise(1200, 3)) @ turn, levels)
    assert min(plain) > 0.95
    assert turned.disentanglement < 0.7 < plain.disentanglement
    assert turned.completeness < 0.7 < plain.completeness


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'missing: run pip install "ganlit\[latent\]".'):
        dci(torch.zeros(4, 2), torch.zeros(4, 1, dtype=torch.long))
