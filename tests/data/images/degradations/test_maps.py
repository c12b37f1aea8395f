"""Maps that are known, grey and edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import laplace, sobel

from ganlit.data.images.degradations.colour import Grey
from ganlit.data.images.degradations.edges import Edges
from ganlit.data.images.degradations.maps import Invert, Tint, Turn
from ganlit.data.images.degradations.steps import Quantise
from ganlit.errors import UserError


def test_grey_is_that_of_pillow(photograph: Any, network: Any, pixels: Any, draws: Any) -> None:
    images = [photograph(64, 48), np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)]
    for image in images:
        made = Quantise()(Grey()(network(image), draws()), draws())
        assert np.array_equal(pixels(made)[:, :, 0], np.asarray(Image.fromarray(image).convert("L")))
    with pytest.raises(UserError, match=r"^Grey takes images with 3 channels, not 1"):
        Grey()(torch.zeros(1, 1, 4, 4), draws())


def test_an_inverted_image_inverted_is_itself(photograph: Any, network: Any, pixels: Any, draws: Any) -> None:
    image = photograph(8, 8)
    assert np.array_equal(pixels(Invert()(network(image), draws())), 255 - image)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turns_are_those_of_numpy(quarters: int, photograph: Any, network: Any, pixels: Any, draws: Any) -> None:
    image = photograph(8, 12)
    assert np.array_equal(pixels(Turn(quarters)(network(image), draws())), np.rot90(image, quarters))
    for wrong in (0, 4, -1):
        with pytest.raises(UserError, match=r"^Turn\.quarters"):
            Turn(wrong)


def test_a_tint_keeps_black_and_makes_white_its_colour(draws: Any) -> None:
    colour = (1.0, 0.5, 0.0)
    line = torch.tensor([-1.0, 0.0, 1.0]).view(1, 1, 1, 3)
    expected = torch.tensor([[-1.0, 0.0, 1.0], [-1.0, -0.5, 0.0], [-1.0, -1.0, -1.0]]).view(1, 3, 1, 3)
    assert torch.allclose(Tint(colour)(line, draws()), expected)
    assert torch.allclose(Tint(colour)(line.expand(-1, 3, -1, -1), draws()), expected)
    with pytest.raises(UserError, match=r"^Tint\.colour has 3 numbers, and images 4 channels"):
        Tint(colour)(torch.zeros(1, 4, 2, 2), draws())
    for wrong in ((), (1.0, 1.5), (-0.1,)):
        with pytest.raises(UserError, match=r"Tint\.colour"):
            Tint(wrong)


@pytest.mark.parametrize("filter", ["sobel", "laplacian"])
def test_edges_are_those_of_scipy(filter: Any, photograph: Any, network: Any, draws: Any) -> None:
    image = photograph(40, 56)
    channels = [image[:, :, each] / 255 for each in range(3)]
    if filter == "sobel":
        strength = [np.hypot(sobel(each, 0, mode="mirror"), sobel(each, 1, mode="mirror")) / 4 for each in channels]
    else:
        strength = [np.abs(laplace(each, mode="mirror")) / 2 for each in channels]
    expected = np.minimum(1.5 * np.maximum.reduce(strength), 1)
    made = (Edges(filter, gain=1.5)(network(image), draws()) + 1) / 2
    assert made.shape == (1, 1, 40, 56)
    assert np.allclose(made[0, 0].numpy(), expected, atol=1e-5)


def test_an_edge_from_black_to_white_is_white(draws: Any) -> None:
    image = torch.cat([torch.full([1, 1, 6, 4], -1.0), torch.full([1, 1, 6, 4], 1.0)], dim=3)
    rows = Edges()(image, draws())[0, 0]
    assert torch.allclose(rows, torch.tensor([-1.0, -1, -1, 1, 1, -1, -1, -1]).expand(6, -1), atol=1e-5)
    line = torch.full([1, 1, 5, 5], -1.0)
    line[:, :, :, 2] = 1
    assert Edges("laplacian")(line, draws())[0, 0, 2].tolist() == pytest.approx([-1, 0, 1, 0, -1], abs=1e-5)


def test_edges_have_a_gradient_even_where_there_are_none(draws: Any) -> None:
    image = torch.zeros(1, 3, 5, 5, requires_grad=True)
    Edges()(image, draws()).sum().backward()
    assert image.grad.isfinite().all()
    image = (torch.rand(1, 2, 4, 4, dtype=torch.float64) * 0.2).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: Edges()(x, draws()), (image,))
    with pytest.raises(UserError, match=r"^Edges\.gain is 0"):
        Edges(gain=0.0)


@pytest.mark.parametrize("bits", [8, 16])
def test_quantised_images_are_those_that_were_saved(bits: Any, draws: Any) -> None:
    top = 2**bits - 1
    saved = torch.arange(top + 1).view(1, 1, 1, -1).float() / (top / 2) - 1  # as the modality reads them
    for off in (-0.4, 0.0, 0.4):
        assert torch.equal(Quantise(bits)(saved + off / (top / 2), draws()), saved)
    made = Quantise(bits)(torch.tensor([-7.0, -1.2, 0.3, 1.2]).view(1, 1, 1, 4), draws())
    assert torch.equal(Quantise(bits)(made, draws()), made)
    assert made.abs().max() <= 1


def test_quantising_lets_the_gradient_straight_through(draws: Any) -> None:
    image = torch.tensor([-1.5, -0.3, 0.2, 1.5]).view(1, 1, 1, 4).requires_grad_()
    (Quantise()(image, draws()) * torch.tensor([1.0, 2, 3, 4])).sum().backward()
    assert image.grad.flatten().tolist() == pytest.approx([0, 2, 3, 0])
