"""A game that is learned: eight Gaussians on a circle, none of them forgotten."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ganlit.contracts import Labelled


def test_all_eight_modes_are_found(new_game: Callable, play_game: Callable) -> None:
    module = new_game()
    trainer = play_game(module, batches=2500, batch=128)
    ring = trainer.train_dataloader.dataset
    points = module.validation_step(Labelled(torch.zeros(4000, 2, 1, 1), torch.zeros(4000, dtype=torch.long)), 0).output
    distance = torch.cdist(points[:, :, 0, 0], ring.modes)
    nearest = distance.argmin(dim=1)
    on_a_mode = distance.min(dim=1).values < 5 * ring.deviation
    share = torch.bincount(nearest[on_a_mode], minlength=8) / len(points)
    assert on_a_mode.float().mean() > 0.8
    assert share.min() > 0.05, share
