from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError
from ganlit.metrics.plain import built

KINDS = 3  # bars at the left, at the top, everywhere


def pictures(labels: Tensor, channels: int = 2) -> Tensor:
    """Noise in which each channel has something bright: its digit of the label, as a number of base 3."""
    found = torch.randint(0, 60, (len(labels), channels, 16, 16), generator=torch.Generator().manual_seed(len(labels)))
    for channel in range(channels):
        kind = labels // KINDS ** (channels - 1 - channel) % KINDS
        found[kind == 0, channel, :, :5] += 180
        found[kind == 1, channel, :5] += 180
        found[kind == 2, channel] += 120
    return found.to(torch.uint8)


@pytest.fixture(scope="module")
def real() -> Reference:
    labels = torch.randint(0, 9, (300,), generator=torch.Generator().manual_seed(0))
    names = tuple(f"{one}{two}" for one in "abc" for two in "abc")
    return Reference("bars", "0123456789", pictures(labels), labels, names)


def test_classes_are_told_channel_by_channel(real: Reference) -> None:
    seen = torch.tensor([0, 1, 5, 5, 8, 8, 0, 1])
    reached, spread = (built(name, real, None, ImageModality()) for name in ("modes", "rkl"))
    assert reached.tell(pictures(seen)).value == 4
    q = real.labels.bincount(minlength=9).double()
    expected = sum(0.25 * math.log(0.25 / (q[label] / q.sum())) for label in (0, 1, 5, 8))
    assert spread.tell(pictures(seen)).value == pytest.approx(float(expected))
    assert reached.extractor == "filters48@100.0pct/channels"
    assert reached.tell(pictures(torch.arange(9))).value == 9


@pytest.mark.parametrize("names", [(), tuple("abcdefgh"), tuple("abc")])
def test_classes_of_something_else_are_refused(real: Reference, names: tuple[str, ...]) -> None:
    with pytest.raises(UserError, match=rf"bars has {len(names)} classes of 2 channels"):
        built("modes", real._replace(classes=names), None, ImageModality())
