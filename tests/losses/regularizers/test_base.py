"""When a regularizer is due, how heavy it is, and in which precision it is computed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from jsonargparse import ArgumentParser
from torch import Tensor, nn

from ganlit.contracts import Verdict
from ganlit.errors import UserError
from ganlit.losses.regularizers.base import Regularizer
from ganlit.losses.regularizers.differences import FiniteR1, FiniteR2
from ganlit.losses.regularizers.generator import PathLength
from ganlit.losses.regularizers.gradient import R1, R2, GradientPenalty

PENALTIES = [R1, R2, GradientPenalty, FiniteR1, FiniteR2]


@pytest.fixture
def critic() -> Callable[[Tensor], Tensor]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.Softplus(), nn.Conv2d(16, 8, 3), nn.Softplus(), nn.Flatten())
    net.append(nn.Linear(8 * 36, 1))
    return lambda images: net(images)[:, 0]


def images(seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(seed)).bfloat16().to(dtype).requires_grad_()


@pytest.mark.parametrize("regularizer", PENALTIES, ids=lambda cls: cls.__name__)
def test_a_lazy_term_is_as_heavy_as_it_is_rare(regularizer: type[Regularizer], critic: Callable) -> None:
    terms = []
    for every in (1, 16):
        lazy = regularizer(weight=0.5, every=every)
        assert [step for step in range(33) if lazy.due(step)] == list(range(0, 33, every))
        torch.manual_seed(1)
        terms.append(lazy.term(Verdict(critic, images(1), images(2))).item())
    assert terms[1] == pytest.approx(16 * terms[0], rel=1e-6)
    assert terms[0] > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("regularizer", PENALTIES, ids=lambda cls: cls.__name__)
def test_under_autocast_a_penalty_is_that_of_float32(
    regularizer: type[Regularizer], dtype: torch.dtype, critic: Callable
) -> None:
    torch.manual_seed(1)
    expected = regularizer(1.0).term(Verdict(critic, images(1), images(2)))
    torch.manual_seed(1)
    with torch.autocast("cpu", torch.bfloat16):
        term = regularizer(1.0).term(Verdict(critic, images(1, dtype), images(2, dtype)))
        rounded = critic(images(1))
    assert term.dtype == torch.float32
    torch.testing.assert_close(term, expected, rtol=1e-6, atol=0)
    assert rounded.dtype == torch.bfloat16  # so that the critic would have made a difference


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_loss_shares_the_pass_of_the_penalty(dtype: torch.dtype, critic: Callable) -> None:
    passes = []
    seen = Verdict(lambda x: passes.append(x) or critic(x), images(1, dtype), images(2, dtype))
    with torch.autocast("cpu", torch.bfloat16):
        R1(1.0).term(seen)
        R2(1.0).term(seen)
        assert seen.real_logits.dtype == seen.fake_logits.dtype == torch.float32
    assert [id(x) for x in passes] == [id(seen.real), id(seen.fake)]


def test_path_length_under_autocast_is_that_of_float32() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 32), nn.Softplus(), nn.Linear(32, 48), nn.Unflatten(1, (3, 4, 4)))
    z = torch.randn(4, 8, requires_grad=True)
    terms = []
    for mixed in (False, True):
        torch.manual_seed(1)
        fake = net(z)
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            terms.append(PathLength().term(Verdict(torch.sum, fake, fake, z)))
    torch.testing.assert_close(terms[1], terms[0], rtol=1e-6, atol=0)


@pytest.mark.parametrize("regularizer", PENALTIES[:3], ids=lambda cls: cls.__name__)
def test_float64_stays_float64(regularizer: type[Regularizer]) -> None:
    weight = torch.randn(12, dtype=torch.float64)
    real = torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    term = regularizer(1.0).term(Verdict(lambda x: x.flatten(1) @ weight, real, real))
    squared = weight.square().sum().item()
    expected = (squared**0.5 - 1) ** 2 if regularizer is GradientPenalty else squared / 2
    assert term.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": -0.1}, r"R1\.weight is -0\.1: it must be at least 0"),
        ({"weight": float("nan")}, r"R1\.weight is nan"),
        ({"weight": 1.0, "every": 0}, r"R1\.every is 0: it must be at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        R1(**options)


def test_a_regularizer_of_the_generator_is_refused_for_the_discriminator() -> None:
    with pytest.raises(UserError, match=r"PathLength regularizes the generator.*generator_regularizers"):
        PathLength().term(Verdict(torch.sum, torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)))


@pytest.mark.parametrize("name", ["R1", "R2", "GradientPenalty", "PathLength", "FiniteR1"])
def test_it_is_named_and_set_in_yaml(name: str) -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--regularizer", type=Regularizer)
    config = parser.parse_object({"regularizer": {"class_path": name, "init_args": {"weight": 0.5, "every": 8}}})
    regularizer = parser.instantiate(config).regularizer
    assert (type(regularizer).__name__, regularizer.weight, regularizer.every) == (name, 0.5, 8)
