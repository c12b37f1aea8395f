"""The contrastive criterion of CUT, beside its equations written out."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import normalize

from ganlit.contracts import Verdict
from ganlit.errors import UserError
from ganlit.losses.base import Attempt
from ganlit.losses.contrastive import PatchNCE, contrast


def vectors(*shape: int, seed: int = 0) -> Tensor:
    stream = torch.Generator().manual_seed(seed)
    return normalize(torch.randn(*shape, generator=stream, dtype=torch.float64), dim=-1)


def equation_3(query: Tensor, own: Tensor, others: list[Tensor], temperature: float) -> float:
    """l(v, v+, v-) of single vectors."""
    likeness = math.exp(float(query @ own) / temperature)
    return -math.log(likeness / (likeness + sum(math.exp(float(query @ each) / temperature) for each in others)))


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 6), st.integers(1, 5), st.sampled_from([0.07, 0.5, 2.0]), st.integers(0, 2**31)
)
def test_equation_3(items: int, places: int, size: int, temperature: float, seed: int) -> None:
    query, key = vectors(items, places, size, seed=seed), vectors(items, places, size, seed=seed + 1)
    expected = [
        equation_3(query[item, place], key[item, place], [*key[item, :place], *key[item, place + 1 :]], temperature)
        for item in range(items)
        for place in range(places)
    ]
    found = contrast(query, key, temperature)
    torch.testing.assert_close(found.item(), sum(expected) / len(expected), atol=1e-9, rtol=1e-9)


class Looking:
    """Hands out vectors of two depths, and notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[Tensor, Any]] = []
        self.scale = torch.ones((), dtype=torch.float64, requires_grad=True)

    def __call__(self, images: Tensor, places: Any) -> tuple[list[Tensor], list[Tensor]]:
        self.asked.append((images, places))
        if isinstance(places, int):
            places = [torch.randperm(each[0, 0].numel())[:places] for each in self.maps(images)]
        maps = zip(self.maps(images), places, strict=True)
        rows = [each.flatten(2)[:, :, some].transpose(1, 2) for each, some in maps]
        return [normalize(each, dim=2) for each in rows], places

    def maps(self, images: Tensor) -> list[Tensor]:
        return [images * self.scale, (images * self.scale)[..., ::2, ::2].sin()]

    def translate(self, images: Tensor) -> Tensor:
        return images.flip(1) * self.scale


def attempt(looking: Looking) -> Attempt:
    stream = torch.Generator().manual_seed(5)
    source, target, output = torch.randn(3, 2, 3, 4, 6, generator=stream, dtype=torch.float64)
    verdict = Verdict(
        lambda items: items.mean(), target, output.requires_grad_(),
        side={"patches": looking, "translate": looking.translate},
    )  # fmt: skip
    return Attempt(source, verdict)


@pytest.mark.parametrize("identity", [False, True])
def test_equation_4_and_the_second_term_of_equation_5(identity: bool) -> None:
    """All places of a map, so that none has to be drawn: each depth, item and place against the others of its item."""
    looking = Looking()
    made = attempt(looking)
    given, output = (made.target, made.target.flip(1)) if identity else (made.source, made.output)
    expected = []
    for queries, keys in zip(looking.maps(output), looking.maps(given), strict=True):
        queries, keys = (normalize(each.flatten(2), dim=1).transpose(1, 2).detach() for each in (queries, keys))
        places = range(queries.shape[1])
        values = [
            equation_3(query[place], key[place], [key[other] for other in places if other != place], 0.07)
            for query, key in zip(queries, keys, strict=True)
            for place in places
        ]
        expected.append(sum(values) / len(values))
    criterion = PatchNCE(3.0, identity=identity)
    torch.testing.assert_close(criterion(made).item(), sum(expected) / 2)
    torch.testing.assert_close(criterion.term(made).item(), 3 * sum(expected) / 2)


def test_places_are_drawn_once_for_source_and_output() -> None:
    looking = Looking()
    made = attempt(looking)
    torch.manual_seed(2)
    first = PatchNCE(patches=5)(made)
    (source, count), (output, places) = looking.asked
    assert source is made.source
    assert output is made.output
    assert count == 5
    assert [len(each) for each in places] == [5, 5]
    torch.manual_seed(2)
    assert torch.equal(first, PatchNCE(patches=5)(made))
    assert not torch.equal(first, PatchNCE(patches=5)(made))


def test_the_gradient_comes_by_the_output_alone() -> None:
    looking = Looking()
    made = attempt(looking)
    made.source.requires_grad_()
    PatchNCE()(made).backward()
    assert made.source.grad is None
    assert made.output.grad.abs().sum() > 0
    target = attempt(looking)
    target.target.requires_grad_()
    looking.scale.grad = None
    PatchNCE(identity=True)(target).backward()
    assert looking.scale.grad is not None
    assert target.output.grad is None


def test_an_output_that_keeps_its_patches_costs_less() -> None:
    looking = Looking()
    made = attempt(looking)
    kept = Attempt(made.source, Verdict(None, made.target, made.source.clone(), side=made.side))
    assert PatchNCE()(kept) < PatchNCE()(made)


def test_it_is_reckoned_in_float32_where_networks_are_not() -> None:
    query, key = (vectors(2, 9, 4, seed=seed).float() for seed in (0, 1))
    exact = contrast(query, key, 0.07)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(contrast(query, key, 0.07), exact)


def test_names_and_what_is_refused() -> None:
    assert [PatchNCE().name, PatchNCE(identity=True).name, PatchNCE(name="far").name] == [
        "patchnce",
        "patchnce-identity",
        "far",
    ]
    for options, message in (({"temperature": 0}, "temperature is 0"), ({"patches": 1}, "patches is 1")):
        with pytest.raises(UserError, match=f"PatchNCE.{message}"):
            PatchNCE(**options)
    items = torch.zeros(1, 1, 2, 2)
    with pytest.raises(UserError, match="PatchNCE reads the generator's patches, which it does not hand out: leave"):
        PatchNCE()(Attempt(items, Verdict(None, items, items)))
    with pytest.raises(UserError, match=r"reads the generator's translate, .* it hands out patches: leave"):
        PatchNCE(identity=True)(Attempt(items, Verdict(None, items, items, side={"patches": Looking()})))
