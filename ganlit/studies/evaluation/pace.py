"""How fast a command gets through what goes on in time, such as sound."""

from __future__ import annotations

import time

from torch import Tensor

from ganlit.compute.console import say
from ganlit.contracts import Modality


class Pace:
    """How long items last beside the time that they take, reading and writing included; the clock runs from now on.

    Args:
        kind: of the items.
    """

    def __init__(self, kind: Modality) -> None:
        self.kind = kind
        self.began, self.lasted = time.perf_counter(), 0.0

    def add(self, stored: Tensor) -> None:
        """Takes items [B, ...] that are done."""
        self.lasted += self.kind.seconds(stored)

    def tell(self) -> None:
        """Says it of such as last."""
        if self.lasted:
            taken = time.perf_counter() - self.began
            times = self.lasted / taken
            say(f"{self.lasted:,.1f} s of {self.kind.name} in {taken:,.1f} s: {times:,.1f} times real time")
