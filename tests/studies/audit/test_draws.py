from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import dropout, gumbel_softmax
from torch.utils.checkpoint import checkpoint

from ganlit.studies.audit.draws import ItemDraws

ITEMS = torch.linspace(0.1, 0.9, 6)[:, None].expand(6, 3).clone()
DRAWS: dict[str, Callable[[Tensor], Tensor]] = {
    "randn": lambda x: torch.randn(len(x), 2, dtype=torch.float64),
    "rand": lambda x: torch.rand(len(x)),
    "randint": lambda x: torch.randint(0, 100, (len(x), 3)),
    "randn_like": torch.randn_like,
    "dropout": lambda x: dropout(x, 0.5),
    "bernoulli": torch.bernoulli,
    "multinomial": lambda x: torch.multinomial(x, 2),
    "uniform_": lambda x: torch.empty_like(x).uniform_(-1, 1),
    "normal": lambda x: torch.normal(x, 1.0),
    "gumbel": lambda x: gumbel_softmax(x),
    "distribution": lambda x: torch.distributions.Gamma(x, x).rsample(),
    "private": lambda x: torch.randn(len(x), generator=torch.Generator().manual_seed(len(x))),
    "two": lambda x: torch.randn(len(x), 1) + torch.rand(len(x), 1),
}


def drawn(draw: Callable[[Tensor], Tensor], items: list[int]) -> Tensor:
    draws = ItemDraws()
    draws.items = items
    torch.manual_seed(5)
    with draws:
        return draw(ITEMS[items])


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("items", [[0, 1, 2], [3, 4, 5], [1, 3, 5], [4]])
def test_an_item_gets_the_same_numbers_beside_any_others(name: str, items: list[int]) -> None:
    whole = drawn(DRAWS[name], [*range(6)])
    assert torch.equal(drawn(DRAWS[name], items), whole[items])
    assert len(set(map(str, whole.tolist()))) > 1


def test_real_and_generated_items_may_be_joined() -> None:
    def joined(x: Tensor) -> Tensor:
        return torch.randn(2 * len(x))

    whole = drawn(joined, [*range(6)])
    assert torch.equal(drawn(joined, [1, 2, 4]), whole[[1, 2, 4, 7, 8, 10]])
    assert len(whole.unique()) == 12


def test_what_has_no_row_for_an_item_is_the_same_for_all() -> None:
    assert torch.equal(drawn(lambda _: torch.randn(7), [0, 1, 2]), drawn(lambda _: torch.randn(7), [*range(6)]))
    assert len(drawn(lambda _: torch.stack([torch.randn(()), torch.randn(())]), [0, 1]).unique()) == 2


def test_a_checkpoint_draws_again_what_it_drew() -> None:
    x = ITEMS.clone().requires_grad_()
    kept: list[Tensor] = []

    def noisy(y: Tensor) -> Tensor:
        kept.append(torch.randn_like(y))
        return y * kept[-1]

    drawn(lambda _: checkpoint(noisy, x, use_reentrant=False).sum().backward(), [*range(6)])
    assert len(kept) == 2
    assert torch.equal(*kept)


def test_without_items_torch_draws_as_ever() -> None:
    torch.manual_seed(5)
    expected = torch.randn(3)
    assert torch.equal(drawn(lambda _: torch.randn(3), []), expected)
