from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from prdc import compute_prdc
from torch import Tensor
from torch_fidelity.metric_prc import prc_features_to_metric

from ganlit.errors import UserError
from ganlit.metrics import blocks, manifold
from ganlit.metrics.manifold import PRDC, authenticity, nearest, nearest_others, prdc, radii


def drawn(count: int, dim: int, seed: int, shift: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dim, generator=generator, dtype=torch.float64) + shift


def on_a_grid(count: int, dim: int, seed: int, side: int) -> Tensor:
    """Whole numbers, whose distances are exact however they are computed, with many ties and duplicates."""
    return torch.randint(side, (count, dim), generator=torch.Generator().manual_seed(seed)).double()


def clustered(count: int, dim: int, seed: int, clusters: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 5 * drawn(clusters, dim, 99)[torch.randint(clusters, (count,), generator=generator)] + drawn(
        count, dim, seed
    )


def by_prdc(real: Tensor, fake: Tensor, k: int) -> PRDC:
    return PRDC(**{name: float(value) for name, value in compute_prdc(real.numpy(), fake.numpy(), k).items()})


SETS: dict[str, Callable[[], tuple[Tensor, Tensor]]] = {
    "near": lambda: (drawn(300, 16, 0), drawn(200, 16, 1, shift=0.2)),
    "far": lambda: (drawn(200, 16, 0), drawn(300, 16, 1, shift=9)),
    "single precision": lambda: (drawn(300, 64, 0).float(), drawn(200, 64, 1, shift=0.1).float()),
    "as long as the Inception's": lambda: (drawn(150, 2048, 0).float(), 0.99 * drawn(140, 2048, 1).float()),
    "clustered": lambda: (clustered(300, 16, 0, clusters=9), clustered(250, 16, 1, clusters=6)),
    "duplicated": lambda: (drawn(90, 16, 0).repeat(3, 1), drawn(80, 16, 1, shift=0.1).repeat(4, 1)),
    "identical": lambda: (drawn(250, 16, 0), drawn(250, 16, 0)),
    "identical in another order": lambda: (drawn(250, 16, 0), drawn(250, 16, 0).flip(0)),
    "some copied": lambda: (drawn(250, 16, 0), torch.cat([drawn(250, 16, 0)[::3], drawn(50, 16, 1)])),
    "one picture": lambda: (drawn(200, 16, 0), drawn(1, 16, 1).repeat(60, 1)),
    "far from zero": lambda: (drawn(300, 16, 0, shift=1e3), drawn(200, 16, 1, shift=1e3 + 0.2)),
    "on a grid": lambda: (on_a_grid(300, 3, 0, side=4), on_a_grid(280, 3, 1, side=5)),
}


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("kind", SETS)
def test_shares_equal_those_of_the_prdc_package(kind: str, k: int) -> None:
    real, fake = SETS[kind]()
    assert prdc(real, fake, k) == pytest.approx(by_prdc(real, fake, k), rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_shares_of_sets_full_of_ties_equal_those_of_the_prdc_package(data: st.DataObject) -> None:
    k, dim, side = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3)), data.draw(st.integers(1, 4))
    count = st.integers(k + 2, 40)  # the package needs two more than k
    real, fake = (on_a_grid(data.draw(count), dim, data.draw(st.integers(0, 2**31)), side) for _ in range(2))
    assert prdc(real, fake, k) == pytest.approx(by_prdc(real, fake, k), rel=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [7, 520])
def test_a_set_covers_itself_and_a_ball_has_k_images_inside(count: int, dtype: torch.dtype) -> None:
    features = drawn(count, 300, seed=0).to(dtype)
    assert prdc(features, features.clone()) == pytest.approx(PRDC(1, 1, 1, 1))
    assert prdc(features, features.roll(3, 0)) == pytest.approx(PRDC(1, 1, 1, 1))


def test_shares_by_hand() -> None:
    real = torch.tensor([[0.0], [1.0], [3.0], [10.0]])  # with radii 1, 1, 2 and 7 for k = 1
    fake = torch.tensor([[0.5], [4.0], [30.0]])  # with radii 3.5, 3.5 and 26
    found = prdc(real, fake, k=1)
    # 0.5 is inside the balls of 0 and 1, 4 inside those of 3 and 10, and 30 in none.
    assert found == pytest.approx(PRDC(precision=2 / 3, recall=1, density=4 / 3, coverage=1))
    assert prdc(real, fake, k=1, real_radii=torch.tensor([1.0, 0.1, 0.1, 0.1])) == pytest.approx(
        PRDC(precision=1 / 3, recall=1, density=1 / 3, coverage=1 / 4)
    )


