from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlit.studies.latent.paths import WAYS, How, along, linear, spherical, spline, times_of


@given(st.sampled_from([*WAYS]), st.integers(2, 6), st.booleans(), st.integers(0, 99))
def test_every_way_passes_through_its_keys(how: How, count: int, loop: bool, seed: int) -> None:
    keys = torch.randn(count, 1, 3, generator=torch.Generator().manual_seed(seed))
    found = WAYS[how](keys, times_of(count, 4, loop), loop)
    assert len(found) == (4 * count if loop else 4 * (count - 1) + 1)
    torch.testing.assert_close(found[::4], keys, atol=1e-5, rtol=1e-4)


def test_slerp_turns_by_equal_angles_and_keeps_the_length() -> None:
    keys = torch.tensor([[2.0, 0.0], [0.0, 2.0]])
    found = spherical(keys, times_of(2, 3, False), False)
    angles = torch.arange(4) * math.pi / 6
    torch.testing.assert_close(found, 2 * torch.stack([angles.cos(), angles.sin()], 1))


def test_slerp_of_parallel_keys_is_a_line() -> None:
    keys = torch.tensor([[1.0, 0.0], [3.0, 0.0]])
    torch.testing.assert_close(spherical(keys, torch.tensor([0.5])), torch.tensor([[2.0, 0.0]]))


@pytest.mark.parametrize("loop", [True, False])
def test_a_spline_has_no_kinks_where_lines_have(loop: bool) -> None:
    keys = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    step, at = 1e-4, torch.tensor([1.0, 2.0], dtype=torch.float64)

    def kink(way: object) -> float:
        before, here, after = (way(keys, at + shift, loop) for shift in (-step, 0, step))
        return float(((after - here) - (here - before)).abs().max() / step)

    assert kink(spline) < 1e-3 < 0.9 < kink(linear)


def test_a_spline_of_keys_on_a_line_stays_on_it_at_even_pace() -> None:
    keys = torch.arange(4.0)[:, None] * torch.tensor([1.0, 2.0])
    times = times_of(4, 5, False)
    torch.testing.assert_close(spline(keys, times), times.float()[:, None] * torch.tensor([1.0, 2.0]))


@pytest.mark.parametrize(("loop", "labels"), [(True, [7, 7, 8, 8, 9, 9]), (False, [7, 7, 8, 8, 9])])
def test_what_lies_between_keys_has_the_label_of_the_one_before(loop: bool, labels: list[int]) -> None:
    keys = torch.arange(3.0)[:, None]
    path, label = along(keys, torch.tensor([7, 8, 9]), 2, loop, "linear")
    assert label.tolist() == labels
    assert torch.equal(path, linear(keys, times_of(3, 2, loop), loop))
