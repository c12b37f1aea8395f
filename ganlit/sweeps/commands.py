"""The four commands of a sweep."""

from __future__ import annotations

from pathlib import Path

from ganlit.errors import UserError


def run(folder: Path, parallel: int = 1) -> None:
    """Run the trials of a sweep on this machine.

    Args:
        folder: holds sweep.yaml, such as experiments/0004-r1-gamma.
        parallel: trials at a time.
    """
    raise UserError("sweep run is not built yet.")


def submit(folder: Path) -> None:
    """Submit the trials of a sweep to SLURM, as a job array.

    Args:
        folder: holds sweep.yaml, such as experiments/0004-r1-gamma.
    """
    raise UserError("sweep submit is not built yet.")


def status(folder: Path) -> None:
    """Show which trials of a sweep are pending, running, preempted, done, failed or diverged.

    Args:
        folder: holds sweep.yaml, such as experiments/0004-r1-gamma.
    """
    raise UserError("sweep status is not built yet.")


def retry(folder: Path) -> None:
    """Run trials of a sweep again.

    Args:
        folder: holds sweep.yaml, such as experiments/0004-r1-gamma.
    """
    raise UserError("sweep retry is not built yet.")
