from __future__ import annotations

import torch

from ganlit.data.images.pixels import colours, from_pixels, in_8_bits, to_pixels, to_uint8


def test_pixels_come_back_from_the_range_of_the_networks() -> None:
    pixels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(pixels.float() / 127.5 - 1), pixels)


def test_what_lies_outside_is_clamped_and_the_middle_is_128() -> None:
    assert to_uint8(torch.tensor([-1.7, -1.0, 0.0, 1.0, 3.0])).tolist() == [0, 0, 128, 255, 255]


def test_short_floats_are_widened_before_they_are_scaled() -> None:
    images = torch.tensor([-0.71, 0.33, 0.9], dtype=torch.bfloat16)
    assert torch.equal(to_uint8(images), to_uint8(images.double()))


def test_pixels_of_16_bits_and_floats_come_back_too() -> None:
    deep = torch.arange(2**16, dtype=torch.int32).to(torch.uint16)
    assert torch.equal(to_pixels(from_pixels(deep), 16), deep)
    assert from_pixels(deep)[[0, -1]].tolist() == [-1, 1]
    floats = torch.linspace(0, 1, 1001)
    torch.testing.assert_close(to_pixels(from_pixels(floats), "float"), floats)
    assert from_pixels(torch.tensor([0, 0.5, 1])).tolist() == [-1, 0, 1]
    assert to_pixels(torch.tensor([-3.0, 3.0]), 16).tolist() == [0, 65535]
    assert to_pixels(torch.tensor([-3.0, 3.0]), "float").tolist() == [0, 1]


def test_what_is_shown_has_8_bits() -> None:
    pixels = torch.arange(256, dtype=torch.uint8)
    deep = pixels.int().mul(257).to(torch.uint16)
    assert torch.equal(in_8_bits(pixels), pixels)
    assert torch.equal(in_8_bits(deep), pixels)
    assert in_8_bits(torch.tensor([0x12FF, 0x1300], dtype=torch.int32).to(torch.uint16)).tolist() == [0x12, 0x13]
    assert torch.equal(in_8_bits(pixels / 255), pixels)


def test_three_channels_are_shown_else_the_first() -> None:
    images = torch.arange(5, dtype=torch.uint8).view(1, 5, 1, 1)
    assert [colours(images[:, :count]).flatten().tolist() for count in (1, 2, 3, 5)] == [[0], [0], [0, 1, 2], [0, 1, 2]]
