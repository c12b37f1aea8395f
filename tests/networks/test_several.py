"""Discriminators that are one player."""

from __future__ import annotations

import pytest
import torch
from points import PointDiscriminator
from torch import Tensor, nn

from ganlit.contracts import Judgement
from ganlit.errors import UserError
from ganlit.networks.audio.multiperiod import MultiperiodDiscriminator
from ganlit.networks.audio.multirate import MultirateDiscriminator
from ganlit.networks.several import Several, together

LABEL = torch.zeros(2, dtype=torch.long)


class Listing(nn.Module):
    """Two networks in a list, without features."""

    def forward(self, item: Tensor, label: Tensor) -> list[Tensor]:
        return [item.mean(dim=(1, 2)), item.amax(dim=(1, 2))]


def test_answers_come_one_after_the_other() -> None:
    torch.manual_seed(0)
    periods, rates = MultiperiodDiscriminator(periods=[2, 3], width=1), MultirateDiscriminator(rates=2, width=16).eval()
    both, sound = Several([periods, rates]).eval(), torch.randn(2, 1, 100)
    found, first, second = both(sound, LABEL), periods(sound, LABEL), rates(sound, LABEL)
    for one, other in zip(found.logits, [*first.logits, *second.logits], strict=True):
        assert torch.equal(one, other)
    assert [len(each) for each in found.features] == [6, 6, 8, 8]
    assert torch.equal(found.features[2][0], second.features[0][0])
    assert both.classes == 0


def test_features_are_handed_out_only_where_all_networks_do() -> None:
    sound = torch.randn(2, 1, 100)
    found = Several([Listing(), MultiperiodDiscriminator(periods=[2], width=1)])(sound, LABEL)
    assert isinstance(found, Judgement)
    assert len(found.logits) == 3
    assert not found.features
    assert len(together([sound.mean(dim=(1, 2))]).logits) == 1


def test_classes_are_those_of_the_networks_that_know_some() -> None:
    assert Several([PointDiscriminator(classes=3), PointDiscriminator()]).classes == 3
    with pytest.raises(UserError, match=r"Several\.networks know 3 and 2 classes: set all alike"):
        Several([PointDiscriminator(classes=3), PointDiscriminator(classes=2)])
    with pytest.raises(UserError, match=r"Several\.networks is empty: name the discriminators"):
        Several([])
