"""What ranks tell one another when one of them fails: the others would wait for it, on some networks for ever."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from subprocess import Popen
from typing import NoReturn

from torch.distributed import DistError, TCPStore

KEY = "ganlit/failed"


class Alarm(threading.Thread):
    """Ends this process soon after another rank has failed, so that a job ends with the error of the one that did.

    Args:
        address: of the store by which the processes have met.
        port: the same.
        children: the processes that this one has launched, as Lightning's launcher watches over them. It would kill
            this process where one of them has failed, before the error is told: the list is emptied in time.
        pause: seconds between two looks.
        patience: seconds in which a process that learns of a failure may end by itself.
    """

    def __init__(
        self, address: str, port: int, children: list[Popen], pause: float = 0.5, patience: float = 10.0
    ) -> None:
        super().__init__(daemon=True, name="ganlit-alarm")
        self.store = TCPStore(address, port, is_master=False, timeout=timedelta(seconds=60))
        self.children = children
        self.pause = pause
        self.patience = patience
        self.over = threading.Event()
        self.heard: int | None = None  # the exit code of the rank that has failed
        self.parting: Callable[[], None] = lambda: None  # called before another rank's failure ends this process

    def ring(self, code: int) -> None:
        """Tells the others to end with an exit code; where another rank rang before, this one ends without a word.

        0 is for an end on purpose: the others then leave at once, and so before this one.
        """
        if self.heard is None:
            try:
                if self.store.add(f"{KEY}/rings", 1) == 1:
                    self.stop()  # this rank ends by itself, with its error
                    self.store.set(KEY, str(code))
                    self.children.clear()
                    atexit.register(time.sleep, 10 * self.pause)  # until all have heard: it may hold the store
                    return
                self._hear()
            except DistError:  # the store has ended with the rank that held it
                return
        self._leave(self.heard)

    def stop(self) -> None:
        """Before an orderly end, in which one rank is always the first to leave."""
        self.over.set()

    def run(self) -> None:
        while not self.over.wait(self.pause):
            try:
                if self.store.check([KEY]) and not self.over.is_set():  # else it may be this rank that rang meanwhile
                    self._hear()
            except DistError:
                return
            if self.heard is not None:
                if self.heard == 0 or not self.over.wait(self.patience):
                    self._leave(self.heard)
                return

    def _hear(self) -> None:
        self.heard = int(self.store.get(KEY))
        self.children.clear()

    def _leave(self, code: int) -> NoReturn:
        time.sleep(3 * self.pause)  # the error is told first
        if code:
            self.parting()
        os._exit(code)
