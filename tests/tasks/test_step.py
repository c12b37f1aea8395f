"""The parts of a step: what seeds it, and how optimizers go over parameters."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganlit.tasks.step import fused, reseed


def test_a_step_is_seeded_as_torch_would_seed_it() -> None:
    for seed in (0, 7, 2**63 + 11):
        torch.manual_seed(seed)
        expected = torch.rand(5)
        torch.rand(3)
        reseed(seed)
        assert torch.equal(torch.rand(5), expected)


def moved(optimizer: torch.optim.Optimizer, parameters: list[Tensor]) -> list[Tensor]:
    torch.manual_seed(0)
    for _ in range(20):
        for parameter in parameters:
            parameter.grad = torch.randn_like(parameter)
        optimizer.step()
    return [parameter.detach() for parameter in parameters]


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW])
def test_an_optimizer_in_one_call_moves_parameters_as_it_did(kind: Any) -> None:
    network = nn.Sequential(nn.Linear(5, 7), nn.Linear(7, 3)).double()
    settings = {"lr": 0.01, "betas": (0.0, 0.99), "weight_decay": 0.1}
    plain, one = list(network.parameters()), list(copy.deepcopy(network).parameters())
    expected = moved(kind(plain, **settings), plain)
    optimizer = fused(kind(one, **settings))
    assert optimizer.param_groups[0]["fused"]
    torch.testing.assert_close(moved(optimizer, one), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("asked", [{"fused": False}, {"foreach": True}, {"differentiable": True}])
def test_an_optimizer_goes_over_parameters_as_its_settings_say(asked: dict[str, bool]) -> None:
    optimizer = fused(torch.optim.Adam([torch.zeros(2, requires_grad=True)], **asked))
    assert not optimizer.param_groups[0]["fused"]


def test_other_optimizers_stay_as_they_are() -> None:
    optimizer = torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=0.1)
    assert fused(optimizer) is optimizer
    assert not optimizer.param_groups[0]["fused"]


def test_on_other_devices_an_optimizer_goes_over_parameters_as_it_did() -> None:
    optimizer = fused(torch.optim.Adam([torch.zeros(2, requires_grad=True, device="meta")]))
    assert not optimizer.param_groups[0]["fused"]
