"""The map: everyone is on it once, and those that are alike are side by side."""

from __future__ import annotations

import pytest
import torch

from ganlit.studies.explore.atlas import SIDE, drawn, laid, plane, tiled
from ganlit.studies.explore.job import Job
from ganlit.studies.latent.subject import Subject


def test_columns_go_by_the_first_coordinate_and_rows_by_the_second() -> None:
    points = torch.randn(25, 2, generator=torch.Generator().manual_seed(0))
    order = laid(points, 5)
    assert order.flatten().sort().values.tolist() == [*range(25)]
    across, down = points[order].unbind(-1)
    assert bool((across.max(0).values[:-1] <= across.min(0).values[1:]).all())
    assert bool((down[:-1] <= down[1:]).all())


def test_the_plane_is_that_of_most_variance() -> None:
    draws = torch.randn(400, 5, generator=torch.Generator().manual_seed(1)) * torch.tensor([1.0, 9.0, 0.1, 4.0, 0.1])
    found = plane(draws + 3)
    centred = (draws - draws.mean(0)).double()
    for column, axis in enumerate((1, 3)):
        assert abs(float(torch.corrcoef(torch.stack([found[:, column], centred[:, axis]]))[0, 1])) > 0.99
    assert plane(torch.arange(6.0)[:, None]).shape == (6, 2)


def test_tiles_lie_as_they_are_given() -> None:
    images = torch.arange(4, dtype=torch.uint8).view(2, 2, 1, 1, 1).expand(2, 2, 1, 3, 2)
    assert tiled(images)[0, ::3, ::2].tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize("run", ["styled", "plain"])
def test_a_click_goes_where_the_mark_is(run: str) -> None:
    job = Job("map", lambda job: drawn(Subject(run, together=64), 0, job))
    job.wait()
    atlas = job.answer
    assert atlas is not None, job.error
    assert atlas.picture.startswith("data:image/png;base64,")
    for row, column in ((0, 0), (3, 5), (SIDE - 1, SIDE - 1)):
        seed, label = atlas.at((column + 0.5) / SIDE, (row + 0.5) / SIDE)
        assert atlas.place(seed, label) == (row, column)
    assert atlas.at(-1, 7) == atlas.at(0, 1)
    assert atlas.place(SIDE * SIDE, 0) is None
