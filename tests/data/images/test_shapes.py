from __future__ import annotations

import colorsys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganlit.data.images.catalogue import open_source
from ganlit.data.images.shapes import COUNTS, FACTORS, SIDE, WIDEST, Shapes, drawn, levels
from ganlit.errors import UserError

NUMBERS = st.integers(0, len(Shapes()) - 1)


def test_every_combination_is_there_once() -> None:
    found = levels(np.arange(len(Shapes())))
    assert len(np.unique(found, axis=0)) == len(found) == np.prod(COUNTS)


@given(NUMBERS)
def test_an_image_is_of_its_factors(number: int) -> None:
    image = Shapes().opened(number)
    assert image.size == (SIDE, SIDE)
    known = dict(zip((factor.name for factor in FACTORS), levels(np.array([number]))[0], strict=True))
    assert Shapes().label(number) == known["shape"]
    values = np.asarray(image, np.float64) / 255
    bright = values.max(2)
    hue = colorsys.rgb_to_hsv(*values[np.unravel_index(bright.argmax(), bright.shape)])[0]
    assert hue == pytest.approx(known["hue"] / 6)
    room, radius = SIDE * (1 - WIDEST), SIDE * WIDEST / 2
    for place, axis in ((known["x"], 0), (known["y"], 1)):
        mass = bright.sum(axis)
        centre = (mass * (np.arange(SIDE) + 0.5)).sum() / mass.sum()
        assert centre == pytest.approx(radius + room * place / 7, abs=0.25)


def test_no_two_images_are_alike() -> None:
    here = [
        drawn(shape, 0.0, size, angle, 0.0, 0.0).tobytes()
        for shape in FACTORS[0].values
        for size in FACTORS[2].values
        for angle in FACTORS[3].values
    ]
    assert len(set(here)) == len(here)


def test_area_grows_with_the_square_of_the_size() -> None:
    small, large = (np.asarray(drawn("square", 0.0, size, 0.0, 0.5, 0.5))[..., 0].sum() for size in (0.55, 1.0))
    assert small / large == pytest.approx(0.55**2, rel=0.03)


def test_it_is_a_source_by_name(tmp_path: Path) -> None:
    assert open_source("Shapes", "train", tmp_path).classes == ("square", "ellipse", "triangle")
    with pytest.raises(UserError, match="shapes has no split test: leave split out"):
        open_source("shapes", "test", tmp_path)
