"""Discriminators of text: symbols and shares alike, each text by itself, classes, and what they hand out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganlit.contracts import Judgement, Verdict
from ganlit.errors import UserError
from ganlit.losses.regularizers.gradient import GradientPenalty
from ganlit.networks.text.lstm import LSTMDiscriminator
from ganlit.networks.text.relgan import RelGANDiscriminator
from ganlit.networks.text.residual import ResidualTextDiscriminator, ResidualTextGenerator
from ganlit.networks.text.textcnn import TextCNN

SIZES: dict[str, Any] = {"symbols": 7, "length": 6}
MAKERS: dict[str, tuple[Callable[..., nn.Module], tuple[int, ...]]] = {
    "textcnn": (lambda **more: TextCNN(**SIZES, **more, width=4, windows=[1, 2, 6], filters=[3, 2, 2]), (4,)),
    "lstm": (lambda **more: LSTMDiscriminator(**SIZES, **more, width=4, hidden=5), (4,)),
    "each place": (lambda **more: LSTMDiscriminator(**SIZES, **more, width=4, hidden=5, each_place=True), (4, 6)),
    "residual": (lambda **more: ResidualTextDiscriminator(**SIZES, **more, width=4, blocks=2, window=3), (4,)),
    "relgan": (
        lambda: RelGANDiscriminator(**SIZES, representations=3, width=2, windows=[2, 3], filters=[4, 4]),
        (4, 3),
    ),
}


def batch() -> tuple[Tensor, Tensor]:
    return torch.randint(7, (4, 6), generator=torch.Generator().manual_seed(1)), torch.tensor([0, 1, 0, 1])


@pytest.mark.parametrize("name", MAKERS)
def test_symbols_and_their_shares_are_judged_alike_and_each_text_by_itself(name: str) -> None:
    make, shape = MAKERS[name]
    torch.manual_seed(0)
    network, (tokens, label) = make().eval(), batch()
    (logits,) = Judgement.of(network(tokens, label)).logits
    assert logits.shape == shape
    shares = nn.functional.one_hot(tokens, 7).float().requires_grad_()
    (same,) = Judgement.of(network(shares, label)).logits
    torch.testing.assert_close(same, logits)
    (alone,) = Judgement.of(network(tokens[1:2], label[1:2])).logits
    torch.testing.assert_close(alone, logits[1:2])
    (gradient,) = torch.autograd.grad(same.sum(), shares)
    assert (gradient.abs().sum((0, 2)) > 0).all()  # every place counts
    assert logits.reshape(4, -1).std(0).min() > 1e-4


@pytest.mark.parametrize("name", ["textcnn", "lstm", "each place", "residual"])
def test_a_class_counts(name: str) -> None:
    make, _ = MAKERS[name]
    torch.manual_seed(0)
    network, (tokens, label) = make(classes=2).eval(), batch()
    one, other = (Judgement.of(network(tokens, each)).logits[0] for each in (label, 1 - label))
    assert ((one - other).abs() > 1e-6).all()


def test_a_gradient_penalty_passes_the_residual_critic() -> None:
    torch.manual_seed(0)
    network, (tokens, label) = MAKERS["residual"][0](), batch()
    real = nn.functional.one_hot(tokens, 7).float()
    verdict = Verdict(lambda items: network(items, label), real, real.flip(0))
    GradientPenalty(10.0).term(verdict).backward()
    gradients = {name: each.grad for name, each in network.named_parameters() if "bias" not in name}
    assert all(bool(each.any()) for each in gradients.values())


def test_texts_are_made_of_noise_at_once() -> None:
    torch.manual_seed(0)
    network, label = ResidualTextGenerator(7, 6, z_dim=5, width=4, blocks=2, window=3), torch.zeros(50).long()
    z = network.latents(label)
    logits = network(z, label)
    assert logits.shape == (50, 6, 7)
    written = network.write(z, label)
    over = (logits.argmax(2) == 0).cumsum(1) > 0
    assert torch.equal(written, logits.argmax(2).masked_fill(over, 0))
    network.ends = False
    assert torch.equal(network.write(z, label), logits.argmax(2))


def test_textcnn_is_that_of_the_paper() -> None:
    network = TextCNN(5000, 20)
    assert [(part.kernel_size[0], part.out_channels) for part in network.windows.filters] == [
        *((1, 100), (2, 200), (3, 200), (4, 200), (5, 200), (6, 100), (7, 100), (8, 100), (9, 100), (10, 100)),
        *((15, 160), (20, 160)),
    ]
    assert network.windows.features == 1720
    assert [part.kernel_size[0] for part in TextCNN(9, 5).windows.filters] == [1, 2, 3, 4, 5]


def test_windows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UserError, match=r"TextCNN.windows has 9, but a text has 6 places"):
        TextCNN(7, 6, windows=[2, 9], filters=[1, 1])
    with pytest.raises(UserError, match=r"filters \[1\]: give one number"):
        RelGANDiscriminator(7, 6, windows=[2, 3], filters=[1])
