"""Work that goes on beside the page: how far it is, what came out, and how it is ended."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from ganlit.errors import UserError, reason

Answer = TypeVar("Answer")
GOING_ON: set[Job[Any]] = set()
NICE = 10  # so that pictures come first where cores are few


class Cancelled(Exception):
    """Nobody waits for it any more."""


class Job(Generic[Answer]):
    """A thread of its own for some work, which is given the job itself to tell of.

    Attributes:
        title: what is being done.
        share: how much of that is done, from 0 to 1.
        answer: what came out; None until then.
        error: a sentence, where nothing came out.
        done: whether it has ended, however.
    """

    def __init__(self, title: str, work: Callable[[Job[Answer]], Answer]) -> None:
        self.title = title
        self.share = 0.0
        self.answer: Answer | None = None
        self.error = ""
        self.done = False
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        GOING_ON.add(self)
        self._thread.start()

    def counted(self, title: str, total: float) -> Callable[[float], None]:
        """What is to be told of how many of these are done.

        Raises:
            Cancelled: when it is told, once the job has been cancelled.
        """
        seen = 0.0

        def advance(count: float) -> None:
            nonlocal seen
            if self._cancelled.is_set():
                raise Cancelled
            seen += count
            self.title, self.share = title, min(1.0, seen / max(total, 1))

        return advance

    def begin(self, title: str) -> None:
        """Says what is done next, of which nobody knows how much there is."""
        self.title, self.share = title, 0.0

    def cancel(self) -> None:
        """Has it end at its next step."""
        self._cancelled.set()

    def wait(self, seconds: float | None = None) -> None:
        """Until it has ended, or so long."""
        self._thread.join(seconds)

    def _run(self, work: Callable[[Job[Answer]], Answer]) -> None:
        if sys.platform == "linux":  # where threads have a niceness each
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        try:
            self.answer = work(self)
        except Cancelled:
            self.error = f"{self.title}: cancelled."
        except UserError as error:
            self.error = str(error)
        except Exception as error:
            self.error = f"{self.title} failed ({reason(error)}): try again, or something else."
        finally:
            self.done = True
            GOING_ON.discard(self)


def end_all(seconds: float) -> None:
    """Cancels all jobs, and waits for each so long: a process does not end well while a thread of it computes."""
    jobs = [*GOING_ON]
    for job in jobs:
        job.cancel()
    for job in jobs:
        job.wait(seconds)
