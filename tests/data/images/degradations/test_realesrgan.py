"""The second-order chain of Real-ESRGAN stands in a file, and is all made of what there is."""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
import torch
import yaml
from jsonargparse import ArgumentParser

from ganlit.data.draws import Draws
from ganlit.data.images import degradations
from ganlit.data.images.degradations.base import Degradation

CONFIG = Path(__file__).parents[4] / "configs" / "enhancement" / "realesrgan_x4.yaml"

OPTIONS = {
    "resize_prob": [0.2, 0.7, 0.1],
    "resize_range": [0.15, 1.5],
    "gaussian_noise_prob": 0.5,
    "noise_range": [1, 30],
    "poisson_scale_range": [0.05, 3],
    "gray_noise_prob": 0.4,
    "jpeg_range": [30, 95],
    "second_blur_prob": 0.8,
    "resize_prob2": [0.3, 0.4, 0.3],
    "resize_range2": [0.3, 1.2],
    "gaussian_noise_prob2": 0.5,
    "noise_range2": [1, 25],
    "poisson_scale_range2": [0.05, 2.5],
    "gray_noise_prob2": 0.4,
    "jpeg_range2": [30, 95],
    "kernel_prob": [0.45, 0.25, 0.12, 0.03, 0.12, 0.03],
    "sinc_prob": 0.1,
    "blur_sigma": [0.2, 3],
    "blur_sigma2": [0.2, 1.5],
    "betag_range": [0.5, 4],
    "betap_range": [1, 2],
    "final_sinc_prob": 0.8,
}
"""The authors' own, of options/train_realesrgan_x4plus.yml in github.com/xinntao/Real-ESRGAN."""


@pytest.fixture(scope="module")
def chain() -> Degradation:
    for module in iter_modules(degradations.__path__, f"{degradations.__name__}."):
        import_module(module.name)  # as the command line does with all rooms: a short name is looked for among these
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--degradation", type=Degradation)
    config = yaml.safe_load(CONFIG.read_text())
    tree = {"degradation": config["data"]["init_args"]["degradation"]}
    return parser.instantiate(parser.parse_object(tree)).degradation


@pytest.mark.parametrize("side", [64, 256])
def test_it_makes_quarters_of_images(chain: Degradation, side: int) -> None:
    images = torch.rand(3, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert chain.scale == 4
    made = chain(images, Draws(torch.arange(3)))
    assert made.shape == (3, 3, side // 4, side // 4)
    counts = (made.double() + 1) * 127.5
    assert (counts - counts.round()).abs().max() < 1e-4
    assert 0 <= counts.round().min() < counts.round().max() <= 255
    alone = chain(images[1:2], Draws(torch.arange(1, 2)))
    assert (alone - made[1:2]).abs().mean() < 1e-3


def check_blur(blur: Any, sigma: list[float], applied: float) -> None:
    kinds = [("gaussian", [1, 1]), ("gaussian", OPTIONS["betag_range"]), ("plateau", OPTIONS["betap_range"])]
    expected = [(*kind, anisotropic) for kind in kinds for anisotropic in (False, True)]
    *bells, low, high = blur.options
    assert [(bell.shape, list(bell.beta), bell.anisotropic) for bell in bells] == expected
    assert all(list(bell.sigma) == sigma and bell.size == (7, 21) for bell in bells)
    # Of the eight sizes from 7 to 21 the authors let those from 13 on have a lower cutoff.
    assert [low.size, high.size] == [(7, 11), (13, 21)]
    assert [*low.cutoff, *high.cutoff] == pytest.approx([math.pi / 3, math.pi, math.pi / 5, math.pi], abs=1e-4)
    sinc = OPTIONS["sinc_prob"]
    shares = [chance * (1 - sinc) for chance in OPTIONS["kernel_prob"]] + [sinc * 3 / 8, sinc * 5 / 8]
    assert blur.chances == pytest.approx([applied * share for share in shares])


def check_noise(noise: Any, second: str) -> None:
    gaussian, poisson = noise.options
    assert noise.chances[0] == OPTIONS["gaussian_noise_prob" + second]
    assert list(gaussian.sigma) == OPTIONS["noise_range" + second]
    assert list(poisson.strength) == OPTIONS["poisson_scale_range" + second]
    assert gaussian.grey == poisson.grey == OPTIONS["gray_noise_prob" + second]


def check_jpeg(jpeg: Any, second: str) -> None:
    assert list(jpeg.quality) == OPTIONS["jpeg_range" + second]
    assert not jpeg.differentiable


def test_its_numbers_are_those_of_the_authors(chain: Any) -> None:
    blur, detour, _ = chain.steps
    check_blur(blur, OPTIONS["blur_sigma"], 1.0)
    resize, noise, jpeg, second_blur, second_resize, second_noise, end = detour.chain.steps

    (low, high), chances = OPTIONS["resize_range"], OPTIONS["resize_prob"]
    assert [each.share for each in resize.options] == [(1, high), (low, 1)]
    assert resize.chances == chances[:2]  # what is left stays as it is
    check_noise(noise, "")
    check_jpeg(jpeg, "")

    check_blur(second_blur, OPTIONS["blur_sigma2"], OPTIONS["second_blur_prob"])
    (low, high), quarter = OPTIONS["resize_range2"], 1 / detour.scale  # from which the authors count here
    expected = [(quarter, high * quarter), (low * quarter, quarter), (quarter, quarter)]
    assert [each.share for each in second_resize.options] == expected
    assert second_resize.chances == OPTIONS["resize_prob2"]
    check_noise(second_noise, "2")

    (back, sinc, last), (first, last_back, last_sinc) = (option.steps for option in end.options)
    assert end.chances == [0.5, 0.5]
    for each in (last, first):
        check_jpeg(each, "2")
    for each in (sinc, last_sinc):
        assert each.chances == [OPTIONS["final_sinc_prob"]]
        assert each.options[0].size == (7, 21)
        assert each.options[0].cutoff == (math.pi / 3, math.pi)
    for each in (back, last_back):
        assert each.share == (quarter, quarter)
    for each in (*resize.options, *second_resize.options, back, last_back):
        assert tuple(each.methods) == ("area", "aliased-bilinear", "aliased-bicubic")
