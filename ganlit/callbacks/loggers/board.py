"""Where a run is looked at while it runs: numbers over kimg, and beside them media and histograms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import Logger


class Board(Logger, ABC):
    """A logger that shows more than numbers."""

    @abstractmethod
    def log_media(self, name: str, files: Sequence[Path], kimg: float) -> None:
        """Shows files, each as what it is: a picture, a sound, a film, or text and numbers; see `kind_of`."""

    @abstractmethod
    def log_histograms(self, values: Mapping[str, np.ndarray], kimg: float) -> None:
        """Shows how numbers are distributed."""

    @abstractmethod
    def log_outcome(self, phase: str, reason: str | None, kimg: float) -> None:
        """Shows as what a training has ended that was not broken off, and why, if that was ahead of its length.

        A run that goes on tells it again at its next end; who was killed, or has failed, tells nothing here.
        """


def boards(trainer: Trainer) -> Iterator[Board]:
    """Those among the loggers of a run."""
    return (logger for logger in trainer.loggers if isinstance(logger, Board))
