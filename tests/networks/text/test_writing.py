"""What generators of text have in common: the same by steps and at once, no place sees what is behind it, writing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganlit.errors import UserError
from ganlit.networks.text.lstm import LSTMGenerator
from ganlit.networks.text.relgan import RelationalGenerator
from ganlit.networks.text.symbols import Symbols, choice, ended
from ganlit.networks.text.transformer import TransformerGenerator
from ganlit.networks.text.valued import Valued
from ganlit.networks.text.writing import TextGenerator

SIZES: dict[str, Any] = {"symbols": 7, "length": 6, "classes": 2}
MAKERS: dict[str, Callable[..., TextGenerator]] = {
    "lstm": lambda **more: LSTMGenerator(**SIZES | more, width=5, hidden=8),
    "two layers": lambda **more: LSTMGenerator(**SIZES | more, width=5, hidden=8, layers=2, dropout=0.3),
    "relational": lambda **more: RelationalGenerator(**SIZES | more, width=5, slots=2, heads=2, head=4),
    "transformer": lambda **more: TransformerGenerator(**SIZES | more, width=8, layers=2, heads=2, dropout=0.3),
    "valued": lambda **more: Valued(LSTMGenerator(**SIZES | more, width=5, hidden=8), width=3, hidden=4),
}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[..., TextGenerator]:
    def made(**more: Any) -> TextGenerator:
        torch.manual_seed(0)
        network = MAKERS[request.param](**more).double().eval()
        for parameter in network.parameters():
            parameter.data.normal_(std=0.5)
        return network

    return made


def batch() -> tuple[Tensor, Tensor]:
    stream = torch.Generator().manual_seed(1)
    return torch.randint(7, (4, 6), generator=stream), torch.tensor([0, 1, 0, 1])


def by_steps(network: TextGenerator, tokens: Tensor, label: Tensor, shown: Callable[[Tensor], Tensor]) -> Tensor:
    state, previous, found = network.begin(len(label), label), None, []
    for place in range(tokens.shape[1]):
        logits, state = network.step(state, previous)
        found.append(logits)
        previous = shown(tokens[:, place])
    return torch.stack(found, 1)


def test_steps_are_the_whole(make: Any) -> None:
    network, (tokens, label) = make(), batch()
    whole = network(tokens, label)
    assert whole.shape == (4, 6, 7)
    torch.testing.assert_close(by_steps(network, tokens, label, lambda part: part), whole)
    shares = torch.nn.functional.one_hot
    torch.testing.assert_close(by_steps(network, tokens, label, lambda part: shares(part, 7).double()), whole)


def test_a_place_is_told_by_those_before_it_alone_and_by_all_of_them(make: Any) -> None:
    network, (tokens, label) = make(), batch()
    whole = network(tokens, label)
    for place in range(6):
        other = tokens.clone()
        other[:, place] = (other[:, place] + 1) % 7
        moved = (network(other, label) - whole).abs().amax((0, 2)) > 1e-9
        assert moved.tolist() == [each > place for each in range(6)]


def test_a_text_is_told_by_its_class_and_by_no_other_text(make: Any) -> None:
    network, (tokens, label) = make(), batch()
    whole = network(tokens, label)
    torch.testing.assert_close(network(tokens[2:], label[2:]), whole[2:])
    assert (network(tokens, 1 - label) - whole).abs().amax((1, 2)).min() > 1e-6


def test_what_is_written_has_the_probability_that_is_told(make: Any) -> None:
    """Of the first two symbols of many texts, by each class."""
    network = make(ends=False)
    count = 20_000
    torch.manual_seed(2)
    label = torch.zeros(count, dtype=torch.int64)
    written = network.write(torch.rand(count, 2), label)
    seen = torch.bincount(written[:, 0] * 7 + written[:, 1], minlength=49) / count
    pairs = torch.cartesian_prod(torch.arange(7), torch.arange(7))
    logs = network(pairs, label[:49]).log_softmax(2).gather(2, pairs[..., None]).sum((1, 2))
    assert (seen - logs.exp()).abs().sum() < 0.06
    assert not torch.allclose(seen, torch.full((49,), 1 / 49), atol=0.01)


def test_nothing_is_behind_an_end_and_a_prefix_is_gone_on_from(make: Any) -> None:
    network = make()
    torch.manual_seed(3)
    label = torch.tensor([0, 1]).repeat(100)
    written = network.write(torch.rand(200, 6), label)
    assert 0 < (written == 0).any(1).sum() < 200
    assert torch.equal(written, ended(written))
    prefix = written[:, :2]
    shares = torch.rand(200, 3, 6)
    ways = network.write(shares, label, prefix=prefix)
    assert ways.shape == (200, 3, 6)
    assert torch.equal(ways[:, :, :2], prefix[:, None].expand(-1, 3, -1))
    for way in range(3):
        assert torch.equal(network.write(shares[:, way], label, prefix=prefix), ways[:, way])
    assert torch.equal(network.write(shares[:, 0], label), network.write(shares[:, :1], label)[:, 0])


def test_a_shorter_text_is_the_beginning_of_a_longer_one(make: Any) -> None:
    network, (_, label) = make(), batch()
    shares = torch.rand(4, 6)
    whole = network.write(shares, label)
    assert torch.equal(network.write(shares, label, length=4), whole[:, :4])
    if network.longest is None:
        longer = network.write(shares, label, length=9)
        assert longer.shape == (4, 9)
        assert torch.equal(longer[:, :6], whole)
    else:
        assert network.longest == network.length


def test_writing_leaves_dropout_out_and_as_it_was(make: Any) -> None:
    network, (_, label) = make().train(), batch()
    shares = torch.rand(4, 6)
    assert torch.equal(network.write(shares, label), network.write(shares, label))
    assert all(part.training for part in network.modules())


@given(st.integers(2, 9), st.integers(0, 2**20), st.just(1.0) | st.floats(0.1, 3))
def test_a_choice_is_the_first_symbol_whose_running_sum_passes_the_share(symbols: int, seed: int, tau: float) -> None:
    stream = torch.Generator().manual_seed(seed)
    logits = torch.randn(20, symbols, generator=stream, dtype=torch.float64)
    share = torch.rand(20, generator=stream, dtype=torch.float64)
    for row, each, symbol in zip(logits, share, choice(logits, share, tau), strict=True):
        sums = (row / tau).softmax(0).cumsum(0)
        assert int((sums <= each).sum()) == int(symbol)
    for cold in (0.0, 1e-300, 1e-30):
        assert torch.equal(choice(logits.float(), share.float(), cold), logits.argmax(1))


def test_a_mixture_of_symbols_has_the_mixture_of_their_vectors() -> None:
    symbols = Symbols(5, 3)
    halves = torch.tensor([[0.5, 0.0, 0.0, 0.5, 0.0]])
    torch.testing.assert_close(symbols(halves), (symbols.weight[:1] + symbols.weight[3:4]) / 2)
    torch.testing.assert_close(symbols(torch.tensor([3])), symbols.weight[3:4])


def test_values_are_told_by_what_is_before_a_place() -> None:
    network, (tokens, label) = MAKERS["valued"](), batch()
    values = network.values(tokens, label)
    assert values.shape == (4, 6)
    other = tokens.clone()
    other[:, 3] = (other[:, 3] + 1) % 7
    assert ((network.values(other, label) - values).abs().amax(0) > 1e-7).tolist() == [False] * 4 + [True] * 2


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: LSTMGenerator(0, 5), "LSTMGenerator.symbols is 0"),
        (lambda: TransformerGenerator(9, 5, width=6, heads=4), "width is 6, which 4 heads do not divide"),
        (lambda: LSTMGenerator(9, 5, dropout=1.0), "LSTMGenerator.dropout is 1.0"),
    ],
)
def test_sizes_that_mean_nothing_are_refused(make: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        make()
