"""What controls do: each changes the state, and has the page follow."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

from ganlit.studies.explore.background import Background
from ganlit.studies.explore.session import Session
from ganlit.studies.explore.state import State
from ganlit.studies.latent.keys import LARGEST_SEED

SEEDS = 10_000  # among which one is drawn


class Actions:
    """Those of a tab.

    Args:
        follow: shows the state, which has changed; it is told whether a gesture lasts, while which controls stay.
    """

    def __init__(self, session: Session, background: Background, follow: Callable[[bool], Awaitable[None]]) -> None:
        self.session = session
        self.background = background
        self.follow = follow

    async def change(self, lasting: bool = False, **values: Any) -> None:
        self.session.change(lasting, **values)
        await self.follow(lasting)

    async def slide(self, name: str, kind: type, value: float, lasting: bool) -> None:
        await self.change(lasting, **{name: kind(value)})

    async def move(self, name: str, amount: float, lasting: bool) -> None:
        self.session.move(name, float(amount), lasting)
        await self.follow(lasting)

    async def see(self, seed: int) -> None:
        await self.change(seed=seed, found=None)

    async def another(self) -> None:
        await self.see(random.randrange(SEEDS))

    async def step(self, by: int) -> None:
        await self.see(min(max(self.session.state.seed + by, 0), LARGEST_SEED))

    async def mix(self, seed: int | None) -> None:
        await self.change(other=seed)

    async def go(self, across: float, down: float) -> None:
        """To a place on the map, in shares of its sides."""
        if self.background.atlas is not None:
            seed, label = self.background.atlas.at(across, down)
            known = {"label": label} if self.session.studio.controls.classes else {}
            await self.change(seed=seed, found=None, **known)

    async def back(self) -> None:
        self.session.history.undo()
        await self.follow(False)

    async def return_to(self, state: State) -> None:
        await self.change(**state._asdict())
