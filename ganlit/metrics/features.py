"""Feature extractors: what sees images for the metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
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
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

from ganlit.errors import UserError
from ganlit.metrics.weights import find_weights, read_weights

Precision = Literal["fp32", "bf16"]


class FeatureExtractor(nn.Module, ABC):
    """Images in, features out; never trained, never saved.

    A subclass sets these four and implements `encode`.
    """

    name: str
    dim: int  # of the pooled features
    protocol: str  # all that moves its numbers: part of every metric's name and of the key in the cache
    batch: int  # the size at which it is fastest

    @abstractmethod
    def encode(self, images: Tensor) -> dict[str, Tensor]:
        """uint8 [B, 3, H, W] to {"pool": [B, dim]} and, where there is a classifier, {"logits": [B, k]}, in float32."""

    @torch.no_grad()
    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """`encode` for uint8 images [B, C, H, W] of one or three channels, outside any autocast."""
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
            raise UserError(
                f"{self.name} takes uint8 images [B, 1 or 3, H, W], not {images.dtype} {list(images.shape)}."
            )
        with torch.autocast(images.device.type, enabled=False), exact_float32():
            return self.encode(images.expand(-1, 3, -1, -1))

    def extract(self, images: Tensor, advance: Callable[[int], None] = lambda count: None) -> dict[str, Tensor]:
        """`forward` for any number of images on any device, in batches; the features come to the CPU.

        Args:
            images: uint8 [N, C, H, W]; may be mapped from a file.
            advance: called after every batch with the number of images it held.
        """
        device = next(self.parameters()).device
        batches = []
        for batch in images.split(self.batch):
            batches.append({key: value.cpu() for key, value in self(batch.to(device)).items()})
            advance(len(batch))
        return {key: torch.cat([features[key] for features in batches]) for key in batches[0]}


class Collector:
    """Features of images that arrive in batches of any size and are seen in the extractor's own."""

    def __init__(self, extractor: FeatureExtractor) -> None:
        self.extractor = extractor
        self.waiting: list[Tensor] = []
        self.done: list[dict[str, Tensor]] = []

    def add(self, images: Tensor) -> None:
        """Takes uint8 images [B, C, H, W]."""
        self.waiting.append(images)
        count = sum(map(len, self.waiting))
        ready = count - count % self.extractor.batch
        if ready:
            images = torch.cat(self.waiting)
            self.done.append(self.extractor.extract(images[:ready]))
            self.waiting = [images[ready:]]

    def finish(self) -> dict[str, Tensor]:
        """The features of all images, in their order; rows are missing, not keys, where there was no image."""
        rest = torch.cat(self.waiting) if self.waiting else torch.empty(0, 3, 1, 1, dtype=torch.uint8)
        batches = [*self.done, self.extractor.extract(rest)]
        return {key: torch.cat([features[key] for features in batches]) for key in batches[0]}


class Inception(FeatureExtractor):
    """The network of FID and Inception Score, as torch-fidelity runs it: TensorFlow's of 2015-12-05 and its resize.

    In float32 the features equal torch-fidelity's; in bfloat16 they are 2 % away and have another protocol.

    Args:
        weights: file of the weights; None looks where `find_weights` says.
        precision: of everything before the final pooling.
    """

    name = "inception-2015-12-05"
    dim = 2048

    def __init__(self, weights: Path | None = None, precision: Precision = "fp32") -> None:
        super().__init__()
        self.protocol = f"{self.name}{'-bf16' if precision == 'bf16' else ''}/legacy"
        self.dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        file = find_weights(weights)
        trunk = inception_trunk()
        state = read_weights(file, [name for name, module in trunk.named_modules() if isinstance(module, BasicConv2d)])
        # Not strict: the head is kept apart, and the carrier lacks batch norm's counters.
        trunk.load_state_dict(state, strict=False)
        self.trunk = fold(trunk).to(self.dtype, memory_format=torch.channels_last)
        self.head = nn.Buffer(state["fc.weight"].clone()) if file.complete else None
        self.requires_grad_(False)

    @property
    def batch(self) -> int:
        """On a CPU the activations of more images leave the caches: 64 are a tenth slower than 16."""
        return 16 if next(self.parameters()).device.type == "cpu" else 128

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        x = legacy_resize((images.float() - 128) / 128, 299)
        x = self.trunk(x.to(self.dtype, memory_format=torch.channels_last))
        pool = x.float().mean((2, 3))
        # Inception Score is defined on logits without the bias (torch-fidelity's "logits_unbiased").
        return {"pool": pool} if self.head is None else {"pool": pool, "logits": pool @ self.head.T}


@contextmanager
def exact_float32() -> Iterator[None]:
    """Keeps shorter formats, TF32 on recent GPUs above all, out of products and convolutions in float32."""
    places = (
        torch.backends.cuda.matmul,
        torch.backends.cudnn.conv,
        torch.backends.mkldnn.matmul,
        torch.backends.mkldnn.conv,
    )
    before = [place.fp32_precision for place in places]
    try:
        for place in places:
            place.fp32_precision = "ieee"
        yield
    finally:
        for place, precision in zip(places, before, strict=True):
            place.fp32_precision = precision


def legacy_resize(images: Tensor, size: int) -> Tensor:
    """TensorFlow 1's bilinear resize of [B, C, H, W] to [B, C, size, size], as two matrix products.

    It is linear and separable, so torch-fidelity's function on the identity gives the matrices; an image of 32 pixels
    takes an eighth of that function's own time.
    """
    rows, columns = (_resize_matrix(length, size).to(images) for length in images.shape[-2:])
    return rows @ images @ columns.T


@cache
def _resize_matrix(length: int, size: int) -> Tensor:
    identity = torch.eye(length)[None, None]
    return interpolate_bilinear_2d_like_tensorflow1x(identity, size=(size, length), align_corners=False)[0, 0]


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
