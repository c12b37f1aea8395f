"""Convolutions that are cheap to differentiate twice against torch's own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from ganlit.compute import twice
from ganlit.compute.twice import Twice
from ganlit.contracts import Judgement, joined
from ganlit.networks.audio.wavegan import WaveDiscriminator
from ganlit.networks.images.dcgan import DCDiscriminator
from ganlit.networks.images.patchgan import PatchDiscriminator
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "plain": lambda: nn.Conv2d(4, 6, 3),
    "strided and padded": lambda: nn.Conv2d(4, 6, (3, 4), (2, 3), (1, 2)),
    "grouped": lambda: nn.Conv2d(4, 6, 3, padding=1, groups=2),
    "depthwise": lambda: nn.Conv2d(4, 4, 4, padding=2, groups=4, bias=False),
    "dilated": lambda: nn.Conv2d(4, 6, 3, dilation=2, bias=False),
    "padded by a word": lambda: nn.Conv2d(4, 6, 3, padding="same"),
    "padded by reflection": lambda: nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect"),
    "transposed": lambda: nn.ConvTranspose2d(4, 6, 3, 2, 1, output_padding=1),
    "transposed in groups": lambda: nn.ConvTranspose2d(4, 6, (3, 4), (2, 1), groups=2, dilation=2, bias=False),
    "of one side": lambda: nn.Conv1d(4, 6, 5, 2, 2),
    "of one side, transposed": lambda: nn.ConvTranspose1d(4, 6, 5, 2, 1),
    "of three sides": lambda: nn.Conv3d(4, 6, 3, (1, 2, 2), 1),
    "of three sides, transposed": lambda: nn.ConvTranspose3d(4, 6, 3, (1, 2, 2), 1),
}


def close(one: list[Tensor], other: list[Tensor]) -> None:
    for ours, torchs in zip(one, other, strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-10, atol=1e-10)


def gradients(value: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    """The first ones of a scalar, and those of their mean square."""
    first = torch.autograd.grad(value, inputs, create_graph=True)
    return [*first, *torch.autograd.grad(sum(each.square().mean() for each in first), inputs)]


@pytest.mark.parametrize("kind", LAYERS)
def test_value_and_two_gradients_are_those_of_torch(kind: str) -> None:
    torch.manual_seed(0)
    layer = LAYERS[kind]().double()
    sides = layer.weight.dim() - 2
    x = torch.randn(3, 4, *(11, 9, 8)[:sides], dtype=torch.float64, requires_grad=True)
    outcomes = []
    for block in (Twice(), nullcontext()):
        with block:
            y = layer(x)
        outcomes.append([y, *gradients(y.sin().sum(), [x, *layer.parameters()])])
    close(*outcomes)
    assert outcomes[0][0].stride() == outcomes[1][0].stride()


def test_what_has_no_batch_and_what_needs_no_gradient_pass_too() -> None:
    layer, x = nn.Conv2d(4, 6, 3).double(), torch.randn(4, 8, 8, dtype=torch.float64)
    with Twice(), torch.no_grad():
        batched, alone = layer(x[None]), layer(x)
    close([batched[0], alone], [layer(x)] * 2)
    assert not batched.requires_grad


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "StyleDiscriminator": (lambda: StyleDiscriminator(16, 3, 2, 64, 4), (3, 16, 16)),
    "DCDiscriminator": (lambda: DCDiscriminator(16, 3, width=2), (3, 16, 16)),
    "PatchDiscriminator": (lambda: PatchDiscriminator(3, width=2), (3, 32, 32)),
    "WaveDiscriminator": (lambda: WaveDiscriminator(1024, width=2), (1, 1024)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_gradient_of_a_penalty_is_the_same(name: str) -> None:
    made, shape = NETWORKS[name]
    torch.manual_seed(0)
    network = made().double()
    items, label = torch.randn(4, *shape, dtype=torch.float64, requires_grad=True), torch.tensor([0, 1, 1, 0])

    def gradient(block: AbstractContextManager) -> list[Tensor]:
        torch.manual_seed(1)
        with block:
            logits = joined(Judgement.of(network(items, label)).logits)
            (slope,) = torch.autograd.grad(logits.sum(), items, create_graph=True)
        network.zero_grad()
        (slope.square().sum() + logits.square().sum()).backward()
        return [slope, *(each.grad for each in network.parameters() if each.grad is not None)]

    close(gradient(Twice()), gradient(nullcontext()))


def test_the_gradient_of_path_lengths_is_the_same() -> None:
    torch.manual_seed(0)
    network = StyleGenerator(16, 1, 0, 4, 4, 1, 64, 4, style_mixing=0.0).double()
    z, label = torch.randn(3, 4, dtype=torch.float64), torch.zeros(3, dtype=torch.int64)

    def gradient(block: AbstractContextManager) -> list[Tensor]:
        torch.manual_seed(1)
        with block:
            styles = network.styles(z, label)
            images = network.synthesise(styles)
            (jacobian,) = torch.autograd.grad(images.sin().sum(), styles, create_graph=True)
        network.zero_grad()
        jacobian.square().sum().backward()
        return [each.grad for each in network.parameters() if each.grad is not None]

    close(gradient(Twice()), gradient(nullcontext()))


def test_a_gradient_by_items_computes_none_of_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for part in (twice.ByInput, twice.ByWeight):
        plain = part.apply
        monkeypatch.setattr(part, "apply", lambda *given, p=plain, n=part.__name__: (asked.append(n), p(*given))[1])
    network = nn.Sequential(*(nn.Conv2d(each, other, 3) for each, other in pairwise((1, 2, 3))))
    items = torch.randn(2, 1, 8, 8, requires_grad=True)
    with Twice():
        torch.autograd.grad(network(items).sum(), items, create_graph=True)
    assert asked == ["ByInput"] * 2


def test_an_input_that_is_changed_afterwards_is_refused_as_torch_does() -> None:
    layer, x = nn.Conv2d(1, 1, 3), torch.randn(1, 1, 4, 4)
    with Twice():
        y = layer(x)
    x.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_mixed_precision_means_the_same() -> None:
    torch.manual_seed(0)
    layer, x = nn.Conv2d(4, 6, 3), torch.randn(3, 4, 8, 8, requires_grad=True)
    outcomes = []
    for block in (Twice(), nullcontext()):
        with torch.autocast("cpu", torch.bfloat16), block:
            y = layer(x)
        assert y.dtype == torch.bfloat16
        outcomes.append([y, *torch.autograd.grad(y.float().sum(), [x, *layer.parameters()])])
    for ours, torchs in zip(*outcomes, strict=True):
        torch.testing.assert_close(ours, torchs)
