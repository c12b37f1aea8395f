from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from ganlit.data.plane.mixtures import Mixtures
from ganlit.data.plane.modality import PlaneModality
from ganlit.errors import UserError
from ganlit.metrics.extractors import extractor
from ganlit.metrics.groups import grouped
from ganlit.metrics.measure import BETTER
from ganlit.metrics.plain import built


def told(metric: str, points: torch.Tensor) -> float:
    data = Mixtures("grid")
    return built(metric, data.reference, None, data.modality).tell(points).value


def test_points_on_some_means_and_points_beside_them() -> None:
    means = Mixtures("grid").mixture.means
    points = torch.cat([means[:5].repeat(3, 1), torch.tensor([[1.0, 1.0], [0.0, 0.2], [50.0, 0.0]])])
    assert told("modes", points) == 5
    assert told("quality", points) == pytest.approx(100 * 15 / 18)
    assert told("rkl", points) == pytest.approx(math.log(5))


def test_of_the_mixture_itself_they_are_as_good_as_can_be() -> None:
    data = Mixtures("grid", measured=20_000)
    assert told("modes", data.reference.items) == 25
    assert told("quality", data.reference.items) == pytest.approx(100 * (1 - math.exp(-4.5)), abs=0.3)
    assert told("rkl", data.reference.items) < 0.003


def test_ids_name_the_mixture_and_what_counts_as_near() -> None:
    data = Mixtures("ring", measured=100)
    found = built("modes", data.reference, None, data.modality)
    assert found.extractor == "nearest@3deviations/plane"
    assert found.reference.startswith("ring8-sd0.01-100@")
    assert (BETTER["modes"], BETTER["quality"], BETTER["rkl"]) == ("higher", "higher", "lower")
    (group,) = grouped(["modes", "quality", "rkl"], "fidelity.metrics", data.modality)
    assert group.kind == "plain"
    with pytest.raises(UserError, match="modes-3: modes is asked for by its name alone"):
        grouped(["modes-3"], "fidelity.metrics", data.modality)


def test_points_from_elsewhere_have_no_modes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Nobody knows of what mixture the points of ring8"):
        built("modes", Mixtures(measured=10).reference, None, PlaneModality())


def test_the_extractor_sees_points_as_they_are() -> None:
    points = torch.randn(5, 2)
    assert torch.equal(extractor("coordinates")(points)["pool"], points)
    with pytest.raises(UserError, match=r"takes points \[B, 2\], not \[1, 3\]"):
        extractor("coordinates")(torch.zeros(1, 3))
