"""Pixels beyond 3 x 8 bits, brought into a form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlit.data.images.fitting import Picture, look, render
from ganlit.data.images.form import Form
from ganlit.data.images.kind import GREY, RGB, Kind
from ganlit.data.images.rendering import Raster, coloured, planes

WHOLE = {8: 255, 16: 65535, "float": 1}


def noise(channels: int, bits: Any, height: int = 9, width: int = 14) -> np.ndarray:
    """[H, W, C] over the whole range."""
    values = np.random.default_rng(channels).random((height, width, channels))
    return values if bits == "float" else np.rint(values * WHOLE[bits]).astype({8: np.uint8, 16: np.uint16}[bits])


def rendered(pixels: np.ndarray, kind: Kind, form: Form) -> np.ndarray:
    return render(Picture(Raster(pixels), kind), form)


@given(st.lists(st.integers(0, 255), min_size=1, max_size=9))
def test_8_bits_are_spread_over_16_and_cut_back(values: list[int]) -> None:
    pixels = np.array(values, np.uint8)[None, :, None]
    deep = rendered(pixels, GREY, Form(1, 1, "any", depth=16))
    assert deep.tolist() == [[[value * 257 for value in values]]]
    back = rendered(deep.transpose(1, 2, 0), GREY._replace(bits=16), Form(1, 1, "any", depth=8))
    assert back.tolist() == [[values]]


@pytest.mark.parametrize(("bits", "depth"), [(8, 8), (8, 16), (16, 16), (16, 8), ("float", "float"), (8, "float")])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_sides_are_resized_channel_by_channel_as_pillow_does(channels: int, bits: Any, depth: Any) -> None:
    pixels, form = noise(channels, bits), Form(6, channels, "crop", depth=depth, range=(0, WHOLE[bits]))
    found = rendered(pixels, Kind(channels, bits=bits), form)
    assert (found.shape, found.dtype) == ((channels, 6, 6), form.dtype)
    whole = pixels.astype(np.float32) * (WHOLE[depth] / WHOLE[bits])
    for number, channel in enumerate(found):
        image, box = Image.fromarray(np.ascontiguousarray(whole[..., number])), (2, 0, 11, 9)
        wanted = np.clip(image.resize((6, 6), Image.Resampling.LANCZOS, box=box), 0, WHOLE[depth])
        assert np.abs(channel - wanted).max() <= (1e-6 if depth == "float" else 1.5)


def test_resizing_8_bits_is_what_it_is_without_arrays() -> None:
    pixels = noise(3, 8, 20, 20)
    plain = render(look(Image.fromarray(pixels)), Form(8, 3, "resize")).astype(int)
    assert np.abs(rendered(pixels, RGB, Form(8, 3, "resize")) - plain).max() <= 1


@pytest.mark.parametrize("depth", [8, 16, "float"])
def test_padding_is_black_on_all_sides(depth: Any) -> None:
    pixels = noise(2, depth, 4, 4)
    found = rendered(pixels, Kind(2, bits=depth), Form(8, 2, "pad", depth=depth))
    assert np.array_equal(found, np.pad(pixels.transpose(2, 0, 1), [(0, 0), (2, 2), (2, 2)]).astype(found.dtype))


@pytest.mark.parametrize("bits", [8, 16, "float"])
def test_colours_become_others(bits: Any) -> None:
    white = WHOLE[bits]
    one = white if bits == "float" else white // 5  # of which 1.0, 0.6, ... are whole
    a, b, c = (one, one * 0.6, one * 0.2) if bits == "float" else (one, one * 3 // 5, one // 5)

    def mixed(values: list[float], alpha: bool, channels: int) -> list[float]:
        kind = Kind(len(values), alpha, bits)
        return coloured(np.array([[values]], None if bits == "float" else f"u{bits // 8}"), kind, channels)[
            0, 0
        ].tolist()

    near = pytest.approx
    grey = 0.299 * a + 0.587 * b + 0.114 * c
    assert mixed([a], False, 3) == [a, a, a]
    assert mixed([a, b, c], False, 1) == near([grey], abs=0.5 if bits != "float" else 1e-6)
    assert mixed([a, b, c], False, 4) == near([a, b, c, white])
    assert mixed([a, b, c, white], True, 3) == near([a, b, c])
    assert mixed([a, b, c, 0], True, 3) == [0, 0, 0]
    assert mixed([a, b, c, 0], True, 4) == [a, b, c, 0]
    assert mixed([a, white], True, 4) == near([a, a, a, white])
    assert mixed([a, b, c, white], True, 2) == near([grey, white], abs=0.5 if bits != "float" else 1e-6)
    assert mixed([white], False, 2) == [white, white]


@pytest.mark.parametrize("form", [Form(4, 3), Form(4, 1, "crop", True), Form(4, 4), Form(4, 3, depth=16)])
def test_caches_of_8_bits_are_found_as_before(form: Form, tmp_path: Path) -> None:
    """By the words for a form that there were when 8 bits were all."""
    told = f"Form(resolution=4, channels={form.channels}, fit={form.fit!r}, convert={form.convert}"
    assert repr(form) == told + (", depth=16, range=(0.0, 1.0))" if form.depth == 16 else ")")


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_planes_are_those_of_the_picture(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlit.data.images.rendering.BAND", 4)
    image = Image.effect_noise((7, 11), 90).convert(mode)
    assert np.array_equal(planes(image), np.atleast_3d(np.asarray(image)).transpose(2, 0, 1))
