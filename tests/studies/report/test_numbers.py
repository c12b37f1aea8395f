from __future__ import annotations

import math
import random
from pathlib import Path
from statistics import stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from ganlit.errors import UserError
from ganlit.records.state import State
from ganlit.studies.report.numbers import Mean, band, best, correlation_ratio, mean, measures, ranked, ranks, spearman
from ganlit.studies.report.record import Run

TAIL = "net@1/legacy/set@2/ema"
FID, TEST, KID = f"fid150/{TAIL}", f"fid2k/{TAIL}", f"kid150-100x150/{TAIL}"


def measured(**curves: int) -> Run:
    """A run with as many points of each id."""
    return Run(
        Path("r"), {}, State("done"), {name: [(k, 1.0) for k in range(points)] for name, points in curves.items()}
    )


def test_mean_and_spread_of_a_sample() -> None:
    assert mean([1.0, 2.0, 4.5]) == Mean(2.5, pytest.approx(stdev([1.0, 2.0, 4.5])), 3)
    assert mean([3.0]) == Mean(3.0, None, 1)
    assert math.isnan(mean([]).value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Mean(15.2734, 0.412, 3), "15.27 ± 0.41"),
        (Mean(152.73, 12.9, 3), "153 ± 13"),
        (Mean(0.01236, 0.00067, 3), "0.01236 ± 0.00067"),
        (Mean(15.2734, None, 1), "15.27"),
        (Mean(15.0, 0.0, 2), "15"),
        (Mean(math.nan, None, 0), "–"),  # noqa: RUF001
    ],
)
def test_as_many_decimals_as_the_spread_gives_a_meaning_to(value: Mean, text: str) -> None:
    assert str(value) == text


def test_the_closing_test_is_told_from_validation() -> None:
    found = measures([measured(**{FID: 5, KID: 5, TEST: 1}), measured(**{FID: 1})], None)
    assert (found.curves, found.closing) == ([FID], [TEST])
    assert measures([measured(**{FID: 1, TEST: 1})], "fid").closing == [TEST]
    assert measures([measured(**{FID: 3, TEST: 1})], "fid2k") == ([TEST], [])
    assert measures([measured(**{KID: 3})], None).curves == [KID]
    for asked in ("kid", "kid150", "kid150-100x150", KID):
        assert measures([measured(**{FID: 3, KID: 3})], asked).ids == [KID]


RFID, PRIOR = (f"fid20/{TAIL}-{making}" for making in ("reconstruction", "prior"))
PSNR, USE, ELBO = (f"{name}/-/-/set@2/ema-reconstruction" for name in ("psnr20", "code-use20-16codes", "elbo20-k16-x"))


def test_what_compares_pairs_or_looks_inside_stands_beside_fid() -> None:
    tests = {name: name.replace("20/", "40/").replace("20-", "40-") for name in (RFID, PRIOR, KID, PSNR, USE)}
    found = measures([measured(**dict.fromkeys([*tests, *tests.values()], 1))], None)
    assert (found.curves, found.closing) == ([RFID, PRIOR, PSNR, USE], [tests[each] for each in found.curves])
    assert list(map(found.title, found.curves)) == ["rfid20", "fid20:prior", "psnr20", "code-use20-16codes"]
    assert found.metrics == ["fid", "psnr", "code-use"]
    assert measures([measured(**{KID: 2, PSNR: 2})], None).ids == [KID, PSNR]
    assert measures([measured(**{PSNR: 2, USE: 2, ELBO: 2})], None).ids == [PSNR, USE, ELBO]


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ("fid", [RFID, PRIOR]),
        ("rfid", [RFID]),
        ("rfid20", [RFID]),
        ("fid:reconstruction", [RFID]),
        ("fid:prior", [PRIOR]),
        ("fid20:prior", [PRIOR]),
        ("psnr,fid:prior,rfid", [PSNR, PRIOR, RFID]),
        ("code-use20,elbo", [USE, ELBO]),
        (PRIOR, [PRIOR]),
    ],
)
def test_a_metric_is_asked_for_by_how_its_items_were_made(asked: str, ids: list[str]) -> None:
    assert measures([measured(**dict.fromkeys([RFID, PRIOR, PSNR, USE, ELBO], 2))], asked).ids == ids


