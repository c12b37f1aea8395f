"""Path length: of a linear generator it is known, and beside its own distance it is torch-fidelity's."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from styles import Flat, made
from torch import Tensor

from ganlit.contracts import Sampled
from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.gauges import Shown
from ganlit.metrics.groups import Group, grouped, refuse
from ganlit.metrics.images.path_length import EPSILON, PathLengths, between, path_lengths


class Turned(FeatureExtractor):
    """Two numbers at each place, a point of the unit circle at an angle that is the pixel in hundredths."""

    name, dim, protocol, batch = "turned", 1, "turned@0/none", 64

    def encode(self, items: Tensor) -> dict[str, Tensor]:
        return {"pool": items.float().flatten(1).mean(1, keepdim=True)}

    def inside(self, items: Tensor) -> list[Tensor]:
        angle = items[:, :1].double() / 100
        return [torch.cat([angle.cos(), angle.sin()], 1)]

    def parameters(self, recurse: bool = True) -> object:
        return iter(())


def shown(count: int, first: int = 0) -> Shown:
    places = torch.arange(first, first + count)
    return Shown(torch.zeros(count, 1), places, places % 3, "ema", sampled=Sampled(torch.zeros(0), torch.zeros(count)))


def of(generator: torch.nn.Module) -> PathLengths:
    return path_lengths(generator, Turned(), "images", torch.device("cpu"))


def test_of_a_linear_generator_it_is_the_length_of_what_a_latent_becomes() -> None:
    torch.manual_seed(0)
    generator = Flat().double()
    gauge = of(generator)
    drawn = [gauge._drawn(place) for place in range(64)]
    gauge._drawn = lambda place: tuple(each.double() for each in drawn[place])
    gauge.add(shown(64))
    found = {measured.protocol.variant: measured for measured in gauge.finish()}
    assert {*found} == {"z-full", "z-end"}
    across = torch.stack([other - one for one, other, _ in drawn]).double() @ generator.layer.weight.T.double()
    expected = between((across * 1.275).square().mean(1)).mean()
    for each in found.values():
        assert each.value == pytest.approx(float(expected.detach()), rel=0.01)  # images are float32
    assert str(found["z-end"].protocol) == "pathlength64-z-end/turned@0/inside/-/ema"


def test_percentiles_are_those_of_torch_fidelity() -> None:
    distances = np.random.default_rng(0).gamma(1.0, size=1234)
    low, high = np.percentile(distances, 1, method="lower"), np.percentile(distances, 99, method="higher")
    expected = np.extract((low <= distances) & (distances <= high), distances)
    np.testing.assert_array_equal(between(torch.from_numpy(distances)).numpy(), expected)
    assert EPSILON == 1e-4


def test_styles_have_ways_of_their_own_and_batches_do_not_matter() -> None:
    one, other = of(made("styled").ema.module), of(made("styled").ema.module)
    one.add(shown(6))
    for first in (3, 0):
        other.add(shown(3, first))
    for a, b in zip(one.finish(), other.finish(), strict=True):
        assert a.protocol == b.protocol
        assert a.value > 0
    assert {each.split("-", 1)[1] for each in one.kept} == {"z-full", "z-end", "w-full", "w-end"}


def test_it_is_asked_for_by_name_with_an_extractor_behind_it() -> None:
    [group] = grouped(["pathlength@efficientnet-lite0"], "metrics")
    assert group == Group("paths", ["pathlength"], "efficientnet-lite0")
    refuse([group], made("plain").generator, False, "metrics")
    with pytest.raises(UserError, match="SimpleNamespace makes nothing from noise alone"):
        refuse([group], SimpleNamespace(), True, "metrics")
    with pytest.raises(UserError, match="pathlength compares images, and these are video"):
        path_lengths(made("plain").generator, Turned(), "video", torch.device("cpu"))
