"""The rule and the rates on runs that are made up: python -m pytest experiments/0016-does-the-detector-tell."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from rates import Ring, parted, rings, wilson
from trials import TRIALS, kept_away, overlay
from truth import Seen, Verdict, verdict

from ganlit.metrics.detector import Alarm, Event


def digits(*fids: float, recall: float = 0.5, rkl: float = 0.1) -> list[Seen]:
    return [Seen(float(place + 1), fid=fid, recall=recall, rkl=rkl, modes=10.0) for place, fid in enumerate(fids)]


def test_who_learns_late_and_keeps_it_is_well() -> None:
    assert verdict("dcgan", digits(30, 25, 20, 15, 9, 7, 5, 4), 8.0).label == "well"


def test_who_never_learns_is_ill_after_a_quarter() -> None:
    assert verdict("dcgan", digits(30, 25, 20, 15, 9, 9, 9, 9), 8.0) == Verdict("ill", 3.0, ("far",))
    assert verdict("dcgan", digits(30, 25, 20, 15, 9, 7, 9, 9), 8.0).onset == 3.0  # once is chance
    few = verdict("style", digits(5, 4, 3, 3, recall=0.05), 4.0)
    assert few == Verdict("ill", 2.0, ("variety",))


def test_who_loses_what_it_had_is_ill_from_then_on() -> None:
    found = verdict("dcgan", digits(30, 5, 3, 7, 7, 7, 12, 13), 8.0)
    assert found == Verdict("ill", 4.0, ("lost", "far"))
    assert verdict("dcgan", digits(30, 5, 3, 3, 3, 3, 7, 7), 8.0).onset == 7.0  # the last two


def test_a_moment_is_a_doubt() -> None:
    assert verdict("dcgan", digits(30, 5, 3, 7, 7, 3, 3, 3), 8.0).label == "doubt"
    assert verdict("dcgan", digits(30, 5, 3, 3.9, 3.9, 3.9, 3.9), 8.0).label == "well"  # noise is not twice the best


def test_points_are_judged_by_modes_and_quality() -> None:
    def ring(*seen: tuple[float, float]) -> list[Seen]:
        return [Seen(float(place), quality=quality, rkl=rkl, modes=8.0) for place, (quality, rkl) in enumerate(seen)]

    assert verdict("ring", ring((2, 1.5), (30, 0.1), (60, 0.1), (70, 0.1)), 4.0).label == "well"
    assert verdict("ring", ring((2, 1.5), (30, 0.1), (60, 0.8), (70, 0.8)), 4.0).kinds == ("modes",)
    assert verdict("ring", ring((2, 1.5), (60, 0.1), (20, 0.1), (20, 0.1)), 4.0).kinds == ("lost",)


def test_who_died_is_ill() -> None:
    assert verdict("dcgan", digits(30, 5, 3), 8.0, died=True) == Verdict("ill", 3.0, ("died",))
    assert verdict("dcgan", digits(math.nan, math.nan), 8.0, died=True).kinds == ("far",)


def test_alarms_have_their_ends() -> None:
    alarm = Alarm("won", "overlap", 0.0, "", 1.0)
    events = [Event(2.0, "won", alarm), Event(4.0, "won", None), Event(6.0, "won", alarm)]
    assert rings(events) == [Ring("won", "overlap", 2.0, 4.0), Ring("won", "overlap", 6.0, math.inf)]


def test_an_alarm_is_about_an_illness_that_it_meets() -> None:
    early, into, late = (Ring("won", "overlap", kimg, over) for kimg, over in ((1, 4), (2, 9), (12, math.inf)))
    ill = Verdict("ill", 8.0, ("far",))
    assert parted(ill, [early, into, late], 2.0) == ((into, late), (early,))
    assert parted(Verdict("well", math.nan, ()), [early], 2.0) == ((), (early,))
    assert parted(Verdict("doubt", math.nan, ()), [early], 2.0) == ((), ())


def test_wilson_as_he_tabled_it() -> None:
    low, high = wilson(8, 10)
    assert (low, high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert wilson(0, 10)[0] == 0.0
    assert wilson(0, 0) == (0.0, 1.0)


def test_no_configuration_is_in_both_halves() -> None:
    assert len({*TRIALS}) == len(TRIALS) >= 50
    assert 0.4 < sum(kept_away(*each) for each in TRIALS) / len(TRIALS) < 0.6
    assert all(overlay(*each)["model"]["init_args"]["loss"] for each in TRIALS)
