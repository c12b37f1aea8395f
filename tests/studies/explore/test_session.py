"""A tab: its own state, and nothing that cannot be drawn."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ganlit.errors import UserError
from ganlit.studies.explore.keeping import Keeper
from ganlit.studies.explore.session import Session

Visit = Callable[..., Session]


def test_two_tabs_have_states_of_their_own(visit: Visit) -> None:
    one = visit()
    other = Session(one.studio, Keeper(one.studio.subject, None))
    one.change(seed=5)
    one.pin()
    assert (other.state.seed, other.pinned, other.history.can_undo) == (0, [], False)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"seed": -1}, "the seed is -1: take a whole number from 0 to 9,999,999"),
        ({"seed": 10**7}, "the seed is 10000000"),
        ({"other": 1.5}, "the second seed is 1.5"),
        ({"truncation": float("nan")}, "truncation"),
        ({"label": 3}, "there is no class 3"),
        ({"layer": 6}, "the layer is 6"),
    ],
)
def test_what_nobody_can_draw_is_a_sentence(visit: Visit, values: dict[str, Any], sentence: str) -> None:
    session = visit()
    before = session.state
    with pytest.raises(UserError, match=sentence):
        session.change(**values)
    with pytest.raises(UserError, match="sefa-0 is 4"):
        session.move("sefa-0", 4)
    assert session.state == before


def test_many_at_once_draw_what_one_does(visit: Visit) -> None:
    """Torch's random numbers are one stream for all threads, and the noise of each item is its own all the same."""
    session = visit()
    expected = [session.studio.draw(session.state._replace(seed=seed)).stored for seed in range(10)]
    with ThreadPoolExecutor(10) as pool:
        found = [*pool.map(lambda seed: session.studio.draw(session.state._replace(seed=seed)).stored, range(10))]
    assert all(bool((one == other).all()) for one, other in zip(found, expected, strict=True))
