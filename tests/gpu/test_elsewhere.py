"""The device that is nowhere refuses and counts what a GPU would: else the tests on it would show nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from duels import duel, example
from elsewhere import AUTOCAST, DEVICE, reads, there
from torch import Tensor, nn


def test_numbers_are_those_of_the_cpu_to_the_second_derivative() -> None:
    def found(device: torch.device | str) -> Tensor:
        torch.manual_seed(0)
        layer = nn.Linear(3, 3).to(device)
        x = torch.randn(2, 3, device=device, requires_grad=True)
        (slope,) = torch.autograd.grad(layer(x).tanh().sum(), x, create_graph=True)
        slope.square().sum().backward()
        assert layer.weight.grad.device.type == torch.device(device).type
        return layer.weight.grad.cpu()

    here = found("cpu")
    with there() as device:
        assert torch.equal(found(device), here)


MIXED: dict[str, Callable[[Tensor, Tensor], object]] = {
    "sum": lambda here, away: here + away,
    "in place": lambda here, away: away.mul_(here),
    "product": lambda here, away: away @ here,
    "list": lambda here, away: torch.cat([here, away]),
    "choice": lambda here, away: torch.where(away > 0, here, away),
    "layer": lambda here, away: nn.Linear(2, 2)(away),
}


@pytest.mark.parametrize("name", MIXED)
def test_tensors_here_and_there_do_not_meet(name: str) -> None:
    with there() as device, pytest.raises(RuntimeError, match="same device"):
        MIXED[name](torch.ones(2, 2), torch.ones(2, 2, device=device))


def test_numbers_of_the_cpu_go_anywhere() -> None:
    with there() as device:
        assert (torch.ones(2, device=device) * torch.tensor(3.0)).tolist() == [3, 3]


WAITS: dict[str, Callable[[Tensor], object]] = {
    "item": lambda away: away[0].item(),
    "condition": lambda away: bool(away[0] > 0),
    "list": lambda away: away.tolist(),
    "home": lambda away: away.cpu(),
    "mask": lambda away: away[away > 0],
    "put by a mask": lambda away: put(away, away.clone()),
    "count": lambda away: torch.bincount(away.long(), minlength=2),
    "from the host": lambda away: torch.tensor(1.0, device=DEVICE),
    "moved": lambda away: torch.ones(2).to(DEVICE),
}
GOES_ON: dict[str, Callable[[Tensor], object]] = {
    "arithmetic": lambda away: (away * 2 + 1).sum().clamp(min=0),
    "made there": lambda away: torch.randn(3, device=DEVICE),
    "sent": lambda away: torch.ones(2).to(DEVICE, non_blocking=True),
    "copied there": lambda away: away.clone().copy_(away),
    "filled by a mask": lambda away: put(away, 3),
}


def put(away: Tensor, value: Tensor | int) -> None:
    away[away > 0] = value


@pytest.mark.parametrize("name", [*WAITS, *GOES_ON])
def test_the_host_waits_where_it_wants_to_know(name: str) -> None:
    with there() as device:
        away, before = torch.ones(2, device=device), reads.total()
        (WAITS | GOES_ON)[name](away)
        assert reads.total() - before == (name in WAITS)


def test_a_line_that_forgets_the_device_fails() -> None:
    with there() as device:
        module = duel().to(device)
        module.sample(module.transfer_batch_to_device(example(), device, 0))
        with pytest.raises(RuntimeError, match="same device"):
            module.sample(example())


def test_torchs_own_device_of_that_name_is_as_ever() -> None:
    with there():
        pass
    assert type(torch.ones(2, device=DEVICE)) is Tensor
    assert torch.autocast is AUTOCAST
