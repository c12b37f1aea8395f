"""What two sides serve: windows that lie in one place on both, partners, and nothing that depends on the batch."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.data.images.sides import MEASURED, Sides, middle

COUNT, SIDE = 12, 8
STEPS = torch.arange(COUNT * SIDE * SIDE, dtype=torch.int32).reshape(COUNT, 1, SIDE, SIDE)


def doubled(items: Tensor) -> Tensor:
    return items.repeat_interleave(2, -1).repeat_interleave(2, -2)


def sides(**options: object) -> Sides:
    return Sides(STEPS, doubled(STEPS), torch.arange(COUNT), **options)


@given(st.integers(2, 16).map(lambda half: 2 * (half // 2) or 2), st.booleans(), st.integers(0, 3), st.data())
def test_both_windows_are_of_one_place_and_follow_from_the_index_alone(
    window: int, flip: bool, seed: int, data: st.DataObject
) -> None:
    dataset = sides(window=window, flip=flip, seed=seed)
    indices = torch.tensor(data.draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=6)))
    batch = dataset[indices]
    assert batch.target.shape[1:] == (1, window, window)
    assert torch.equal(batch.target, doubled(batch.source))
    assert torch.equal(batch.label, indices % len(dataset) % COUNT)
    assert all(torch.isin(source, STEPS[label]).all() for source, label in zip(batch.source, batch.label, strict=True))
    for place in range(len(indices)):
        alone = dataset[indices[place : place + 1]]
        assert all(torch.equal(part[0], whole[place]) for part, whole in zip(alone, batch, strict=True))


def test_windows_move_from_pass_to_pass_and_reach_every_corner() -> None:
    dataset = sides(window=4)
    corners = {int(dataset[torch.tensor([3 + COUNT * turn])].source.min()) for turn in range(400)}
    assert len(corners) == (SIDE - 2 + 1) ** 2
    fixed = sides(window=4, fixed=True)
    assert not fixed.endless
    assert fixed[torch.tensor([3])].source.flatten().tolist() == STEPS[3, 0, 3:5, 3:5].flatten().tolist()
    assert int(fixed[torch.tensor([3])].key) == MEASURED + 3


def test_a_flip_mirrors_both_sides() -> None:
    dataset = sides(flip=True)
    plain, mirrored = dataset[torch.tensor([2])], dataset[torch.tensor([2 + COUNT])]
    assert len(dataset) == 2 * COUNT
    assert torch.equal(mirrored.source, plain.source.flip(-1))
    assert torch.equal(mirrored.target, plain.target.flip(-1))


def test_unpaired_sides_show_all_of_the_larger_one_beside_anything() -> None:
    dataset = Sides(STEPS[:5], STEPS, torch.arange(5), paired=False)
    shown = dataset[torch.arange(24)]
    assert shown.label.tolist() == [place % 12 % 5 for place in range(24)]
    partners = dataset[torch.arange(0, 12 * 300, 12)].target[:, 0, 0, 0] // SIDE**2
    counts = partners.bincount(minlength=COUNT)
    assert counts.min() > 10
    assert counts.max() < 45
    fixed = Sides(STEPS[:5], STEPS, torch.arange(5), paired=False, fixed=True)
    assert torch.equal(fixed[torch.arange(12)].target, STEPS)
    assert torch.equal(fixed[torch.arange(12)].source, STEPS[torch.arange(12) % 5])


def test_only_the_places_to_train_on_are_served() -> None:
    places = torch.tensor([1, 4, 7])
    dataset = sides(places=(places, places))
    assert len(dataset) == 3
    assert dataset[torch.arange(6)].label.tolist() == [1, 4, 7, 1, 4, 7]


@pytest.mark.parametrize("window", [SIDE, SIDE - 1, 3])
def test_the_middle_is_a_reference_of_its_own_unless_it_is_all(window: int) -> None:
    whole = Reference("steps", "abc", STEPS, torch.arange(COUNT), ())
    cut = middle(whole, window)
    assert (cut is whole) == (window == SIDE)
    assert cut.items.shape == (COUNT, 1, window, window)
    assert (cut.digest == whole.digest) == (window == SIDE)
    assert torch.equal(
        cut.items,
        sides(window=None, fixed=True).sources[..., (SIDE - window) // 2 :, :][
            ..., :window, (SIDE - window) // 2 : (SIDE - window) // 2 + window
        ],
    )
