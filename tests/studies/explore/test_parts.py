"""What parts of the page are called, whoever has named them."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("nicegui", reason='the page is shown by NiceGUI: pip install "ganlit[explore]"')

NAME = 'x" :foo="1" innerHTML="<b>y</b>'


@pytest.fixture
def parts() -> Any:
    """The module, where a tab is open."""
    from nicegui import Client
    from nicegui.page import page

    from ganlit.studies.explore import parts

    with Client(page("/"), request=None):
        yield parts


def nothing(event: Any) -> None:
    pass


def test_a_name_is_text_whatever_is_in_it(parts: Any) -> None:
    slider = parts.slider(NAME, -1, 1, 0.1, nothing, nothing, NAME)
    button, image = parts.button("undo", NAME, nothing), parts.image(NAME)
    assert slider.props["aria-label"] == button.props["aria-label"] == image.props["alt"] == NAME
    for part in (slider, button, image):
        assert not {":foo", "innerHTML"} & set(part.props)
