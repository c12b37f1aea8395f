"""Holes are shown in a channel of their own, and are where and as large as they are said to be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from ganlit.data.images.degradations import masked
from ganlit.data.images.degradations.colour import Grey
from ganlit.data.images.degradations.composed import Chain
from ganlit.data.images.degradations.masked import Masked, covered, under_line
from ganlit.errors import UserError


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sides", [(64, 64), (28, 40), (1, 1)])
def test_holes_are_grey_and_all_else_is_kept(channels: int, sides: tuple[int, int], draws: Any) -> None:
    images, drawn = torch.rand(16, channels, *sides) - 2 / 3, draws(16)
    made = Masked(rectangles=(0, 2))(images, drawn)
    assert made.shape == (16, channels + 1, *sides)
    hole = made[:, -1:] == -1
    assert torch.equal(made[:, -1:], torch.where(hole, -1.0, 1.0))
    assert torch.equal(made[:, :-1], torch.where(hole, 0.0, images))
    assert torch.allclose(drawn.told["mask/share"], hole.float().mean(dim=(1, 2, 3)))


def test_strokes_hide_as_much_as_those_of_the_paper(draws: Any) -> None:
    """By the authors' own settings a tenth to a third, never nothing and never all."""
    drawn = draws(64)
    made = Masked()(torch.zeros(64, 1, 64, 64), drawn)
    share = drawn.told["mask/share"]
    assert 0.1 < share.mean() < 0.35
    assert 0 < share.min() < share.max() < 0.9
    assert not torch.equal(made[0], made[1])


def test_more_strokes_and_wider_ones_hide_more(draws: Any) -> None:
    shares = []
    for options in ({"strokes": 1}, {"strokes": 6}, {"strokes": 6, "width": 0.3}):
        drawn = draws(32)
        Masked(**options)(torch.zeros(32, 1, 32, 32), drawn)
        shares.append(drawn.told["mask/share"].mean().item())
    assert shares == sorted(shares)
    assert shares[2] > 2 * shares[0]


@pytest.mark.parametrize("width", [0.1, 0.25])
def test_a_stroke_is_as_wide_as_its_share_of_the_shorter_side(
    width: float, draws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masked, "CORNERS", (1, 1))
    made = Masked(strokes=1, width=width)(torch.zeros(16, 1, 64, 96), draws(16))
    farthest = [distance_transform_edt(np.pad(mask, 1)).max() for mask in (made[:, -1] < 0).numpy()]
    assert max(farthest) == pytest.approx(64 * width / 2, abs=1)


def test_strokes_have_as_many_corners_as_were_drawn(draws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shares = []
    for corners in ((4, 4), (4, 12), (12, 12)):
        monkeypatch.setattr(masked, "CORNERS", corners)
        drawn = draws(64)
        Masked(strokes=1)(torch.zeros(64, 1, 32, 32), drawn)
        shares.append(drawn.told["mask/share"].mean().item())
    assert shares[0] * 1.2 < shares[1] < shares[2] / 1.1


def test_rectangles_have_the_sides_that_were_asked_for(draws: Any) -> None:
    made = Masked(strokes=0, rectangles=1, side=(0.25, 0.5))(torch.zeros(3000, 1, 16, 32), draws(3000))
    masks = made[:, -1] < 0
    rows, columns = masks.any(dim=2).sum(dim=1), masks.any(dim=1).sum(dim=1)
    assert torch.equal(masks.sum(dim=(1, 2)), rows * columns)
    assert (rows.min(), rows.max()) == (4, 8)
    assert (columns.min(), columns.max()) == (8, 16)
    mean = (made[:, -1] < 0).float().mean(dim=0)
    assert mean.min() > 0  # they come everywhere
    whole = Masked(strokes=0, rectangles=1, side=1.0)(torch.zeros(1, 1, 5, 5), draws())
    assert whole[:, -1].eq(-1).all()


def test_as_many_rectangles_as_were_drawn(draws: Any) -> None:
    drawn = draws(300)
    Masked(strokes=0, rectangles=(0, 1), side=0.5)(torch.zeros(300, 1, 8, 8), drawn)
    share = drawn.told["mask/share"]
    assert share.unique().tolist() == [0, 0.25]
    assert (share > 0).float().mean().item() == pytest.approx(0.5, abs=0.1)


def test_a_line_of_a_brush_has_round_ends() -> None:
    point = lambda x, y: (torch.tensor([[x]]), torch.tensor([[y]]))  # noqa: E731
    mask = under_line(7, 9, point(2.5, 3.5), point(6.5, 3.5), torch.tensor([[1.1]]))[0, 0]
    assert mask.int().tolist() == [
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 1, 1, 1, 0, 0],
        [0, 1, 1, 1, 1, 1, 1, 1, 0],
        [0, 0, 1, 1, 1, 1, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]
    dot = under_line(3, 3, point(1.5, 1.5), point(1.5, 1.5), torch.tensor([[0.5]]))[0, 0]
    assert dot.sum() == 1  # no length, no division by zero


def test_pieces_of_a_side_lie_inside_it(draws: Any) -> None:
    pieces = covered(draws(500), 2, 10, (0.01, 0.4)).sum(dim=2)
    assert 1 <= pieces.min() < pieces.max() <= 4


def test_the_gradient_reaches_what_is_shown(draws: Any) -> None:
    images = torch.zeros(2, 3, 16, 16, requires_grad=True)
    made = Masked()(images, draws(2))
    made[:, :3].sum().backward()
    assert torch.equal(images.grad, (made[:, -1:] > 0).float().expand(-1, 3, -1, -1))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"strokes": 0}, r"Masked\.strokes and Masked\.rectangles are both 0"),
        ({"strokes": (3, 1)}, r"Masked\.strokes is \[3, 1\]"),
        ({"width": 0.0}, r"Masked\.width is 0"),
        ({"side": 1.5}, r"Masked\.side is 1.5"),
        ({"rectangles": -1}, r"Masked\.rectangles is -1"),
    ],
)
def test_what_means_nothing_is_refused(options: Any, said: str) -> None:
    with pytest.raises(UserError, match=f"^{said}"):
        Masked(**options)


def test_nothing_is_seen_of_what_somebody_has_erased(draws: Any) -> None:
    images, drawn = torch.rand(4, 3, 16, 16) * 2 - 1, draws(4)
    made = Masked()(images, drawn)
    erased = torch.cat([images, made[:, -1:]], dim=1)  # with all of its colours below
    for degradation in (Masked(), Chain([Grey(), Masked()])):
        torch.testing.assert_close(degradation.given(erased), made, rtol=0, atol=1e-6)
        assert torch.equal(degradation.given(made), made)
