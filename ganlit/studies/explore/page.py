"""The page: controls that tell a session what they want, and show what it answers."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from nicegui import ui
from nicegui.events import UploadEventArguments

from ganlit.errors import UserError, reason
from ganlit.studies.explore.actions import Actions
from ganlit.studies.explore.atlas import SIDE
from ganlit.studies.explore.background import Background
from ganlit.studies.explore.guard import LARGEST
from ganlit.studies.explore.guide import Guide
from ganlit.studies.explore.keeping import Keeper
from ganlit.studies.explore.parts import WHERE, button, call, card, image, number, slider, upload
from ganlit.studies.explore.session import PSI, REACH, Session
from ganlit.studies.latent.keys import LARGEST_SEED

STYLE = Path(__file__).with_suffix(".css")
FIRST = 6  # directions that are seen before more are asked for
LETTERS = 26  # of the names of classes that stand side by side
OFTEN = 0.25  # seconds, after which it is looked at what happens beside the page


class Page:
    """One tab."""

    def __init__(self, session: Session, background: Background) -> None:
        self.session = session
        self.background = background
        self.act = Actions(session, background, self.follow)
        self.controls = session.studio.controls
        self.sliders: dict[str, ui.slider] = {}
        self.shown: tuple[Any, ...] = ()  # of what happens beside the page
        self.drawing = self.stale = self.following = False

    def build(self) -> None:
        """Puts all of it on the page."""
        ui.add_css(STYLE)
        with ui.element("div").classes("explorer"):
            with ui.element("header"):
                ui.label("ganlit").classes("brand")
                ui.label(self.session.studio.subject.run).classes("quiet")
            with ui.element("section").classes("stage"):
                self._stage()
            with ui.element("section").classes("controls"):
                self._item()
                if self.controls.layers > 1:
                    self._mixing()
                self._directions()
            with ui.element("section").classes("places"):
                self._map()
                self._search()
        self.sync()
        ui.timer(OFTEN, self.poll)
        ui.timer(0, self.refresh, once=True)

    def _stage(self) -> None:
        self.picture = image("the item").classes("picture")
        self.said = ui.label().classes("said").props('role="status" aria-live="polite"')
        with ui.element("div").classes("row"):
            self._button("casino", "Any other seed", self.act.another)
            self._button("chevron_left", "The seed before", partial(self.act.step, -1))
            self._button("chevron_right", "The next seed", partial(self.act.step, 1))
            self.undo = self._button("undo", "Undo", self.act.back)
            self._button("push_pin", "Pin, for the way back and for films", self.pin)
            if self.session.keeper.folder is not None:
                self._button("image", "Save the picture", partial(self.save, Keeper.picture))
                self._button("scatter_plot", "Save its latent", partial(self.save, Keeper.latent))
        self.pins = ui.element("div").classes("row")

    def _item(self) -> None:
        with card("Item"):
            self.seed = number("Seed", LARGEST_SEED, self._number(self.act.see))
            if self.controls.classes:
                ui.label("Class").classes("name")
                self.classes = ui.element("div")
                self._classes()
            if self.controls.truncation:
                self.truncation = self._slider("Truncation", 0, PSI, 0.01, partial(self.act.slide, "truncation", float))

    def _classes(self) -> None:
        names = dict(enumerate(self.background.names))
        options = {each: names.get(each, str(each)) for each in self.controls.classes}
        short = sum(map(len, options.values())) <= LETTERS
        self.classes.clear()
        with self.classes:
            chosen = self._told(lambda event: self.act.change(label=event.value))
            self.label = (ui.toggle if short else ui.select)(options, value=self.session.state.label, on_change=chosen)
            self.label.props("unelevated dense spread no-caps" if short else "dense outlined options-dense")

    def _mixing(self) -> None:
        def mixed(event: Any) -> Any:
            return self.act.mix(int(self.other.value or 0) if event.value else None)

        with card("Mixing"):
            self.mixes = ui.switch("Late layers are those of a second seed", on_change=self._told(mixed)).props("dense")
            with ui.element("div") as self.mixed:
                self.other = number("Second seed", LARGEST_SEED, self._number(self.act.mix))
                most = self.controls.layers - 1
                self.layer = self._slider("From layer", 1, most, 1, partial(self.act.slide, "layer", int))

    def _directions(self) -> None:
        with card("Directions"):
            self.told = ui.label().classes("quiet")
            self.ways = ui.element("div")
            nowhere = self._told(lambda event: self.act.change(amounts={}))
            ui.button("All back to zero", on_click=nowhere, color=None).props("flat dense no-caps")

    def _map(self) -> None:
        with card("Map"), ui.element("div").classes("map"):
            self.atlas = image("a map of seeds, on which those that are alike lie side by side")
            self.atlas.on("click", self._told(lambda event: self.act.go(*event.args)), js_handler=WHERE)
            self.here = ui.element("div").classes("here")

    def _search(self) -> None:
        with card("Find a picture"):
            refused = partial(self.tell, f"A picture may have {LARGEST / 2**20:g} MiB at most.", wrong=True)
            self.drop = upload(LARGEST, self._told(self.receive), refused)
            with ui.element("div").classes("row") as self.search:
                self.wanted = image("the picture that is looked for").classes("pin")
                with ui.element("div").classes("row wide") as self.searching:
                    self.bar = ui.linear_progress(0, show_value=False)
                    self._button("close", "Give up", self.session.give_up)

    def _button(self, icon: str, tip: str, do: Callable[[], Any]) -> ui.button:
        return button(icon, tip, self._told(lambda event: do()))

    def _number(self, do: Callable[[int], Any]) -> Callable[[Any], Any]:
        return self._told(lambda event: do(int(event.value)) if event.value is not None else None)

    def _slider(
        self, name: str, least: float, most: float, step: float, do: Callable[[float, bool], Any], note: str = ""
    ) -> ui.slider:
        dragged = self._told(lambda event: do(event.value, True))
        return slider(name, least, most, step, dragged, self._told(lambda event: do(event.args, False)), note)

    def _told(self, do: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """A handler that says on the page what goes wrong; it does nothing while controls follow the state."""

        async def handle(event: Any) -> None:
            try:
                answer = do(event)
                if inspect.isawaitable(answer):
                    await answer
            except UserError as error:
                self.tell(str(error), wrong=True)
            except Exception as error:
                self.tell(f"That did not work ({reason(error)}).", wrong=True)

        return lambda event: None if self.following else handle(event)

    def tell(self, sentence: str, wrong: bool = False) -> None:
        """Says something below the picture."""
        self.said.set_text(sentence)
        self.said.classes(**{"add" if wrong else "remove": "wrong"})

    async def pin(self) -> None:
        await asyncio.to_thread(self.session.pin)
        self.show_pins()

    def unpin(self) -> None:
        self.session.unpin()
        self.show_pins()

    async def save(self, keep: Callable[..., list[Path]]) -> None:
        self.tell(await asyncio.to_thread(self.session.save, keep))

    async def receive(self, event: UploadEventArguments) -> None:
        self.drop.reset()
        self.session.look_for(await event.file.read())
        self.tell("")

    async def follow(self, lasting: bool = False) -> None:
        """Shows the state, which has changed; controls follow when no gesture lasts."""
        if not lasting:
            self.sync()
            self.tell("")
        await self.refresh()

    async def refresh(self) -> None:
        """Draws the state; whatever changes meanwhile is drawn once, when that is done."""
        self.stale = True
        if self.drawing:
            return
        self.drawing = True
        try:
            while self.stale:
                self.stale = False
                self.picture.props["src"] = await asyncio.to_thread(self.session.picture)
        finally:
            self.drawing = False

    def sync(self) -> None:
        """Has the controls say what the state is."""
        self.following, state = True, self.session.state
        self.seed.set_value(state.seed)
        self.undo.set_enabled(self.session.history.can_undo)
        if self.controls.classes:
            self.label.set_value(state.label)
        if self.controls.truncation:
            self.truncation.set_value(state.truncation)
            self.truncation.set_enabled(state.found is None)
        if self.controls.layers > 1:
            self.mixes.set_value(state.other is not None)
            self.mixed.set_visibility(state.other is not None)
            self.other.set_value(self.other.value if state.other is None else state.other)
            self.layer.set_value(state.layer)
        for name, each in self.sliders.items():
            each.set_value(state.amounts.get(name, 0))
        self.mark()
        self.following = False

    def mark(self) -> None:
        """Shows on the map where one is, if it is there."""
        state, atlas = self.session.state, self.background.atlas
        label = state.label if self.controls.classes else self.session.studio.start.label
        place = atlas.place(state.seed, label) if atlas is not None and state.found is None else None
        self.here.set_visibility(place is not None)
        if place is not None:
            down, across = (f"{100 * each / SIDE:g}%" for each in place)
            self.here.style(f"left: {across}; top: {down}; width: {100 / SIDE:g}%")

    def show_pins(self) -> None:
        self.pins.clear()
        with self.pins:
            for count, pinned in enumerate(self.session.pinned, 1):
                with ui.element("button") as back:
                    call(back, f"pin {count}")
                    image("").classes("pin").props["src"] = pinned.picture
                back.on("click", self._told(lambda event, state=pinned.state: self.act.return_to(state)))
            if self.session.pinned:
                self._button("delete_outline", "Forget the pins", self.unpin)
            if self.session.pinned and self.session.keeper.folder is not None:
                self._button("movie", "Save a film through the pins", self.session.save_film)

    def show_directions(self, guide: Guide) -> None:
        self.ways.clear()
        self.sliders = {}
        with self.ways:
            for each in guide.directions[:FIRST]:
                self._way(each.name, guide)
            if others := guide.directions[FIRST:]:
                with ui.expansion(f"{len(others)} more").props("dense"):
                    for each in others:
                        self._way(each.name, guide)
        self.sync()

    def _way(self, name: str, guide: Guide) -> None:
        note, do = guide.notes.get(name, ""), partial(self.act.move, name)
        self.sliders[name] = self._slider(name, -REACH, REACH, 0.05, do, note)

    async def poll(self) -> None:
        """Shows what has happened beside the page."""
        background, job, before = self.background, self.background.job, self.shown
        self.shown = guide, atlas, names = background.guide, background.atlas, background.names
        if self.shown != before or not before:
            if guide is not None and (not before or guide is not before[0]):
                self.show_directions(guide)
            if atlas is not None:
                self.atlas.props["src"] = atlas.picture
            if names and self.controls.classes:
                self._classes()
            self.mark()
        over = job.error or (guide.told if guide is not None else "")
        share = f", {job.share:.0%}" if job.share else ""
        self.told.set_text(over if job.done else job.title + share)
        looking = self.session.looking
        self.search.set_visibility(looking is not None or bool(self.session.wanted))
        self.searching.set_visibility(looking is not None)
        self.wanted.props["src"] = self.session.wanted
        if looking is not None:
            self.bar.set_value(looking.share)
        for told in (self.session.arrive(), self.session.filmed()):
            if told is not None:
                await self.follow()
                self.tell(told, wrong=not told.startswith(("Found", "Saved")))
