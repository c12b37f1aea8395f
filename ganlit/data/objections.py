"""What is said against an item."""

from __future__ import annotations

from typing import NamedTuple


class Objection(NamedTuple):
    """Why an item does not fit: the `topic` groups reports, the rest completes the sentence "cat.png ..."."""

    topic: str
    reason: str
    remedy: str
    spare: bool = True  # whether to leave it out is advice: what is whole is rather mended


class Objected(ValueError):
    """A file that cannot be opened, decoded or written for a reason that is known."""

    def __init__(self, objection: Objection) -> None:
        super().__init__(f"it {objection.reason}")
        self.objection = objection
