"""What one looks at, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

MOST = 1000  # steps back


class State(NamedTuple):
    """All that a picture follows from."""

    seed: int = 0
    label: int = 0
    truncation: float = 1.0
    other: int | None = None  # the seed whose styles the late layers take; None for no mixing
    layer: int = 1  # the first of these
    found: int | None = None  # which of the latents that were found for pictures takes the place of the seed's
    amounts: Mapping[str, float] = MappingProxyType({})  # of directions by name, in units; without zeros

    def moved(self, name: str, amount: float) -> State:
        """The same so far along a direction."""
        others = {each: value for each, value in self.amounts.items() if each != name}
        return self._replace(amounts=others | ({name: amount} if amount else {}))


class History:
    """A state, and those before it.

    A gesture, such as a slider that is dragged, passes many states and is one step back.
    """

    def __init__(self, start: State) -> None:
        self.state = start
        self._before: list[State] = []
        self._begun: State | None = None

    def go(self, state: State) -> None:
        """Takes a step, which ends a gesture."""
        self.pass_by(state)
        self.end()

    def pass_by(self, state: State) -> None:
        """Goes on with a gesture, or begins one."""
        if self._begun is None:
            self._begun = self.state
        self.state = state

    def end(self) -> None:
        """Ends a gesture; one that led nowhere was none."""
        if self._begun is not None and self._begun != self.state:
            self._before = [*self._before[1 - MOST :], self._begun]
        self._begun = None

    @property
    def can_undo(self) -> bool:
        return bool(self._before)

    def undo(self) -> None:
        """Takes the last step back, if there is one."""
        self.end()
        if self._before:
            self.state = self._before.pop()
