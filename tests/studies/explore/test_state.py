"""The way back."""

from __future__ import annotations

from ganlit.studies.explore.state import MOST, History, State


def test_a_gesture_is_one_step_back_and_each_other_change_its_own() -> None:
    history = History(State())
    history.go(State(seed=1))
    for psi in (0.9, 0.5, 0.7):
        history.pass_by(State(seed=1, truncation=psi))
    history.go(State(seed=1, truncation=0.7))  # let go
    history.pass_by(State(seed=1, truncation=0.7))  # what was dragged last comes after that
    history.go(State(seed=2, truncation=0.7))
    seen = []
    while history.can_undo:
        history.undo()
        seen.append((history.state.seed, history.state.truncation))
    assert seen == [(1, 0.7), (1, 1.0), (0, 1.0)]
    history.undo()
    assert history.state == State()


def test_what_leads_nowhere_is_no_step() -> None:
    history = History(State())
    history.go(State())
    history.pass_by(State(seed=3))
    history.go(State())
    assert not history.can_undo


def test_undo_in_a_gesture_takes_it_back() -> None:
    history = History(State())
    history.pass_by(State(seed=3))
    history.undo()
    assert history.state == State()


def test_steps_back_are_bounded() -> None:
    history = History(State())
    for seed in range(1, MOST + 10):
        history.go(State(seed=seed))
    for _ in range(MOST):
        history.undo()
    assert (history.state.seed, history.can_undo) == (9, False)


def test_no_way_along_a_direction_is_none() -> None:
    state = State().moved("a", 1.0).moved("b", 2.0).moved("a", 0)
    assert state.amounts == {"b": 2.0}
    assert state.moved("b", 0) == State()
