"""TensorBoard in W&B's place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from PIL import Image

from ganlit.callbacks.loggers.board import Board
from ganlit.errors import UserError


class TensorBoard(TensorBoardLogger, Board):
    """TensorBoard's files in the run directory, over images seen: `tensorboard --logdir runs`.

    Raises:
        UserError: it is not installed.
    """

    folder = Path()  # the run directory, once it is known

    def __init__(self) -> None:
        try:
            super().__init__(save_dir="", name="", version="")
        except ModuleNotFoundError:
            raise UserError('TensorBoard is not installed: pip install "ganlit[tensorboard]".') from None

    @property
    def log_dir(self) -> str:
        return str(self.folder / "tensorboard")

    root_dir = log_dir

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        """config.yaml is the record of those."""

    def save(self) -> None:
        """Nothing but what is written as it comes."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        numbers = {name: value for name, value in metrics.items() if name not in ("epoch", "kimg")}
        super().log_metrics(numbers, images(metrics.get("kimg", 0.0)))

    @rank_zero_only
    def log_picture(self, name: str, path: Path, kimg: float) -> None:
        pixels = np.atleast_3d(np.asarray(Image.open(path)))
        self.experiment.add_image(name, pixels, images(kimg), dataformats="HWC")

    @rank_zero_only
    def log_histograms(self, values: Mapping[str, np.ndarray], kimg: float) -> None:
        for name, array in values.items():
            self.experiment.add_histogram(name, array, images(kimg))


def images(kimg: float) -> int:
    """The clock as the whole number that TensorBoard wants."""
    return round(1000 * kimg)
