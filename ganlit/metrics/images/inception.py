"""The network of FID and Inception Score."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, relu_
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch_fidelity.feature_extractor_inceptionv3 import (
    BasicConv2d,
    InceptionA,
    InceptionB,
    InceptionC,
    InceptionD,
    InceptionE_1,
    InceptionE_2,
)

from ganlit.metrics.features import FeatureExtractor, Precision, Resize, digest
from ganlit.metrics.images.resize import clean_resize, legacy_resize
from ganlit.metrics.images.shape import in_colour
from ganlit.metrics.images.stages import Stages
from ganlit.metrics.images.weights import find_weights, read_weights

RESIZES = {"legacy": legacy_resize, "clean": clean_resize}
SIDE = 299  # of the images that the network sees
STEM = 7  # layers before the first Inception block


class Inception(FeatureExtractor):
    """The network of FID and Inception Score: TensorFlow's of 2015-12-05, as torch-fidelity and clean-fid run it.

    In float32 the features equal theirs; in bfloat16 they are 2 % away and have another protocol.

    Args:
        weights: file of the weights; None looks where `find_weights` says.
        precision: of everything before the final pooling.
        resize: "legacy" is TensorFlow 1's bilinear, as torch-fidelity has it and most papers; "clean" is clean-fid's.
    """

    name = "inception-2015-12-05"
    dim = 2048

    def __init__(self, weights: Path | None = None, precision: Precision = "fp32", resize: Resize = "legacy") -> None:
        super().__init__()
        self.dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self.resize = RESIZES[resize]
        file = find_weights(weights)
        self.home = str(file.path)
        trunk = inception_trunk()
        convolutions = [name for name, module in trunk.named_modules() if isinstance(module, BasicConv2d)]
        state = read_weights(file, convolutions)
        values = ("conv.weight", "bn.bias", "bn.running_mean", "bn.running_var")  # batch norm's weight is 1
        number = digest(state[f"{name}.{value}"] for name in convolutions for value in values)
        self.protocol = f"{self.name}{'-bf16' if precision == 'bf16' else ''}@{number}/{resize}"
        # Not strict: the head is kept apart, and the carrier lacks batch norm's counters.
        trunk.load_state_dict(state, strict=False)
        trunk = pool_fewer(fold(trunk)).to(self.dtype, memory_format=torch.channels_last)
        self.stem, self.blocks = trunk[:STEM], trunk[STEM:]
        self.stages = Stages(trunk)
        self.head = nn.Buffer(state["fc.weight"].clone()) if file.complete else None
        self.classes = 0 if self.head is None else len(self.head)
        self.requires_grad_(False)

    @property
    def batch(self) -> int:
        """On a CPU the activations of more images leave the caches: 64 are a tenth slower than 16."""
        return 16 if self.device.type == "cpu" else 128

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        images = in_colour(images, self.name)
        # Before the blocks a layer's image takes up to 6 MB, and a CPU's caches hold only a few of them.
        few = 4 if images.device.type == "cpu" else self.batch
        x = torch.cat([self.stem(self.prepare(part)) for part in images.split(few)])
        pool = self.blocks(x).float().mean((2, 3))
        # Inception Score is defined on logits without the bias (torch-fidelity's "logits_unbiased").
        return {"pool": pool} if self.head is None else {"pool": pool, "logits": pool @ self.head.T}

    def prepare(self, images: Tensor) -> Tensor:
        """uint8 [B, 3, H, W] to [B, 3, 299, 299] around [-1, 1]."""
        return self.normalised(self.resize(images, SIDE))

    def normalised(self, pixels: Tensor) -> Tensor:
        """Images [B, 3, H, W] from 0 to 255 in the network's own range."""
        return ((pixels - 128) / 128).to(self.dtype, memory_format=torch.channels_last)

    def inside(self, pixels: Tensor) -> list[Tensor]:
        return self.stages.maps(self.normalised(pixels), self.name)


