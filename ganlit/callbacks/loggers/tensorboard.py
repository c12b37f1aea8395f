"""TensorBoard in W&B's place."""

from __future__ import annotations

import wave
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from PIL import Image

from ganlit.callbacks.loggers.board import Board
from ganlit.errors import UserError
from ganlit.records.media import kind_of


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
    def log_media(self, name: str, files: Sequence[Path], kimg: float) -> None:
        """Pictures, sounds as WAV, and text; TensorBoard has no other player."""
        for number, path in enumerate(files):
            key = f"{name}/{number}" if number else name
            match kind_of(path):
                case "image":
                    shown = np.atleast_3d(np.asarray(Image.open(path)))
                    self.experiment.add_image(key, shown, images(kimg), dataformats="HWC")
                case "audio":
                    self.experiment.add_audio(key, *sound(path, images(kimg)))
                case "text":
                    self.experiment.add_text(key, f"<pre>{escape(path.read_text())}</pre>", images(kimg))

    @rank_zero_only
    def log_histograms(self, values: Mapping[str, np.ndarray], kimg: float) -> None:
        for name, array in values.items():
            self.experiment.add_histogram(name, array, images(kimg))


def sound(path: Path, step: int) -> tuple[np.ndarray, int, int]:
    """The samples [1, T] in [-1, 1] of a WAV file of 16 bits, its channels averaged; the step; samples a second."""
    with wave.open(str(path)) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        return frames.mean(1)[None] / 2**15, step, file.getframerate()


def images(kimg: float) -> int:
    """The clock as the whole number that TensorBoard wants."""
    return round(1000 * kimg)
