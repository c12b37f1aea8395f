"""How close images are to the very ones they should be: for translation and enhancement."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganlit.contracts import Modality
from ganlit.errors import UserError
from ganlit.metrics.features import digest, exact_float32
from ganlit.metrics.images.views import DEPTHS, View, bands, peak
from ganlit.metrics.likeness import Likeness
from ganlit.metrics.manifold import nearest
from ganlit.records.downloads import fetched

CEILING = 100.0  # dB, of identical images, whose PSNR is infinite: without it one of them would hide all others
WINDOW = 11  # pixels, of SSIM
SMALLEST = 31  # pixels, of the images that leave AlexNet's second pooling something to pool
COARSE = 32  # pixels a side at most, by which an image is told from others
WHOLE = View()


@torch.no_grad()
def psnr(output: Tensor, target: Tensor, view: View = WHOLE) -> Tensor:
    """Peak signal-to-noise ratio [B] in dB of each of the stored images [B, C, H, W]: 10 log10(peak^2 / MSE).

    The peak is the largest number that their type holds, 255 of uint8; the ratio is 100 at most. The mean over images
    of this is not the ratio of their mean error, which is smaller.
    """
    output, target = view.compared(output, target, 1, "PSNR")
    error = torch.stack([_squared(x, y) for x, y in zip(output, target, strict=True)]) / output[0].numel()
    return (10 * torch.log10(peak(output) ** 2 / error)).clamp(max=CEILING)


def _squared(x: Tensor, y: Tensor) -> Tensor:
    """The sum of the squared differences of two images [C, H, W], a scalar in float64."""
    return sum((x[:, rows].double() - y[:, rows].double()).square().sum() for rows in bands(x.shape))


@torch.no_grad()
def ssim(output: Tensor, target: Tensor, view: View = WHOLE) -> Tensor:
    """Structural similarity [B] of each of the stored images [B, C, H, W] (Wang et al. 2004, eq. 13, K 0.01, 0.03).

    As in the paper, a Gaussian window of 11 pixels and sigma 1.5 at all places where it fits; torchmetrics' own mean
    takes in the mirrored border too. Channels are compared one by one and averaged. In float64, since variances are
    differences of large numbers.
    """
    output, target = view.compared(output, target, WINDOW, "SSIM")
    channels, height, width = output.shape[1:]
    places = channels * (height - WINDOW + 1) * (width - WINDOW + 1)
    return torch.stack([_similarities(x, y) for x, y in zip(output, target, strict=True)]) / places


def _similarities(x: Tensor, y: Tensor) -> Tensor:
    """The sum of the structural similarity of two images [C, H, W] over all places, a scalar in float64."""
    most = peak(x)
    return sum(_similarity(x[:, rows].double(), y[:, rows].double(), most) for rows in bands(x.shape, WINDOW))


def _similarity(x: Tensor, y: Tensor, most: float) -> Tensor:
    """The same of two pieces of images [C, h, W] from 0 to `most`."""
    mean_x, mean_y = _blurred(x), _blurred(y)
    variances = _blurred(x * x + y * y) - mean_x**2 - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * most) ** 2, (0.03 * most) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return (luminance * (2 * covariance + c2) / (variances + c2)).sum()


def _blurred(planes: Tensor) -> Tensor:
    """Means of [C, H, W] under SSIM's window: [C, H - 10, W - 10].

    A sum of shifted images, one axis after the other: torch's convolution in float64 copies the window of every pixel.
    """
    window = [math.exp(-((place - WINDOW // 2) ** 2) / (2 * 1.5**2)) for place in range(WINDOW)]
    for axis in (-1, -2):
        length = planes.shape[axis] - WINDOW + 1
        total = planes.narrow(axis, 0, length) * (window[0] / sum(window))
        for place, weight in enumerate(window[1:], 1):
            total.add_(planes.narrow(axis, place, length), alpha=weight / sum(window))
        planes = total
    return planes


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
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity  # both take a second to import
        from torchvision.models import AlexNet_Weights, VGG16_Weights

        fetched({"alex": AlexNet_Weights, "vgg": VGG16_Weights}[net].DEFAULT.url, "lpips")
        with torch.random.fork_rng(devices=[]):  # layers draw weights before they get theirs
            self.network = LearnedPerceptualImagePatchSimilarity(net).net
        self.variant = f"{net}@{digest(self.network.state_dict())}"

    @torch.no_grad()
    def forward(self, output: Tensor, target: Tensor, view: View = WHOLE) -> Tensor:
        """Distance [B] of each of the stored images [B, 1 or 3, H, W]."""
        output, target = view.compared(output, target, SMALLEST, "LPIPS")
        if output.shape[1] not in (1, 3):
            raise UserError(
                f"LPIPS sees grey images and RGB, these have {output.shape[1]} channels: leave it out, psnr and ssim "
                "compare any."
            )
        half = peak(output) / 2
        with torch.autocast(output.device.type, enabled=False), exact_float32():
            return self.distance(output.float() / half - 1, target.float() / half - 1).double()

    def distance(self, output: Tensor, target: Tensor) -> Tensor:
        """The same [B] of images [B, 1 or 3, H, W] of [-1, 1], with a gradient to them."""
        return self.network(output.expand(-1, 3, -1, -1), target.expand(-1, 3, -1, -1)).flatten()


@torch.no_grad()
def coarse(output: Tensor, target: Tensor, view: View = WHOLE) -> Tensor:
    """What tells the stored images [B, C, H, W] from others: outputs and targets in few numbers, [B, 2, d] float32.

    Sides of more than 32 pixels are averaged down to these.
    """
    sides = view.compared(output, target, 1, "matched")
    size = [min(COARSE, length) for length in sides[0].shape[-2:]]
    few = [torch.cat([interpolate(image[None].float(), size, mode="area") for image in side]) for side in sides]
    return torch.stack([side.flatten(1) / peak(output) for side in few], 1)


def matched(pairs: Tensor) -> Tensor:
    """By which outputs are told from which target they come: 100 or 0 percent [N] of each of the pairs [N, 2, d].

    An output is told where its own target is nearer to it, in L2, than any other one; targets that are alike are one.
    """
    outputs, targets = pairs.unbind(1)
    found = nearest(outputs, targets)[1][:, 0]
    return 100 * (targets[found] == targets).all(1).double()


def learned(view: View, kind: Modality, device: torch.device | str) -> Likeness:
    """LPIPS on a device."""
    metric = LPIPS().to(device)
    return Likeness(metric.variant, partial(metric, view=view))


PAIRED: dict[str, Callable[[View, Modality, torch.device | str], Likeness]] = {
    "psnr": lambda view, kind, device: Likeness("", partial(psnr, view=view)),
    "ssim": lambda view, kind, device: Likeness(f"gauss{WINDOW}", partial(ssim, view=view)),
    "lpips": learned,
    "matched": lambda view, kind, device: Likeness(f"{COARSE}px", partial(coarse, view=view), matched),
}
"""By name what builds a metric, as images are looked at, of their kind, on a device."""

BETTER = {"psnr": "higher", "ssim": "higher", "lpips": "lower", "matched": "higher"}


def read(metric: str, options: str) -> View:
    """How a metric looks at images, by what stands behind its name.

    Raises:
        UserError: that means nothing.
    """
    return View.of(metric, options)


def depth(items: Tensor) -> str:
    """What ids say of images that are not of 8 bits."""
    return DEPTHS[items.dtype].name
