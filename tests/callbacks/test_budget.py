from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lightning.pytorch import Callback, LightningModule, Trainer
from noises import Noises

from ganlit.callbacks.budget import Budget
from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.data.stream import Ticks


class Clocks(Callback):
    """Notes the images seen at each validation."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.seen.append(pl_module.images_seen)


@pytest.mark.parametrize(
    ("kimg", "expected"),
    [
        (0.8, [400, 800]),  # ends with a tick
        (0.6, [400, 600]),  # in the middle of one
        (0.56, [400, 600]),  # in the middle of a step
        (0.1, [100]),
    ],
)
def test_each_tick_is_validated_once_and_so_is_the_last_one_however_short(
    fit: Any, kimg: float, expected: list[int]
) -> None:
    clocks = Clocks()
    assert fit(kimg, clocks).module.images_seen == expected[-1]
    assert clocks.seen == expected


class Uneven(Noises):
    """Of ticks that are no whole number of steps."""

    def __init__(self, tick: float, **loading: Any) -> None:
        super().__init__(tick=0.33, **loading)


@pytest.mark.parametrize(
    ("kimg", "expected"),
    [
        (0.33, [400]),
        (0.66, [400, 700]),
        (0.99, [400, 700, 1000]),
        (0.75, [400, 700, 800]),
    ],
)
def test_a_budget_of_whole_ticks_ends_with_the_last_of_them(fit: Any, kimg: float, expected: list[int]) -> None:
    clocks = Clocks()
    fit(kimg, clocks, data=Uneven)
    assert clocks.seen == expected


@given(st.integers(1, 10**6), st.integers(1, 100), st.integers(1, 5000))
def test_that_is_so_whatever_the_numbers(tick: int, count: int, batch: int) -> None:
    budget = Budget(tick * count / 1000)
    end = Ticks(tick / 1000, batch).end(count) if tick >= batch else -(-tick * count // batch) * batch
    assert end - batch < budget.images <= end


def test_a_finished_run_that_is_resumed_trains_no_further(fit: Any) -> None:
    first = fit(0.4, Checkpoints(""))
    last = f"{first.trainer.default_root_dir}/checkpoints/last.ckpt"
    assert fit(0.4, ckpt_path=last).module.images_seen == 400
    assert fit(0.5, ckpt_path=last).module.images_seen == 500


def test_the_budget_is_in_thousands_of_images() -> None:
    assert Budget(2.5).kimg == 2.5