def test_precision_and_recall_equal_those_of_torch_fidelity_where_nothing_lies_on_a_surface() -> None:
    real, fake = drawn(300, 16, 0), 0.9 * drawn(200, 16, 1)
    keywords = {"prc_neighborhood": 3, "prc_batch_size": 10_000, "save_cpu_ram": False, "verbose": False}
    expected = prc_features_to_metric(fake, real, **keywords)
    found = prdc(real, fake, k=3)
    assert found.precision == pytest.approx(expected["precision"], rel=1e-6)
    assert found.recall == pytest.approx(expected["recall"], rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_nearest_are_those_of_all_distances_sorted(data: st.DataObject) -> None:
    count, queries, dim = (data.draw(st.integers(1, 20)) for _ in range(3))
    keys = on_a_grid(count, dim, data.draw(st.integers(0, 99)), side=3)
    asked = on_a_grid(queries, dim, data.draw(st.integers(100, 199)), side=3)
    taken = data.draw(st.integers(1, count))
    distances, indices = nearest(asked, keys, taken)
    everything = (asked[:, None] - keys).square().sum(2).sqrt()
    torch.testing.assert_close(distances, everything.sort(dim=1).values[:, :taken])
    torch.testing.assert_close(distances, everything.gather(1, indices))
    assert all(len(set(row)) == taken for row in indices.tolist())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_row_is_not_its_own_neighbour_but_its_duplicate_is(data: st.DataObject) -> None:
    count, dim = data.draw(st.integers(2, 20)), data.draw(st.integers(1, 4))
    features = on_a_grid(count, dim, data.draw(st.integers(0, 99)), side=3)
    taken = data.draw(st.integers(1, count - 1))
    distances, indices = nearest_others(features, taken)
    everything = (features[:, None] - features).square().sum(2).sqrt().fill_diagonal_(torch.inf)
    torch.testing.assert_close(distances, everything.sort(dim=1).values[:, :taken])
    torch.testing.assert_close(distances, everything.gather(1, indices))
    torch.testing.assert_close(radii(features, taken), distances[:, -1])
    assert all(len(set(row)) == taken for row in indices.tolist())


def test_copies_are_at_distance_zero_exactly() -> None:
    keys = 100 + drawn(50, 300, seed=0).float()
    distances, indices = nearest(keys[[7, 3]], keys, count=2)
    assert distances[:, 0].tolist() == [0, 0]
    assert indices[:, 0].tolist() == [7, 3]
    assert distances[:, 1].min() > 1
    assert radii(keys.repeat(3, 1), k=2).eq(0).all()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = clustered(61, 6, seed=0, clusters=4), clustered(45, 6, seed=1, clusters=4)
    whole = prdc(real, fake), nearest_others(real, 9), nearest(fake, real, 9)
    monkeypatch.setattr(blocks, "SIDE", 7)
    assert prdc(real, fake) == pytest.approx(whole[0])
    torch.testing.assert_close(nearest_others(real, 9), whole[1])
    torch.testing.assert_close(nearest(fake, real, 9), whole[2])


def test_known_radii_are_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = drawn(40, 6, seed=0), drawn(30, 6, seed=1, shift=0.1)
    expected, real_radii, fake_radii = prdc(real, fake, 3), radii(real, 3), radii(fake, 3)
    monkeypatch.setattr(manifold, "radii", lambda features, k: {id(fake): fake_radii}[id(features)])
    assert prdc(real, fake, 3, real_radii) == expected


def test_authenticity_by_hand() -> None:
    real = torch.tensor([[0.0], [1.0], [5.0], [5.0]])  # the nearest others are at 1, 1, 0 and 0
    fake = torch.tensor([[0.0], [0.2], [2.5], [5.0], [5.1], [-1.0]])
    # Copies are 0 and 0.2 of 0; 5 of a training image that is there twice; -1, which is as far from 0 as 1 is.
    assert authenticity(*nearest(fake, real), radii(real, 1)) == pytest.approx(2 / 6)
    assert authenticity(*nearest(fake, real), torch.full((4,), 0.15)) == pytest.approx(3 / 6)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_authenticity_is_that_of_its_definition(shift: float) -> None:
    real, fake = drawn(200, 6, seed=0), drawn(150, 6, seed=1, shift=shift)
    between, others = torch.cdist(fake, real), torch.cdist(real, real).fill_diagonal_(torch.inf)
    closest = between.min(dim=1)
    expected = float((closest.values > others.min(dim=1).values[closest.indices]).double().mean())
    assert 0.2 < expected < 0.98
    assert authenticity(*nearest(fake, real), radii(real, 1)) == pytest.approx(expected)


def test_training_images_are_copies_and_what_is_far_from_them_is_not() -> None:
    real = drawn(100, 6, seed=0)
    assert authenticity(*nearest(real.flip(0), real), radii(real, 1)) == 0
    assert authenticity(*nearest(real + 1000, real), radii(real, 1)) == 1


@pytest.mark.parametrize("measured", [lambda few: radii(few, 5), lambda few: prdc(few, drawn(9, 2, 1))])
def test_too_few_images_for_their_neighbours_are_refused(measured: Callable[[Tensor], object]) -> None:
    with pytest.raises(UserError, match=r"The 5 nearest other items .* among 5: measure 6 items at least, or "):
        measured(drawn(5, 2, 0))


def test_too_few_images_to_search_are_refused() -> None:
    with pytest.raises(UserError, match=r"The 3 nearest items .* among 2: measure against 3 items at least, or "):
        nearest(drawn(5, 2, 0), drawn(2, 2, 1), count=3)
