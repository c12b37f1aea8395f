"""Metrics of sets of clips, beside those of sets of any items."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ganlit.metrics.probe import HELD_OUT
from ganlit.metrics.question import Measured, Metric, Question
from ganlit.metrics.sets import fid, share_of
from ganlit.metrics.video import i3d, trajectory, votes
from ganlit.metrics.video.frames import Transition

MOST = 0.95  # of its frames show one thing in a clip that keeps it


def frechet(name: str) -> Callable[[Question], Iterator[Measured]]:
    """Fréchet distance of all items' features, under a name of its own."""

    def measure(question: Question) -> Iterator[Measured]:
        for found in fid(question):
            yield found._replace(protocol=found.protocol._replace(metric=name))

    return measure


def motion(question: Question) -> Iterator[Measured]:
    """Wasserstein-1 distances of velocities, positions and rates of bounces, in percent.

    Of a side in a frame, of a side, and of the frames; the mean over both axes. Clips of one length and frame rate are
    comparable.
    """
    apart = (question.fake.moments.mean - question.real.moments.mean).abs()
    for name, spread in trajectory.SPREADS.items():
        those = apart[spread.first : spread.first + spread.count * spread.axes]
        yield question.answer_by_sums(name, 100 * float(those.sum()) * spread.step / spread.axes)


def steady(question: Question) -> Iterator[Measured]:
    """Percent of the clips of which 95 % of the frames or more show one class, as the probe sees them."""
    share = (question.fake.rows.amax(dim=1) >= MOST - 1e-6).double().mean()
    found = share_of(question.answer("steady", float(share)))
    yield found._replace(value=100 * found.value, spread=100 * found.spread)


def own(measure: Callable[[Question], Iterator[Measured]], first: str, extractor: str) -> Metric:
    return Metric(measure, first, "lower", rows=False, least=2, modality="video", extractor=extractor)


SETS = {
    "fvd": own(frechet("fvd"), "fvd", i3d.NAME),
    "ftd": own(frechet("ftd"), "ftd", Transition.name),
    "motion": own(motion, "velocity", trajectory.NAME),
    "steady": Metric(
        steady,
        "steady",
        "higher",
        rows=True,
        least=1,
        real=round(1 / HELD_OUT),
        modality="video",
        extractor=votes.NAME,
    ),
}
"""By name: the Fréchet video distance, by I3D alone (Unterthiner et al., arXiv 1812.01717); that of transitions, which
needs no network of clips; and what is known of things that move on dark ground."""
