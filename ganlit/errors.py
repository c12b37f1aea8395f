"""The ways in which a run ends early on purpose."""

from __future__ import annotations


class UserError(ValueError):
    """One sentence: what is wrong, where (file, key, value), what to do; printed by the CLI without a traceback."""


class Diverged(UserError):
    """Numbers of a training were not finite, again and again: its settings are to blame, not the machine."""


class Stopped(Exception):
    """Someone asked the run to stop, and it has been saved.

    Args:
        signal: the number of the signal that asked.
    """

    def __init__(self, signal: int) -> None:
        super().__init__(f"stopped by signal {signal}")
        self.signal = signal
