"""Where a run is looked at while it runs: numbers over kimg, and beside them pictures and histograms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import Logger


class Board(Logger, ABC):
    """A logger that shows more than numbers."""

    @abstractmethod
    def log_picture(self, name: str, path: Path, kimg: float) -> None:
        """Shows a file that holds a picture."""

    @abstractmethod
    def log_histograms(self, values: Mapping[str, np.ndarray], kimg: float) -> None:
        """Shows how numbers are distributed."""


def boards(trainer: Trainer) -> Iterator[Board]:
    """Those among the loggers of a run."""
    return (logger for logger in trainer.loggers if isinstance(logger, Board))
