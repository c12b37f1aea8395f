"""Resampling against a reference that goes pixel by pixel, and its derivatives."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from ganlit.augment.geometry import Affine, resample, rotation

QUARTER = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
FLIP = torch.diag(torch.tensor([-1.0, 1.0]))


def affine(batch: int, seed: int = 0) -> Affine:
    stream = torch.Generator().manual_seed(seed)
    matrix = torch.eye(2) + 0.4 * torch.randn(batch, 2, 2, generator=stream)
    return Affine(matrix, 1.5 * torch.randn(batch, 2, generator=stream))


def mirrored(place: int, size: int) -> int:
    """The place within an image that goes on, mirrored, beyond its edges: ... 1 0 | 0 1 2 | 2 1 0 0 1 ..."""
    place %= 2 * size
    return min(place, 2 * size - 1 - place)


def reference(image: Tensor, matrix: Tensor, shift: Tensor) -> Tensor:
    _, height, width = image.shape
    centre = torch.tensor([(width - 1) / 2, (height - 1) / 2])
    result = torch.zeros_like(image)
    for row in range(height):
        for column in range(width):
            x, y = (matrix @ (torch.tensor([column, row]) - centre) + shift + centre).tolist()
            for near_x, near_y in ((0, 0), (1, 0), (0, 1), (1, 1)):
                left, top = math.floor(x) + near_x, math.floor(y) + near_y
                share = (1 - abs(x - left)) * (1 - abs(y - top))
                result[:, row, column] += share * image[:, mirrored(top, height), mirrored(left, width)]
    return result


@pytest.mark.parametrize("size", [(8, 8), (6, 10)])
def test_resampling_equals_the_reference(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    images, source = torch.randn(4, 2, *size), affine(4)
    expected = torch.stack([reference(*each) for each in zip(images, *source, strict=True)])
    torch.testing.assert_close(resample(images, source), expected, rtol=0, atol=1e-5)


def test_flips_and_turns_are_permutations_bit_by_bit() -> None:
    image = torch.randn(1, 3, 16, 16)
    for flips in range(2):
        for turns in range(4):
            matrix = torch.linalg.matrix_power(FLIP, flips) @ torch.linalg.matrix_power(QUARTER, turns)
            expected = torch.rot90(image.flip(3) if flips else image, turns, dims=(2, 3))
            assert torch.equal(resample(image, Affine(matrix[None], torch.zeros(1, 2))), expected)


def test_shifts_by_whole_pixels_mirror_the_edge_bit_by_bit() -> None:
    image = torch.randn(1, 3, 8, 8)
    shifted = resample(image, Affine(torch.eye(2)[None], torch.tensor([[2.0, -1.0]])))
    right = [mirrored(x + 2, 8) for x in range(8)]
    down = [mirrored(y - 1, 8) for y in range(8)]
    assert torch.equal(shifted, image[:, :, down][:, :, :, right])


def test_maps_compose() -> None:
    first, second = affine(5, seed=1), affine(5, seed=2)
    points = torch.randn(5, 2, 1)
    both = second.after(first)
    expected = second.matrix @ (first.matrix @ points + first.shift[..., None]) + second.shift[..., None]
    torch.testing.assert_close(both.matrix @ points + both.shift[..., None], expected)


def test_two_rotations_add_their_angles() -> None:
    a, b = torch.randn(5), torch.randn(5)
    torch.testing.assert_close(rotation(a) @ rotation(b), rotation(a + b))


def test_it_can_be_differentiated_twice_and_more() -> None:
    source = affine(2)
    images = torch.randn(2, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: resample(x, source), images)
    assert gradgradcheck(lambda x: resample(x, source), images)
    assert gradgradcheck(lambda x: resample(resample(x, source) ** 3, source), images)
