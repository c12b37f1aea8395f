"""How close images are to the very ones they should be: PSNR, SSIM and LPIPS, for translation and enhancement."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity
from torchvision.models import AlexNet_Weights, VGG16_Weights

from ganlit.errors import UserError
from ganlit.metrics.features import digest, exact_float32
from ganlit.records.downloads import fetched

Measure = Callable[[Tensor, Tensor], Tensor]
"""Outputs and targets, uint8 [B, C, H, W] both, to scores [B] in float64."""

CEILING = 100.0  # dB, of identical images, whose PSNR is infinite: without it one of them would hide all others
WINDOW = 11  # pixels, of SSIM
SMALLEST = 31  # pixels, of the images that leave AlexNet's second pooling something to pool


@torch.no_grad()
def psnr(output: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio [B] in dB of each image of uint8 [B, C, H, W]: 10 log10(255^2 / MSE), at most 100.

    The mean over images of this is not the ratio of their mean error, which is smaller.
    """
    _check(output, target, 1, "PSNR")
    error = (output.double() - target.double()).square().mean((1, 2, 3))
    return (10 * torch.log10(255**2 / error)).clamp(max=CEILING)


@torch.no_grad()
def ssim(output: Tensor, target: Tensor) -> Tensor:
    """Structural similarity [B] of each image of uint8 [B, C, H, W] (Wang et al. 2004, eq. 13, K1 0.01, K2 0.03).

    As in the paper, a Gaussian window of 11 pixels and sigma 1.5 at all places where it fits; torchmetrics' own mean
    takes in the mirrored border too. Colour channels are compared one by one and averaged. In float64, since variances
    are differences of large numbers.
    """
    _check(output, target, WINDOW, "SSIM")
    planes = zip(output.flatten(0, 1), target.flatten(0, 1), strict=True)  # one by one: float64 of a batch is much
    return torch.stack([_similarity(x.double(), y.double()) for x, y in planes]).view(output.shape[:2]).mean(1)


def _similarity(x: Tensor, y: Tensor) -> Tensor:
    """Structural similarity of two planes [H, W] from 0 to 255, a scalar."""
    mean_x, mean_y = _blurred(x), _blurred(y)
    variances = _blurred(x * x + y * y) - mean_x**2 - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return (luminance * (2 * covariance + c2) / (variances + c2)).mean()


def _blurred(plane: Tensor) -> Tensor:
    """Means of [H, W] under SSIM's window: [H - 10, W - 10].

    A sum of shifted images, one axis after the other: torch's convolution in float64 copies the window of every pixel.
    """
    window = [math.exp(-((place - WINDOW // 2) ** 2) / (2 * 1.5**2)) for place in range(WINDOW)]
    for axis in (-1, -2):
        length = plane.shape[axis] - WINDOW + 1
        total = plane.narrow(axis, 0, length) * (window[0] / sum(window))
        for place, weight in enumerate(window[1:], 1):
            total.add_(plane.narrow(axis, place, length), alpha=weight / sum(window))
        plane = total
    return plane


class LPIPS(nn.Module):
    """Learned perceptual distance (arXiv 1801.03924, eq. 1, "lin"): a network's features under the authors' weights.

    torchmetrics carries the weights of the distance, version 0.1; those of the network are torchvision's.

    Args:
        net: AlexNet, by which images are compared; VGG16, by which networks are trained.

    Raises:
        UserError: the network's weights are not there and cannot be downloaded.
    """

    def __init__(self, net: Literal["alex", "vgg"] = "alex") -> None:
        super().__init__()
        fetched({"alex": AlexNet_Weights, "vgg": VGG16_Weights}[net].DEFAULT.url, "lpips")
        with torch.random.fork_rng(devices=[]):  # layers draw weights before they get theirs
            self.network = LearnedPerceptualImagePatchSimilarity(net).net
        self.protocol = f"lpips-{net}@{digest(self.network.state_dict())}"

    @torch.no_grad()
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Distance [B] of each image of uint8 [B, C, H, W]."""
        _check(output, target, SMALLEST, "LPIPS")
        with torch.autocast(output.device.type, enabled=False), exact_float32():
            return self.distance(output / 127.5 - 1, target / 127.5 - 1).double()

    def distance(self, output: Tensor, target: Tensor) -> Tensor:
        """The same [B] of images [B, 1 or 3, H, W] of [-1, 1], with a gradient to them."""
        return self.network(output.expand(-1, 3, -1, -1), target.expand(-1, 3, -1, -1)).flatten()


def _check(output: Tensor, target: Tensor, smallest: int, what: str) -> None:
    if output.dtype != torch.uint8 or target.dtype != torch.uint8 or output.ndim != 4 or output.shape[1] not in (1, 3):
        raise UserError(
            f"{what} takes uint8 images [B, 1 or 3, H, W], not {output.dtype} {list(output.shape)} "
            f"and {target.dtype} {list(target.shape)}."
        )
    if output.shape != target.shape:
        raise UserError(
            f"{what} compares images one to one, but the outputs are {list(output.shape)} and the targets "
            f"{list(target.shape)}: bring them to one number, size and colour."
        )
    if min(output.shape[-2:]) < smallest:
        height, width = output.shape[-2:]
        raise UserError(f"{what} needs images of {smallest} pixels a side at least, these have {height} x {width}.")


PAIRED: dict[str, Callable[[torch.device | str], tuple[str, Measure]]] = {
    "psnr": lambda device: ("psnr", psnr),
    "ssim": lambda device: ("ssim-gauss11", ssim),
    "lpips": lambda device: _with_weights(LPIPS().to(device)),
}
"""By name the protocol of a metric, and the metric, on a device."""

BETTER = {"psnr": "higher", "ssim": "higher", "lpips": "lower"}


def _with_weights(metric: LPIPS) -> tuple[str, Measure]:
    return metric.protocol, metric
