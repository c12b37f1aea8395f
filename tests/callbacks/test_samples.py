from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ganlit.callbacks.loggers.board import Board
from ganlit.callbacks.samples import Samples
from ganlit.data.images.modality import grid
from ganlit.data.images.pixels import to_uint8


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("L"))


def test_a_grid_is_written_at_the_start_and_ahead_of_every_validation(fit: Any, tmp_path: Path) -> None:
    fit(0.6, Samples(rows=3, columns=4))
    names = ["kimg000000.0.png", "kimg000000.4.png", "kimg000000.6.png", "real.png"]
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == names
    assert all(pixels(tmp_path / "samples" / name).shape == (32, 42) for name in names)


def test_the_real_grid_shows_the_data_with_a_class_in_each_column(fit: Any, tmp_path: Path) -> None:
    run = fit(0.1, Samples(rows=2, columns=4))
    batch = run.data.grid(2, 4)
    expected = np.asarray(grid([to_uint8(batch.item)], 4).convert("L"))
    assert np.array_equal(pixels(tmp_path / "samples" / "real.png"), expected)
    assert batch.label.view(2, 4).tolist() == [[0, 1, 0, 1]] * 2


def test_latents_are_the_same_every_time_and_training_does_not_notice(fit: Any, tmp_path: Path) -> None:
    samples = Samples(rows=2, columns=2)
    run = fit(0.4, samples)
    path = tmp_path / "samples" / "kimg000000.4.png"
    before, state = path.read_bytes(), torch.get_rng_state()
    run.trainer.state.fn = "fit"
    samples.on_validation_start(run.trainer, run.module)
    assert path.read_bytes() == before
    assert torch.equal(torch.get_rng_state(), state)


class Wall(Board):
    """Keeps what it is shown."""

    name = version = "wall"

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[str, str, float]] = []

    def log_hyperparams(self, *_: Any, **__: Any) -> None: ...

    def log_metrics(self, *_: Any, **__: Any) -> None: ...

    def log_histograms(self, *_: Any) -> None: ...

    def log_media(self, name: str, files: Sequence[Path], kimg: float) -> None:
        self.shown += [(name, file.name, kimg) for file in files]


def test_boards_are_shown_every_grid_with_its_clock(fit: Any) -> None:
    wall = Wall()
    fit(0.4, Samples(rows=1, columns=2), logger=wall, log_every_n_steps=100)
    assert wall.shown == [("samples", "kimg000000.0.png", 0.0), ("samples", "kimg000000.4.png", 0.4)]
