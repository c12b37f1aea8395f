"""TensorBoard in W&B's place."""

from __future__ import annotations

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
from ganlit.records.media import Film, film_of, kind_of, sound_of


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
        """Pictures, GIFs, sounds in WAV of 16 bits, and text: what else there is, is in the run directory alone."""
        for number, path in enumerate(files):
            key = f"{name}/{number}" if number else name
            match kind_of(path):
                case "image":
                    shown = np.atleast_3d(np.asarray(Image.open(path)))
                    self.experiment.add_image(key, shown, images(kimg), dataformats="HWC")
                case "video" if (film := film_of(path)) is not None:
                    self._play(key, film, images(kimg))
                case "audio" if (sound := sound_of(path)) is not None:
                    self.experiment.add_audio(key, sound.samples, images(kimg), sound.rate)
                case "text":
                    self.experiment.add_text(key, f"<pre>{escape(path.read_text())}</pre>", images(kimg))

    def _play(self, key: str, film: Film, step: int) -> None:
        """As it is: `add_video` makes a GIF, too, but by a package that few have."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        shown = Summary.Image(encoded_image_string=film.content, colorspace=3, **film.sides)
        self.experiment.file_writer.add_summary(Summary(value=[Summary.Value(tag=key, image=shown)]), step)

    @rank_zero_only
    def log_histograms(self, values: Mapping[str, np.ndarray], kimg: float) -> None:
        for name, array in values.items():
            self.experiment.add_histogram(name, array, images(kimg))

    @rank_zero_only
    def log_outcome(self, phase: str, reason: str | None, kimg: float) -> None:
        self.experiment.add_text("outcome", escape(": ".join(filter(None, (phase, reason)))), images(kimg))


def images(kimg: float) -> int:
    """The clock as the whole number that TensorBoard wants."""
    return round(1000 * kimg)
