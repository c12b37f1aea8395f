"""Two networks in one: who answers, and what cannot go there and back."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from points import PointDiscriminator
from torch import Tensor, nn
from translators import Judge, Translator

from ganlit.errors import UserError
from ganlit.networks.images.resnet import ResNetGenerator
from ganlit.networks.images.unet import UNet
from ganlit.networks.pairs import ThereAndBack

LABEL = torch.zeros(2, dtype=torch.long)


class Larger(nn.Module):
    scale = 2

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        return source.repeat_interleave(2, dim=-1).repeat_interleave(2, dim=-2)


@pytest.mark.parametrize("kind", [Translator, Judge])
def test_the_answer_is_that_of_the_first(kind: type[nn.Module]) -> None:
    there, back, item = kind(), kind(), torch.randn(2, 1, 8, 8)
    pair = ThereAndBack(there, back)
    (found, beside), (alone, along) = pair(item, LABEL), there(item, LABEL)
    torch.testing.assert_close(found, alone)
    assert type(beside) is type(along)
    assert pair.there is there
    assert pair.back is back
    assert {name.split(".")[0] for name, _ in pair.named_parameters()} == {"there", "back"}
    assert pair.classes == 0
    assert not hasattr(pair, "multiple")


def test_it_tells_what_the_first_tells() -> None:
    pair = ThereAndBack(UNet(1, 3, depth=3, width=2), ResNetGenerator(3, 1, blocks=1, width=2))
    assert (pair.classes, pair.multiple) == (0, 8)
    assert ThereAndBack(PointDiscriminator(classes=3), PointDiscriminator(classes=3)).classes == 3


@pytest.mark.parametrize(
    ("there", "back", "message"),
    [
        (
            lambda: UNet(1, 3, depth=2, width=2),
            lambda: UNet(1, 1, depth=2, width=2),
            "ThereAndBack.there makes 3 channels, but back takes 1: set its source_channels to 3.",
        ),
        (
            lambda: UNet(1, 3, depth=2, width=2),
            lambda: UNet(3, 2, depth=2, width=2),
            "ThereAndBack.back makes 2 channels, but there takes 1: set its source_channels to 2.",
        ),
        (
            lambda: PointDiscriminator(classes=3),
            lambda: PointDiscriminator(classes=2),
            "ThereAndBack.there knows 3 classes, but back 2: set both alike.",
        ),
        (
            Translator,
            Larger,
            "ThereAndBack.back makes sides 2 times as long, from which there is no way back: take one of scale 1.",
        ),
    ],
)
def test_what_cannot_go_there_and_back_is_refused(there: Any, back: Any, message: str) -> None:
    with pytest.raises(UserError) as refused:
        ThereAndBack(there(), back())
    assert str(refused.value) == message
