"""What measures of clips say of real ones, and of such as are spoilt in a known way."""

from __future__ import annotations

import pytest
import torch
from clips import KIND, frozen, paths, shapes, shuffled, squares, switched
from extractors import Quarters
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.metrics.asked import unavailable
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.groups import Group, grouped, kinds
from ganlit.metrics.measure import METRICS, measure
from ganlit.metrics.portrait import Collector
from ganlit.metrics.question import Question
from ganlit.metrics.reality import Reality
from ganlit.metrics.video.frames import Frame, Transition
from ganlit.metrics.video.trajectory import Trajectory, centres, turned
from ganlit.metrics.video.votes import Votes

COUNT, FRAMES = 150, 12
CLASSES = ("square", "half")


def known(clips: Tensor, classes: tuple[str, ...] = (), labels: Tensor | None = None) -> Reference:
    return Reference(
        "squares-train", "abcdef0123", clips, torch.zeros(len(clips)).long() if labels is None else labels, classes
    )


def numbers(asked: str, extractor: FeatureExtractor, real: Reference, clips: Tensor) -> dict[str, float]:
    """By metric, of clips against real ones."""
    collector = Collector(extractor, len(clips), METRICS[asked].rows)
    collector.add(clips, torch.arange(len(clips)))
    reality = Reality(real, extractor, say=lambda line: None)
    reality.prepare()
    return {each.metric: each.value for each in measure([asked], Question(collector.finish(), reality, "ema"))}


@pytest.fixture(scope="module")
def real() -> Tensor:
    return squares(paths(COUNT, FRAMES, seed=1))


@pytest.fixture(scope="module")
def controls() -> dict[str, Tensor]:
    others = squares(paths(COUNT, FRAMES, seed=2))
    return {
        "real": others,
        "frozen": frozen(others),
        "shuffled": shuffled(others),
        "reversed": others.flip(2),
        "switched": switched(others),
    }


def test_known_motion_tells_all_that_is_spoilt(real: Tensor, controls: dict[str, Tensor]) -> None:
    found = {name: numbers("motion", Trajectory(), known(real), clips) for name, clips in controls.items()}
    for name in ("frozen", "shuffled", "switched"):
        assert found[name]["velocity"] > 3 * found["real"]["velocity"], name
        assert found[name]["bounces"] > 3 * found["real"]["bounces"], name
    assert found["shuffled"]["bounces"] > found["switched"]["bounces"]
    assert found["reversed"]["velocity"] < 2 * found["real"]["velocity"]  # there and back is the same both ways
    assert found["shuffled"]["position"] == pytest.approx(found["real"]["position"])  # of the same frames


def test_reversed_clips_are_told_where_motion_has_a_direction() -> None:
    one, other = (squares(paths(COUNT, FRAMES, seed, drift=True)) for seed in (1, 2))
    found = {
        flip: numbers("motion", Trajectory(), known(one), other.flip(2) if flip else other) for flip in (False, True)
    }
    assert found[True]["velocity"] > 10 * found[False]["velocity"]
    assert found[True]["position"] == pytest.approx(found[False]["position"])


def test_transitions_tell_frozen_and_shuffled_clips_and_single_frames_do_not(
    real: Tensor, controls: dict[str, Tensor]
) -> None:
    transitions = {
        name: numbers("ftd", Transition(Quarters()), known(real), each)["ftd"] for name, each in controls.items()
    }
    frames = {name: numbers("fid", Frame(Quarters()), known(real), each)["fid"] for name, each in controls.items()}
    for name in ("frozen", "shuffled"):
        assert transitions[name] > 3 * transitions["real"], name
        assert frames[name] < 3 * frames["real"] + 1e-3, name
    assert transitions["frozen"] > transitions["reversed"] < transitions["shuffled"]


def test_a_probe_sees_whether_a_clip_keeps_its_class() -> None:
    labels = torch.arange(COUNT) % 2
    clips, others = (shapes(paths(COUNT, FRAMES, seed), labels) for seed in (1, 2))
    reference, votes = known(clips, CLASSES, labels), Votes()
    votes.learn(reference, lambda stored: stored)
    assert votes.probe.accuracy > 0.9
    found = {
        name: numbers("steady", votes, reference, each)["steady"]
        for name, each in {"real": others, "frozen": frozen(others), "switched": switched(others)}.items()
    }
    assert found["real"] > 85
    assert found["frozen"] == 100
    assert found["switched"] < 15  # neighbours are of two classes
    assert numbers("steady", votes, reference, torch.zeros_like(others))["steady"] == 0  # nothing is no class


def test_without_classes_no_clip_keeps_its_own(real: Tensor) -> None:
    votes = Votes()
    votes.learn(known(real), lambda stored: stored)
    reasons = unavailable(["steady"], Reality(known(real), votes), conditional=False)
    assert reasons == {"steady": "squares-train has no classes"}


def test_distances_are_those_of_wasserstein() -> None:
    from scipy.stats import wasserstein_distance

    one, other = (squares(paths(60, FRAMES, seed)) for seed in (3, 4))
    found = numbers("motion", Trajectory(), known(one), other)
    steps = [centres(clips)[0].diff(dim=1).flatten(0, 1) for clips in (one, other)]
    places = [centres(clips)[0].flatten(0, 1) for clips in (one, other)]
    for name, (first, second) in {"velocity": steps, "position": places}.items():
        exact = sum(wasserstein_distance(first[:, axis], second[:, axis]) for axis in range(2)) / 2
        assert found[name] == pytest.approx(100 * exact, abs=0.1), name


def test_centres_are_where_squares_are() -> None:
    places = paths(20, FRAMES, seed=5)
    found, seen = centres(squares(places))
    torch.testing.assert_close(found.float(), (places + 2) / 16, rtol=0, atol=0.02)
    assert seen.all()
    found, seen = centres(torch.zeros(1, 3, 2, 4, 6, dtype=torch.uint8))
    assert (found == 0.5).all()
    assert not seen.any()


def test_what_stands_still_between_has_not_turned_yet() -> None:
    steps = torch.tensor([0.1, 0.0, 0.1, 0.0, -0.1, -0.1, 0.001, 0.1])[None, :, None].double()
    known = torch.ones(1, 8, dtype=torch.bool)
    assert turned(steps, known)[0, :, 0].nonzero()[:, 0].tolist() == [3, 6]
    known[0, 7] = False
    assert turned(steps, known).sum() == 1


def test_clips_have_metrics_of_their_own() -> None:
    found = grouped(["fid", "fvd", "ftd@transition:efficientnet-lite0", "motion", "steady", "psnr"], "metrics", KIND)
    assert found == [
        Group("sets", ["fid"], "frame"),
        Group("sets", ["fvd"], "i3d"),
        Group("sets", ["ftd"], "transition:efficientnet-lite0"),
        Group("sets", ["motion"], "trajectory"),
        Group("sets", ["steady"], "votes"),
        Group("pairs", ["psnr"]),
    ]
    assert {"fvd", "ftd", "motion", "steady"} <= {*kinds(KIND)} - {*kinds(type("Images", (), {"name": "images"}))}
