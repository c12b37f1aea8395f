from __future__ import annotations

from typing import Any

import pytest
from lightning.pytorch import Callback, LightningModule, Trainer

from ganlit.callbacks.budget import Budget
from ganlit.callbacks.checkpoint import Checkpoints


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


def test_a_finished_run_that_is_resumed_trains_no_further(fit: Any) -> None:
    first = fit(0.4, Checkpoints(""))
    last = f"{first.trainer.default_root_dir}/checkpoints/last.ckpt"
    assert fit(0.4, ckpt_path=last).module.images_seen == 400
    assert fit(0.5, ckpt_path=last).module.images_seen == 500


def test_the_budget_is_in_thousands_of_images() -> None:
    assert Budget(2.5).kimg == 2.5
