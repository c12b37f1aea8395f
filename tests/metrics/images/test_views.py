"""Numbers as super-resolution measures them: without the border, and on Y or on RGB, at any depth."""

from __future__ import annotations

import math
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torchmetrics.functional.image import structural_similarity_index_measure

from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError
from ganlit.metrics.images import views
from ganlit.metrics.images.views import View, bands, luma
from ganlit.metrics.paired import Comparison

PEAKS = {torch.uint8: 255.0, torch.uint16: 65535.0, torch.float32: 1.0}


def images(seed: int, kind: torch.dtype = torch.uint8, channels: int = 3) -> Tensor:
    shades = torch.rand(2, channels, 24, 21, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return shades.float() if kind == torch.float32 else (shades * PEAKS[kind]).round().to(kind)


def rgb2ycbcr(image: np.ndarray) -> np.ndarray:
    """The first channel of MATLAB's rgb2ycbcr of RGB [H, W, 3], as its source has it: a table, scales and offsets."""
    table = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]])
    offset = np.array([16.0, 128.0, 128.0])
    scales = {"uint8": (1 / 255, 1), "uint16": (257 / 65535, 257), "float32": (1 / 255, 1 / 255)}
    of_table, of_offset = scales[image.dtype.name]
    found = (image.astype(float) @ (table * of_table).T + offset * of_offset)[..., 0]
    return found if image.dtype.name == "float32" else np.floor(found + 0.5).astype(image.dtype)


@pytest.mark.parametrize("kind", PEAKS)
@pytest.mark.parametrize(("options", "border"), [("", 0), ("-y", 0), ("-crop4", 4), ("-y-crop3", 3)])
def test_numbers_are_those_of_the_scripts_of_super_resolution(kind: torch.dtype, options: str, border: int) -> None:
    """rgb2ycbcr, shave, then PSNR, and SSIM where its window fits."""
    output, target = images(1, kind), images(2, kind)
    psnr, ssim = (Comparison(f"{name}{options}", ImageModality()).seen(output, target)[1] for name in ("psnr", "ssim"))
    for place in range(2):
        sides = [batch[place].permute(1, 2, 0).numpy() for batch in (output, target)]
        sides = [rgb2ycbcr(side) for side in sides] if "-y" in options else sides
        one, other = (np.atleast_3d(side)[border : 24 - border, border : 21 - border].astype(float) for side in sides)
        expected = 10 * math.log10(PEAKS[kind] ** 2 / np.mean((one - other) ** 2))
        assert float(psnr[place]) == pytest.approx(expected, rel=1e-7)
        _, everywhere = structural_similarity_index_measure(
            *(torch.from_numpy(side).permute(2, 0, 1)[None] for side in (one, other)),
            sigma=1.5,
            data_range=PEAKS[kind],
            reduction="none",
            return_full_image=True,
        )
        assert float(ssim[place]) == pytest.approx(float(everywhere[..., 5:-5, 5:-5].mean()), rel=1e-6)


@pytest.mark.parametrize(
    ("colour", "eight", "sixteen"),
    [((0, 0, 0), 16, 16 * 257), ((255, 255, 255), 235, 235 * 257), ((255, 0, 0), 81, 20941), ((0, 0, 255), 41, 10528)],
)
def test_y_goes_from_16_to_235(colour: tuple[int, int, int], eight: int, sixteen: int) -> None:
    pixel = torch.tensor(colour, dtype=torch.uint8).view(1, 3, 1, 1)
    assert luma(pixel).tolist() == [[[[eight]]]]
    assert luma((pixel.double() * 257).to(torch.uint16)).tolist() == [[[[sixteen]]]]
    assert float(luma(pixel / 255)) == pytest.approx(sixteen / 65535, abs=1e-5)


@pytest.mark.parametrize(
    ("asked", "kind", "protocol"),
    [
        ("psnr", torch.uint8, "psnr"),
        ("psnr-y-crop4", torch.uint8, "psnr-y-crop4"),
        ("psnr", torch.uint16, "psnr-16bit"),
        ("psnr-crop2", torch.float32, "psnr-crop2-float"),
        ("ssim", torch.uint8, "ssim-gauss11"),
        ("ssim-y", torch.uint16, "ssim-y-16bit-gauss11"),
        ("matched-crop1", torch.uint8, "matched-crop1-32px"),
    ],
)
def test_two_numbers_that_cannot_be_compared_have_two_names(asked: str, kind: torch.dtype, protocol: str) -> None:
    assert Comparison(asked, ImageModality()).seen(images(1, kind), images(2, kind))[0] == protocol


@pytest.mark.parametrize("options", ["-crop4-y", "-crop", "-crop0", "-crop04", "-y-y", "-Y", "-rgb", "-crop-4", "-"])
def test_there_is_one_way_to_ask(options: str) -> None:
    with pytest.raises(UserError, match=r"psnr looks at images as psnr\[-y\]\[-cropN\], such as psnr-y-crop4"):
        View.of("psnr", options)


@pytest.mark.parametrize("channels", [1, 4])
def test_y_is_of_rgb_alone(channels: int) -> None:
    several = images(1, channels=channels)
    with pytest.raises(UserError, match=f"of Y is that of RGB images, these have {channels} channels?: leave out -y"):
        Comparison("ssim-y-crop2", ImageModality()).seen(several, several)


def test_bands_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("psnr", "ssim", "psnr-y", "ssim-y-crop2")
    whole = [Comparison(name, ImageModality()).seen(images(1), images(2))[1].tolist() for name in names]
    monkeypatch.setattr(views, "BAND", 3 * 21 * 4)
    for name, expected in zip(names, whole, strict=True):
        assert Comparison(name, ImageModality()).seen(images(1), images(2))[1].tolist() == pytest.approx(
            expected, rel=1e-12
        )


class Largest(TorchDispatchMode):
    """Remembers of how many numbers the largest tensor in float64 is that anything makes."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor) and made.dtype == torch.float64:
            self.numbers = max(self.numbers, made.numel())
        return made


@pytest.mark.parametrize("metric", ["psnr", "ssim", "psnr-y", "ssim-y-crop4"])
def test_images_of_any_size_need_little_memory(metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "BAND", 2**14)
    large = torch.zeros(2, 3, 700, 300, dtype=torch.uint8)
    with Largest() as found:
        Comparison(metric, ImageModality()).seen(large, large)
    assert 2**12 < found.numbers <= 2**14 + 3 * 300 * 10  # and what a window reaches beyond its band


@given(st.integers(1, 5), st.integers(11, 60), st.integers(1, 40), st.integers(1, 11), st.integers(1, 4000))
def test_each_place_of_a_window_is_in_one_band(channels: int, height: int, width: int, reach: int, most: int) -> None:
    with patch.object(views, "BAND", most):
        rows = [range(height)[each] for each in bands((channels, height, width), reach)]
    found = [place for each in rows for place in each[: len(each) - reach + 1]]
    assert found == list(range(height - reach + 1))