def test_a_metric_of_items_made_otherwise_is_refused() -> None:
    run = measured(**{RFID: 2, PSNR: 2})
    with pytest.raises(UserError, match="--metric fid:prior: no run has it; there are rfid20, psnr20"):
        measures([run], "rfid,fid:prior")
    with pytest.raises(UserError, match=r"--metric rfid2: no run has it; did you mean rfid20\?"):
        measures([run], "psnr,rfid2")
    with pytest.raises(UserError, match="--metric '': no run has it; there are rfid20, psnr20"):
        measures([run], "rfid,")


def test_numbers_of_classes_are_not_mixed_with_those_of_all() -> None:
    whole, part = f"share20/{TAIL}", f"share20/{TAIL}/dark"
    run = measured(**{whole: 3, part: 3})
    assert measures([run], "share").ids == [whole]
    assert measures([run], part).ids == [part]


def test_another_protocol_has_another_title_and_says_why() -> None:
    other = FID.replace("legacy", "clean")
    found = measures([measured(**{FID: 3}), measured(**{FID: 3}), measured(**{other: 3})], "fid")
    assert [found.title(name) for name in found.ids] == ["fid150 (a)", "fid150 (b)"]
    assert found.note(FID) == FID
    assert found.note(other).endswith("not comparable with fid150 (a): resize clean, not legacy")


def test_an_unknown_metric_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match="--metric fdi: no run has it; did you mean fid"):
        measures([measured(**{FID: 3})], "fdi")
    with pytest.raises(UserError, match="no numbers yet"):
        measures([measured()], "fid")
    assert measures([measured()], None).ids == []


def test_best_is_by_the_metrics_own_direction() -> None:
    curve = [(1.0, 3.0), (2.0, 1.0), (3.0, 1.0), (4.0, 2.0)]
    assert best(FID, curve) == (2.0, 1.0)
    assert best(f"is2k-10splits/net@1/legacy/-/{TAIL}", curve) == (1.0, 3.0)
    assert ranked(FID, [2.0, math.nan, 1.0, 3.0]) == [2, 0, 3, 1]
    assert ranked(f"density150/{TAIL}", [2.0, math.nan, 1.0, 3.0]) == [3, 0, 2, 1]
    assert (best(RFID, curve), best(ELBO, curve)) == ((2.0, 1.0), (2.0, 1.0))
    assert (best(PSNR, curve), best(USE, curve)) == ((1.0, 3.0), (1.0, 3.0))


def test_a_band_of_two_lines_is_between_them() -> None:
    found = band([[(0.0, 0.0), (4.0, 8.0)], [(0.0, 2.0), (2.0, 2.0)]])
    assert found.kimg.tolist() == [0, 2, 4]
    assert found.mean.tolist() == [1, 3, 8]  # of those that have come so far
    assert found.spread.tolist() == pytest.approx([math.sqrt(2), math.sqrt(2), 0])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=5), st.integers(2, 6))
def test_straight_lines_average_to_a_straight_line(lines: list[tuple[float, float]], points: int) -> None:
    draw = random.Random(points)
    clocks = [[0.0, *sorted(draw.sample(range(1, 100), points)), 100.0] for _ in lines]
    found = band([[(x, a + b * x) for x in xs] for (a, b), xs in zip(lines, clocks, strict=True)])
    values = np.array([a + b * found.kimg for a, b in lines])
    assert found.mean == pytest.approx(values.mean(0), abs=1e-6)
    if len(lines) > 1:
        assert found.spread == pytest.approx(values.std(0, ddof=1), abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12))
def test_rank_correlation_is_scipys(pairs: list[tuple[int, int]]) -> None:
    one, other = zip(*pairs, strict=True)
    if len(set(one)) > 1 and len(set(other)) > 1:
        assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic)
    else:
        assert spearman(one, other) == 0


def test_the_share_of_classes() -> None:
    assert ranks([5, 1, 5]).tolist() == [2.5, 1, 2.5]
    assert correlation_ratio(["a", "a", "b", "b"], [1, 1, 2, 2]) == pytest.approx(1)
    assert correlation_ratio(["a", "b", "a", "b"], [1, 1, 2, 2]) == 0
    assert correlation_ratio(["a", "b"], [1, 1]) == 0
