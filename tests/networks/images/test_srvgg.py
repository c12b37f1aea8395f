"""SRVGG: its size, the names by which published weights fit, and what it does with them."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ganlit.networks.images.srvgg import SRVGG

LABEL = torch.zeros(2, dtype=torch.long)


def test_it_has_as_many_weights_as_that_of_real_esrgan() -> None:
    with torch.device("meta"):
        assert sum(each.numel() for each in SRVGG().parameters()) == 621_424


def test_names_are_those_of_the_published_weights() -> None:
    with torch.device("meta"):
        names = [name for name, _ in SRVGG().named_parameters()]
    row = [name for place in range(0, 34, 2) for name in (f"{place}.weight", f"{place}.bias", f"{place + 1}.weight")]
    assert names == [f"body.{name}" for name in [*row, "34.weight", "34.bias"]]


def test_it_adds_the_pixels_of_its_last_maps_to_the_nearest_of_the_source() -> None:
    torch.manual_seed(0)
    network, source = SRVGG(scale=2, convolutions=1, width=4), torch.randn(2, 3, 4, 5)
    first, slope, second, other, last = network.body[:5]
    maps = last(F.prelu(second(F.prelu(first(source), slope.weight)), other.weight))
    expected = source.repeat_interleave(2, 2).repeat_interleave(2, 3)
    for channel in range(3):
        for row in range(2):
            for column in range(2):
                expected[:, channel, row::2, column::2] += maps[:, 4 * channel + 2 * row + column]
    torch.testing.assert_close(network(source, LABEL), expected)
