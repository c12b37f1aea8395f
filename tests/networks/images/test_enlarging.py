"""What all generators promise that enlarge or correct images, whatever their layers are."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from ganlit.errors import UserError
from ganlit.networks.images.enlarging import Enlarger
from ganlit.networks.images.rrdb import RRDBNet
from ganlit.networks.images.srresnet import MSRResNet, SRResNet
from ganlit.networks.images.srvgg import SRVGG

LABEL = torch.zeros(2, dtype=torch.long)
SMALL: dict[type[Enlarger], dict[str, int]] = {
    SRResNet: {"blocks": 1, "width": 4},
    MSRResNet: {"blocks": 1, "width": 4},
    RRDBNet: {"blocks": 1, "width": 4, "growth": 2},
    SRVGG: {"convolutions": 2, "width": 4},
}
CORRECTING = [MSRResNet, SRVGG]
SCALES = [1, 2, 3, 4]


def small(kind: type[Enlarger], **options: Any) -> Enlarger:
    torch.manual_seed(0)
    return kind(**SMALL[kind], **options)


@pytest.fixture(params=SMALL, ids=lambda kind: kind.__name__)
def build(request: pytest.FixtureRequest) -> Any:
    return partial(small, request.param)


def bilinear(row: np.ndarray, scale: int) -> np.ndarray:
    """A row of pixels, whose centres stand in the middle, at `scale` times as many places."""
    return np.interp((np.arange(len(row) * scale) + 0.5) / scale - 0.5, np.arange(len(row)), row)


def nearest(row: np.ndarray, scale: int) -> np.ndarray:
    return row.repeat(scale)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("source_channels", "channels"), [(3, 3), (1, 1), (1, 3), (4, 3)])
def test_sides_grow_by_the_scale_and_everything_learns(
    build: Any, source_channels: int, channels: int, scale: int
) -> None:
    network = build(source_channels=source_channels, channels=channels, scale=scale)
    assert (network.scale, network.classes) == (scale, 0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = network(torch.randn(2, source_channels, 8, 12), LABEL)
    assert output.shape == (2, channels, 8 * scale, 12 * scale)
    assert output.dtype == torch.float32
    output.square().mean().backward()
    assert all(each.grad.count_nonzero() for each in network.parameters())


def test_the_last_layer_is_the_last_matrix(build: Any) -> None:
    network = build()
    assert network.last_layer is [each for each in network.parameters() if each.dim() > 1][-1]


@pytest.mark.parametrize("scale", SCALES)
def test_a_source_that_moves_moves_the_output(build: Any, scale: int) -> None:
    network = build(source_channels=1, channels=1, scale=scale).double().eval()
    step, margin = network.multiple, 22 * network.multiple * scale
    source = torch.randn(1, 1, 52 * step, 52 * step, dtype=torch.float64)
    with torch.no_grad():
        moved = network(source.roll((step, 2 * step), (2, 3)), LABEL)
        expected = network(source, LABEL).roll((step * scale, 2 * step * scale), (2, 3))
    inside = (..., slice(margin, -margin), slice(margin, -margin))
    torch.testing.assert_close(moved[inside], expected[inside], rtol=0, atol=1e-12)
    assert expected[inside].std() > 1e-3


@pytest.mark.parametrize(("kind", "field"), [(SRResNet, 23), (MSRResNet, 11), (SRVGG, 9)])
def test_an_output_sees_as_far_as_its_convolutions_reach(kind: type[Enlarger], field: int) -> None:
    network = small(kind, source_channels=1, channels=1, scale=1).double().eval()
    for parameter in network.parameters():
        parameter.data.abs_().add_(0.01)  # so that nothing cancels
    source = torch.rand(1, 1, 31, 31, dtype=torch.float64, requires_grad=True)
    network(source, LABEL)[0, 0, 15, 15].backward()
    seen = source.grad[0, 0] != 0
    assert seen.sum() == field**2
    assert seen[15 - field // 2 : 16 + field // 2, 15 - field // 2 : 16 + field // 2].all()


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("kind", "enlarged"), [(MSRResNet, bilinear), (SRVGG, nearest)])
@pytest.mark.parametrize("source_channels", [1, 3, 4])
def test_a_network_that_adds_nothing_gives_the_enlarged_source(
    source_channels: int, kind: type[Enlarger], enlarged: Any, scale: int
) -> None:
    network = small(kind, source_channels=source_channels, scale=scale)
    for parameter in network.parameters():
        parameter.data.zero_()
    source = torch.rand(2, source_channels, 3, 5) * 2 - 1
    image = source.numpy().repeat(3, axis=1) if source_channels == 1 else source.numpy()[:, :3]
    expected = np.apply_along_axis(enlarged, 2, np.apply_along_axis(enlarged, 3, image, scale), scale)
    np.testing.assert_allclose(network(source, LABEL).detach(), expected, atol=1e-6)


@pytest.mark.parametrize("kind", CORRECTING)
def test_of_two_channels_no_image_of_three_can_be_corrected(kind: type[Enlarger]) -> None:
    with pytest.raises(
        UserError,
        match=rf"{kind.__name__}\.source_channels is 2, but it corrects the source to an image of 3: give it 1",
    ):
        kind(source_channels=2)
    assert kind(source_channels=2, channels=1).channels == 1
    assert SRResNet(source_channels=2).channels == 3


@pytest.mark.parametrize(("options", "told"), [({"scale": 5}, "scale is 5"), ({"width": 0}, "width is 0")])
def test_what_means_nothing_is_refused(options: dict[str, int], told: str) -> None:
    for kind in SMALL:
        with pytest.raises(UserError, match=rf"{kind.__name__}\.{told}: it must be at least 1 and at most"):
            kind(**options)


def test_a_source_of_other_channels_is_refused(build: Any) -> None:
    with pytest.raises(UserError, match=r"4, but is shown some of 3"):
        build(source_channels=4)(torch.zeros(2, 3, 8, 8), LABEL)


@pytest.mark.parametrize(("scale", "multiple"), [(1, 4), (2, 2), (3, 1), (4, 1)])
def test_sides_that_become_no_whole_places_are_refused(scale: int, multiple: int) -> None:
    network = small(RRDBNet, scale=scale)
    assert network.multiple == multiple
    for side in range(1, 9):
        told = rf"RRDBNet takes images whose sides are multiples of {multiple}.*, but is shown some of 8x{side}: bring"
        with pytest.raises(UserError, match=told) if side % multiple else nullcontext():
            network(torch.zeros(2, 3, 8, side), LABEL)


@pytest.mark.parametrize("kind", [RRDBNet, SRVGG])
def test_layers_may_see_numbers_from_0_to_1(kind: type[Enlarger]) -> None:
    of_unit, plain = small(kind, scale=2, unit=True), small(kind, scale=2)
    plain.load_state_dict(of_unit.state_dict())
    image = torch.rand(2, 3, 8, 6)
    torch.testing.assert_close((of_unit(image * 2 - 1, LABEL) + 1) / 2, plain(image, LABEL))