def inception_trunk() -> nn.Sequential:
    """torch-fidelity's blocks under its names, from [B, 3, 299, 299] to [B, 2048, 8, 8], without its download."""
    with torch.device("meta"):  # weights are loaded next: none are drawn, and the run's random stream stays as it is
        trunk = nn.Sequential()
        trunk.Conv2d_1a_3x3 = BasicConv2d(3, 32, kernel_size=3, stride=2)
        trunk.Conv2d_2a_3x3 = BasicConv2d(32, 32, kernel_size=3)
        trunk.Conv2d_2b_3x3 = BasicConv2d(32, 64, kernel_size=3, padding=1)
        trunk.MaxPool_1 = nn.MaxPool2d(kernel_size=3, stride=2)
        trunk.Conv2d_3b_1x1 = BasicConv2d(64, 80, kernel_size=1)
        trunk.Conv2d_4a_3x3 = BasicConv2d(80, 192, kernel_size=3)
        trunk.MaxPool_2 = nn.MaxPool2d(kernel_size=3, stride=2)
        trunk.Mixed_5b = InceptionA(192, pool_features=32)
        trunk.Mixed_5c = InceptionA(256, pool_features=64)
        trunk.Mixed_5d = InceptionA(288, pool_features=64)
        trunk.Mixed_6a = InceptionB(288)
        trunk.Mixed_6b = InceptionC(768, channels_7x7=128)
        trunk.Mixed_6c = InceptionC(768, channels_7x7=160)
        trunk.Mixed_6d = InceptionC(768, channels_7x7=160)
        trunk.Mixed_6e = InceptionC(768, channels_7x7=192)
        trunk.Mixed_7a = InceptionD(768)
        trunk.Mixed_7b = InceptionE_1(1280)
        trunk.Mixed_7c = InceptionE_2(2048)
    return trunk.to_empty(device="cpu").eval()


def fold(trunk: nn.Sequential) -> nn.Sequential:
    """Multiplies every batch norm, whose statistics are fixed, into the convolution before it."""
    for module in trunk.modules():
        if isinstance(module, BasicConv2d):
            module.conv = fuse_conv_bn_eval(module.conv, module.bn)
            module.bn = nn.Identity()
    return trunk


def pool_fewer(trunk: nn.Sequential) -> nn.Sequential:
    """Exchanges average pooling and the 1x1 convolution after it, which has a quarter of the channels or less.

    Both are linear, and the pooling leaves a constant (the bias) as it is: TensorFlow's does not count the padding.
    """
    return nn.Sequential(*map(_pool_fewer, trunk))


def _pool_fewer(block: nn.Module) -> nn.Module:
    def chain(branch: str, *ends: str) -> nn.Sequential:
        return nn.Sequential(*(getattr(block, f"branch{branch}_{end}") for end in ends))

    def fork(branch: str, *ends: str) -> Parallel:
        return Parallel(*chain(branch, *ends))

    match block:
        case InceptionA():
            branches = chain("5x5", "1", "2"), chain("3x3dbl", "1", "2", "3")
        case InceptionC():
            branches = chain("7x7", "1", "2", "3"), chain("7x7dbl", "1", "2", "3", "4", "5")
        case InceptionE_1():
            branches = (
                chain("3x3", "1").append(fork("3x3", "2a", "2b")),
                chain("3x3dbl", "1", "2").append(fork("3x3dbl", "3a", "3b")),
            )
        case _:  # InceptionE_2 takes the maximum, which does not commute
            return block
    return Parallel(block.branch1x1, *branches, PooledLast(block.branch_pool.conv))


class Parallel(nn.Module):
    """Branches that read the same input; their outputs are joined along the channels."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


class PooledLast(nn.Module):
    """A convolution of 1x1, then the average pooling that stood before it, then its ReLU."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        return relu_(avg_pool2d(self.conv(x), 3, stride=1, padding=1, count_include_pad=False))
