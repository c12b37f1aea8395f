from __future__ import annotations

import torch

from ganlit.data.images.pixels import to_uint8


def test_pixels_come_back_from_the_range_of_the_networks() -> None:
    pixels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(pixels.float() / 127.5 - 1), pixels)


def test_what_lies_outside_is_clamped_and_the_middle_is_128() -> None:
    assert to_uint8(torch.tensor([-1.7, -1.0, 0.0, 1.0, 3.0])).tolist() == [0, 0, 128, 255, 255]


def test_short_floats_are_widened_before_they_are_scaled() -> None:
    images = torch.tensor([-0.71, 0.33, 0.9], dtype=torch.bfloat16)
    assert torch.equal(to_uint8(images), to_uint8(images.double()))
