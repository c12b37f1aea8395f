"""What one tab is about: where it is, where it was, what it has pinned, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from ganlit.errors import UserError, within
from ganlit.studies.evaluation.options import FARTHEST
from ganlit.studies.explore.finding import Found, find
from ganlit.studies.explore.job import Job
from ganlit.studies.explore.keeping import KEYS, Keeper
from ganlit.studies.explore.showing import shown
from ganlit.studies.explore.state import History, State
from ganlit.studies.explore.studio import Drawn, Studio
from ganlit.studies.latent.keys import LARGEST_SEED

REACH = 3.0  # units along a direction, to either side
PSI = 2.0  # the largest truncation that is offered


class Pinned:
    """A state that was kept, and how it looked."""

    def __init__(self, state: State, drawn: Drawn, picture: str) -> None:
        self.state, self.drawn, self.picture = state, drawn, picture


class Session:
    """The state of a tab.

    Attributes:
        history: where it is and was.
        pinned: what it has kept, in order.
        looking: the search for a picture's latent, while and after it lasts.
        wanted: that picture, as an address that holds it.
        filming: the same of a film.
    """

    def __init__(self, studio: Studio, keeper: Keeper) -> None:
        self.studio = studio
        self.keeper = keeper
        self.history = History(studio.start)
        self.pinned: list[Pinned] = []
        self.looking: Job[Found] | None = None
        self.wanted = ""
        self.filming: Job[list[Path]] | None = None
        self._found: list[Tensor] = []

    @property
    def state(self) -> State:
        return self.history.state

    def change(self, lasting: bool = False, **values: Any) -> None:
        """Sets some of a state's values.

        Args:
            lasting: whether it is part of a gesture that goes on.

        Raises:
            UserError: one of them cannot be.
        """
        self._to(self.state._replace(**values), lasting)

    def move(self, name: str, amount: float, lasting: bool = False) -> None:
        """Goes so far along a direction, in units."""
        within(name, amount, least=-REACH, most=REACH)
        self._to(self.state.moved(name, amount), lasting)

    def settle(self) -> None:
        """Ends a gesture."""
        self.history.end()

    def draw(self) -> Drawn:
        """The picture of the state."""
        return self.studio.draw(self.state, self._found)

    def picture(self) -> str:
        """The same as an address that holds it."""
        return shown(self.draw().stored, self.studio.subject.kind)

    def pin(self) -> None:
        """Keeps the state, for the way back and for a film.

        Raises:
            UserError: there are as many as a film takes.
        """
        if len(self.pinned) == KEYS:
            raise UserError(f"{KEYS} items are pinned, and a film takes no more: remove some.")
        drawn = self.draw()
        self.pinned.append(Pinned(self.state, drawn, shown(drawn.stored, self.studio.subject.kind)))

    def unpin(self) -> None:
        """Forgets all that is pinned."""
        self.pinned.clear()

    def look_for(self, content: bytes) -> None:
        """Begins to look for the latent of a picture, and gives up on another one."""
        self.give_up()
        self.wanted, state = "", self.state

        def work(job: Job[Found]) -> Found:
            return find(self.studio, content, state, job, show)

        def show(stored: Tensor) -> None:
            self.wanted = shown(stored, self.studio.subject.kind)

        self.looking = Job("Looking at the picture", work)

    def arrive(self) -> str | None:
        """Goes to a latent that was found; a sentence once the search is over, however it ended."""
        if self.looking is None or not self.looking.done:
            return None
        job, self.looking = self.looking, None
        if job.answer is None:
            self.wanted = ""
            return job.error
        self._found.append(job.answer.latent)
        self._to(self.state._replace(found=len(self._found) - 1, other=None, amounts={}))
        return f"Found in {self.studio.steps} steps, PSNR {job.answer.psnr:.1f} dB."

    def save_film(self) -> None:
        """Begins to draw a film of what is pinned, unless one is being drawn."""
        if self.filming is None or self.filming.done:
            items, stem = [each.drawn for each in self.pinned], "film"
            self.filming = Job("Drawing the film", lambda job: self.keeper.film(items, stem, job))

    def filmed(self) -> str | None:
        """A sentence once a film is there, or is none."""
        if self.filming is None or not self.filming.done:
            return None
        job, self.filming = self.filming, None
        return job.error if job.answer is None else saved(job.answer)

    def save(self, keep: Callable[[Keeper, Drawn, str], list[Path]]) -> str:
        """Writes what is shown; a sentence of where.

        Raises:
            UserError: it cannot be written.
        """
        return saved(keep(self.keeper, self.draw(), name_of(self.state, bool(self.studio.controls.classes))))

    def give_up(self) -> None:
        """Has a search end, of which nobody wants to hear any more."""
        if self.looking is not None:
            self.looking.cancel()

    def leave(self) -> None:
        """Ends whatever goes on, for nobody is here any more."""
        self.give_up()
        if self.filming is not None:
            self.filming.cancel()

    def _to(self, state: State, lasting: bool = False) -> None:
        refuse(state, self.studio)
        (self.history.pass_by if lasting else self.history.go)(state)


def refuse(state: State, studio: Studio) -> None:
    """Refuses a state that a page could ask for and nobody can draw.

    Raises:
        UserError: it is one.
    """
    for name, value in (("the seed", state.seed), ("the second seed", state.other)):
        if value is not None and (not isinstance(value, int) or not 0 <= value <= LARGEST_SEED):
            raise UserError(f"{name} is {value}: take a whole number from 0 to {LARGEST_SEED:,}.")
    within("truncation", state.truncation, least=0, most=FARTHEST)
    if state.label not in (studio.controls.classes or studio.subject.turn):
        raise UserError(f"there is no class {state.label}: take one that is offered.")
    if studio.controls.layers:
        within("the layer", state.layer, least=1, most=studio.controls.layers - 1)


def name_of(state: State, classes: bool) -> str:
    """What a file is called, from what can be seen of a state."""
    item = f"seed{state.seed}" if state.found is None else f"found{state.found}"
    parts = [item, f"class{state.label}" if classes and state.found is None else ""]
    parts += [f"psi{state.truncation:g}" if state.truncation != 1 and state.found is None else ""]
    parts += [f"mixed{state.other}at{state.layer}" if state.other is not None else ""]
    return "-".join(filter(None, [*parts, *map(moved, state.amounts.items())]))[:120]


def moved(step: tuple[str, float]) -> str:
    """A direction in a file's name."""
    name, amount = step
    return f"{''.join(each if each.isalnum() else '_' for each in name)}{amount:+g}"


def saved(files: list[Path]) -> str:
    return f"Saved {' and '.join(file.name for file in files)} in {files[0].parent}."
