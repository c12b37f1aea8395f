"""Layers that the networks of sound are made of: lengths, and weights without their norms."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from ganlit.networks.audio.convolutions import down, folded, level, matrix, normed, up


@given(st.integers(2, 9), st.integers(1, 6))
def test_a_stride_divides_and_multiplies_lengths(stride: int, count: int) -> None:
    x = torch.randn(1, 2, stride * count)
    assert down(2, 3, stride)(x).shape == (1, 3, count)
    assert up(2, 3, stride)(x).shape == (1, 3, stride * stride * count)


@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (3, 1), (7, 9), (11, 5)])
def test_a_level_layer_keeps_lengths(kernel: int, dilation: int) -> None:
    assert level(2, 3, kernel, dilation)(torch.randn(1, 2, 10)).shape == (1, 3, 10)


def test_a_folded_copy_gives_the_same_and_leaves_the_network_as_it_was() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(level(2, 4, 3), up(4, 4, 2), spectral_norm(nn.Conv1d(4, 3, 3)), normed(nn.Linear(10, 5)))
    network.eval()
    x = torch.randn(2, 2, 6)
    state, expected = deepcopy(network.state_dict()), network(x)
    plain = folded(network)
    torch.testing.assert_close(plain(x), expected)
    assert {name for name, _ in plain.named_parameters()} == {
        f"{n}.{part}" for n in range(4) for part in ("weight", "bias")
    }
    assert not any(each.requires_grad for name, each in plain.named_parameters() if name.endswith("weight"))
    assert torch.equal(network(x), expected)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    network(x).sum().backward()
    assert matrix(network[0]).grad is not None
    assert matrix(plain[0]) is plain[0].weight
