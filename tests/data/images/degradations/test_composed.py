"""Degradations made of others give each image what it would get alone."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import torch
from degraders import DEGRADATIONS
from torch import Tensor

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation, each
from ganlit.data.images.degradations.blur import Blur
from ganlit.data.images.degradations.colour import Grey
from ganlit.data.images.degradations.composed import Chain, Either
from ganlit.data.images.degradations.detour import Detour, Resize
from ganlit.data.images.degradations.jpeg import Jpeg
from ganlit.data.images.degradations.maps import Invert, Tint
from ganlit.data.images.degradations.noise import Noise
from ganlit.data.images.degradations.resampling import Downsample, Upsample
from ganlit.errors import UserError


class Grown(Degradation):
    """Adds what it draws, as often as it is told to draw."""

    def __init__(self, turns: int = 1) -> None:
        self.turns = turns

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        for _ in range(self.turns):
            drawn = draws.uniform()
        draws.tell("grown", drawn)
        return images + each(drawn)


@pytest.fixture(scope="module")
def images(photograph: Any, network: Any) -> Tensor:
    tops = range(0, 96, 8)
    return torch.cat([network(photograph(32, 48, top=80 + top)) for top in tops])


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_an_image_gets_the_same_whatever_it_stands_beside(name: str, images: Tensor) -> None:
    step, keys = DEGRADATIONS[name], torch.arange(len(images)) * 1000
    whole = Draws(keys, seed=7)
    made = step(images, whole)
    assert made.shape[2:] == tuple(side / step.scale for side in images.shape[2:]) or name == "Turn"
    assert made.dtype == torch.float32
    assert made.abs().max() <= 1
    some = torch.tensor([7, 2, 11])
    part = Draws(keys[some], seed=7)
    assert torch.allclose(step(images[some], part), made[some], atol=1e-5 if name in ("Blur", "Sinc") else 2e-2)
    assert (step(images[some], Draws(keys[some], seed=7)) - made[some]).abs().mean() < 1e-5
    assert part.told.keys() <= whole.told.keys()
    for key, values in part.told.items():
        assert torch.equal(values.nan_to_num(-9), whole.told[key][some].nan_to_num(-9))


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_it_follows_the_seed_and_leaves_the_target_as_it_was(name: str, images: Tensor) -> None:
    step, before = DEGRADATIONS[name], images.clone()
    one, again, other = (step(images, Draws(torch.arange(len(images)), seed)) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    known = ("Downsample", "Upsample", "Grey", "Invert", "Turn", "Tint", "Edges", "Quantise")
    assert torch.equal(one, other) == name.startswith(known)
    assert torch.equal(images, before)


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_a_gradient_flows_back_to_the_images(name: str, images: Tensor) -> None:
    seen = (images * 0.5).requires_grad_()
    DEGRADATIONS[name](seen, Draws(torch.arange(len(images)))).square().sum().backward()
    assert seen.grad.isfinite().all()
    assert (seen.grad.flatten(1).abs().sum(dim=1) > 0).all()


def test_a_chain_does_one_step_after_the_other(images: Tensor, draws: Any) -> None:
    whole = draws(len(images))
    chain = Chain([Noise((5.0, 50.0)), Invert(), Noise((5.0, 50.0))])
    made = chain(images, whole)
    again = draws(len(images))
    first = Noise((5.0, 50.0))(images, again.part())
    second = Invert()(first, again.part())
    assert torch.equal(made, Noise((5.0, 50.0))(second, again.part()))
    assert list(whole.told) == ["1/noise/sigma", "1/noise/grey", "3/noise/sigma", "3/noise/grey"]
    assert not torch.equal(whole.told["1/noise/sigma"], whole.told["3/noise/sigma"])


def test_a_step_that_draws_more_leaves_the_next_as_it_was(draws: Any) -> None:
    once, often = draws(4), draws(4)
    Chain([Grown(1), Grown(1)])(torch.zeros(4, 1, 1, 1), once)
    Chain([Grown(5), Grown(1)])(torch.zeros(4, 1, 1, 1), often)
    assert not torch.equal(once.told["1/grown"], often.told["1/grown"])
    assert torch.equal(once.told["2/grown"], often.told["2/grown"])


def test_the_scale_of_a_chain_is_the_product() -> None:
    assert Chain([Downsample(2), Blur(), Downsample(3)]).scale == 6
    assert Chain([Downsample(4), Upsample(4)]).scale == 1
    assert Chain([Upsample(4), Downsample(2)]).scale == Fraction(1, 2)
    assert Chain([Chain([Downsample(2)]), Either([Downsample(2), Downsample(2, "area")])]).scale == 4


def test_either_does_one_thing_to_each_image_as_often_as_it_should(draws: Any) -> None:
    drawn, images = draws(4000), torch.zeros(4000, 3, 1, 1)
    made = Either([Tint((1.0, 0.0, 0.0)), Tint((0.0, 1.0, 0.0)), Tint((0.0, 0.0, 1.0))], [0.5, 0.2, 0.1])(images, drawn)
    kept = (made == 0).all(dim=1).flatten()
    shares = [(made[:, channel] == 0).flatten() & ~kept for channel in range(3)]
    assert torch.stack([*shares, kept]).sum(dim=0).eq(1).all()
    found = [share.float().mean().item() for share in [*shares, kept]]
    assert found == pytest.approx([0.5, 0.2, 0.1, 0.2], abs=0.03)


def test_those_of_one_kind_tell_under_one_name_and_the_others_nothing(draws: Any) -> None:
    drawn = draws(100)
    images = torch.zeros(100, 1, 1, 1)
    made = Either([Noise((1.0, 2.0)), Noise((10.0, 20.0)), Grown()], [0.4, 0.3, 0.2])(images, drawn)
    sigma, grown = drawn.told["noise/sigma"], drawn.told["grown"]
    weak, strong = (sigma <= 2), (sigma >= 10)
    assert torch.equal(weak | strong, ~sigma.isnan())
    assert not (~sigma.isnan() & ~grown.isnan()).any()
    neither = sigma.isnan() & grown.isnan()
    assert torch.equal(neither, (made == 0).flatten())
    assert all(20 < each.sum() < 60 for each in (weak, strong))
    assert neither.any()


def test_sizes_on_the_way_are_those_that_were_drawn(draws: Any) -> None:
    seen = []

    class Look(Degradation):
        def __call__(self, images: Tensor, draws: Draws) -> Tensor:
            seen.append(tuple(images.shape))
            return images

    drawn = draws(6)
    steps = [Resize((0.3, 1.5)), Look(), Chain([Either([Resize((0.1, 0.5)), Resize(0.25)])]), Look(), Resize(0.25)]
    made = Detour(4, steps)(torch.zeros(6, 2, 40, 64), drawn)
    assert made.shape == (6, 2, 10, 16)
    first, second = drawn.told["1/resize/share"], drawn.told["3/1/resize/share"]
    shares = torch.stack([first, second], dim=1).flatten().tolist()
    expected = [(1, 2, round(40 * share), round(64 * share)) for share in shares]
    assert seen == expected
    assert len(set(seen)) > 6


def test_a_detour_that_keeps_the_size_keeps_the_image(images: Tensor, draws: Any) -> None:
    kept = Detour(1, [Resize(1.0)])(images, draws(len(images)))
    assert torch.allclose(kept, images, atol=1e-6)


@pytest.mark.parametrize("around", [lambda step: Detour(1, [step]), lambda step: Either([step])])
def test_what_follows_draws_anew(around: Any, draws: Any) -> None:
    drawn = draws(4)
    around(Grown())(torch.zeros(4, 1, 2, 2), drawn)
    (told,) = drawn.told.values()
    assert not torch.equal(drawn.uniform(), told)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Chain([]), r"Chain\.steps is empty"),
        (lambda: Either([]), r"Either\.options is empty"),
        (lambda: Either([Noise()], [0.5, 0.5]), r"Either\.chances has 2 numbers for 1 options"),
        (lambda: Either([Noise(), Jpeg()], [0.7, 0.7]), r"The sum of Either\.chances is 1\.4"),
        (lambda: Either([Noise(), Jpeg()], [1.5, -0.5]), r"Either\.chances is 1\.5"),
        (lambda: Either([Noise()], [0.0]), r"The sum of Either\.chances is 0"),
        (lambda: Either([Downsample(2), Downsample(4)]), r"Either\.options shrink images by 2 and 4"),
        (lambda: Either([Downsample(2)], [0.5]), r"Either\.options shrink images by 1 and 2"),
        (lambda: Detour(0, [Resize(1.0)]), r"Detour\.scale is 0"),
        (lambda: Detour(2, []), r"Detour\.steps is empty"),
        (lambda: Resize(0.0), r"Resize\.share is 0"),
        (lambda: Resize((1.0, 0.5)), r"Resize\.share is \[1\.0, 0\.5\]"),
        (lambda: Resize(1.0, []), r"Resize\.methods is empty"),
    ],
)
def test_what_cannot_be_put_together_is_refused(make: Any, said: str) -> None:
    with pytest.raises(UserError, match=f"^{said}"):
        make()


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Detour(2, [Resize((0.6, 0.9))]), r"Detour\.steps end at \d+ x \d+, not 16 x 24 .*share 1 / 2"),
        (Detour(5, [Resize(0.2)]), r"Detour\.scale is 5, which does not divide images of 32 x 48"),
        (Resize(0.5), r"Resize gives each image a size of its own: put it among the steps of a Detour"),
        (Either([Grey(), Noise()]), r"Either\.options make images of \[1, 32, 48\] and \[3, 32, 48\]"),
    ],
)
def test_what_does_not_fit_the_images_is_refused(step: Any, said: str, images: Tensor, draws: Any) -> None:
    with pytest.raises(UserError, match=f"^{said}"):
        step(images, draws(len(images)))
