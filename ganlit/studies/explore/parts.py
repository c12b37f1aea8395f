"""What the page is built of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nicegui import ui

Handler = Callable[[Any], Any]

WHERE = "(event) => emit([event.offsetX / event.target.clientWidth, event.offsetY / event.target.clientHeight])"
"""What a click on an image tells: where, in shares of its sides."""

PROMPT = '<div class="prompt">Drop a picture here, or choose one<q-uploader-add-trigger /></div>'


def call(part: ui.element, name: str) -> None:
    """Names a part for whoever does not see it, by any text: in `props("...")` a quote would end it."""
    part.props["aria-label"] = name


@contextmanager
def card(title: str) -> Iterator[None]:
    """Controls that belong together."""
    with ui.element("div").classes("card"):
        ui.label(title).classes("title").props('role="heading" aria-level="2"')
        yield


def button(icon: str, tip: str, do: Handler) -> ui.button:
    """A round one."""
    made = ui.button(icon=icon, on_click=do, color=None).props("flat round")
    call(made, tip)
    with made:
        ui.tooltip(tip)
    return made


def image(tells: str) -> ui.element:
    """An image that changes without a flicker; its address is the property `src`."""
    made = ui.element("img").props("decoding=sync draggable=false")
    made.props["alt"] = tells
    return made


def number(name: str, most: int, do: Handler) -> ui.number:
    """A whole one from 0 on, told once the typing has paused."""
    field = ui.number(name, value=0, min=0, max=most, precision=0, on_change=do)
    return field.props("dense outlined debounce=300").classes("field")


def slider(
    name: str, least: float, most: float, step: float, while_: Handler, then: Handler, note: str = ""
) -> ui.slider:
    """A slider with its name and its value above it.

    Args:
        while_: is told while it is dragged.
        then: when it is let go.
        note: behind the name.
    """
    with ui.element("div").classes("slider"):
        with ui.element("div").classes("names"):
            ui.label(name).classes("name")
            ui.label(note).classes("quiet note")
            value = ui.label().classes("value")
        made = ui.slider(min=least, max=most, step=step, value=min(max(0, least), most), on_change=while_)
        made.on("change", then).props("dense")
        call(made, name)
        if least < 0:
            made.props("selection-color=transparent")  # from the middle, no side is filled
        value.bind_text_from(made, "value", lambda reached: f"{reached or 0:g}")
    return made


def upload(most: int, do: Handler, refused: Callable[[], None]) -> ui.upload:
    """A place to drop a picture."""
    made = ui.upload(auto_upload=True, max_file_size=most, on_upload=do, on_rejected=refused)
    made.props('accept="image/*,.npy,.tif,.tiff" flat').add_slot("header", PROMPT)
    return made
