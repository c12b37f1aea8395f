"""The signal by which SLURM announces the end of a job, caught before there is anything to save."""

from __future__ import annotations

import signal
from types import FrameType

ENDING = signal.SIGUSR1  # as `#SBATCH --signal=USR1@120` sends it, to every process of a job

early: list[int] = []
"""Signals that came before the first step."""


def listen() -> None:
    """Notes the signal, whose default is to end the process, from now on: imports and data take their time."""
    signal.signal(ENDING, _note)


def _note(number: int, frame: FrameType | None) -> None:
    early.append(number)
