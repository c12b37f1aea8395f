"""Learning rates by the clock."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlit.callbacks.anneal import Anneal
from ganlit.errors import UserError


@given(kimg=st.floats(0, 100))
def test_the_factor_is_linear_over_the_last_share(kimg: float) -> None:
    factor = Anneal(end=80, share=0.25).factor(kimg)
    assert factor == pytest.approx(1 if kimg <= 60 else 0 if kimg >= 80 else (80 - kimg) / 20)


def test_both_players_follow_the_clock_whatever_the_order_of_visits() -> None:
    players = [torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr) for lr in (0.1, 0.4)]
    trainer = SimpleNamespace(optimizers=players)
    for kimg, factor in ((0.0, 1.0), (5.0, 0.75), (7.0, 0.25), (6.0, 0.5), (4.0, 1.0)):
        Anneal(8, 0.5).on_train_batch_start(trainer, SimpleNamespace(kimg=kimg), None, 0)
        assert [player.param_groups[0]["lr"] for player in players] == pytest.approx([0.1 * factor, 0.4 * factor])


def test_a_resumed_optimizer_remembers_where_it_started() -> None:
    old = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    Anneal(4, 1.0).on_train_batch_start(SimpleNamespace(optimizers=[old]), SimpleNamespace(kimg=3.0), None, 0)
    new = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    new.load_state_dict(old.state_dict())
    Anneal(4, 1.0).on_train_batch_start(SimpleNamespace(optimizers=[new]), SimpleNamespace(kimg=3.0), None, 0)
    assert new.param_groups[0]["lr"] == pytest.approx(0.025)


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5])
def test_a_share_is_a_share(share: float) -> None:
    with pytest.raises(UserError, match=f"share is {share}"):
        Anneal(10, share)
