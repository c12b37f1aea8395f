"""Which loggers a run has, and how they end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger

from ganlit.callbacks.loggers.metrics_file import MetricsFile
from ganlit.callbacks.loggers.tensorboard import TensorBoard
from ganlit.callbacks.loggers.wandb import Wandb, WandbOptions, switched_off


def loggers(folder: Path, config: dict[str, Any], options: WandbOptions | None, given: Any = None) -> list[Logger]:
    """Those of a run: metrics.csv always, and W&B unless it is switched off or others are given.

    Args:
        folder: the run directory.
        config: the resolved configuration.
        options: what W&B files the run under; None does without.
        given: of the Trainer: a logger, several, or False for metrics.csv alone.
    """
    metrics = MetricsFile(folder / "metrics.csv")
    if given is None or given is True:
        return [metrics] if options is None or switched_off() else [metrics, Wandb(folder, config, options)]
    others = [given] if isinstance(given, Logger) else list(given or [])
    for logger in others:
        if isinstance(logger, TensorBoard):
            logger.folder = folder
    return [metrics, *others]


@contextmanager
def ended(given: list[Logger]) -> Iterator[list[Logger]]:
    """Ends what needs an end when the block is left, also by an exception; it takes a minute at most."""
    exit_code = 1
    try:
        yield given
        exit_code = 0
    finally:
        for logger in given:
            if isinstance(logger, Wandb):
                logger.finish(exit_code)
