"""Feature extractors: what sees images for the metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from itertools import chain

import torch
from torch import Tensor, nn

from ganlit.errors import UserError


class FeatureExtractor(nn.Module, ABC):
    """Images in, features out; never trained, never saved.

    A subclass sets these and implements `encode`.
    """

    name: str
    dim: int  # of the pooled features
    protocol: str  # all that moves its numbers: part of every metric's name and of the key in the cache
    batch: int  # the size at which it is fastest
    classes: int = 0  # of its classifier, if it has one

    @property
    def device(self) -> torch.device:
        """Where its weights are; the CPU for one that has none."""
        return next((weight.device for weight in chain(self.parameters(), self.buffers())), torch.device("cpu"))

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

        Raises:
            UserError: a feature is not finite.
        """
        batches = []
        for batch in images.split(self.batch):
            features = {key: value.cpu() for key, value in self(batch.to(self.device)).items()}
            if not all(bool(value.isfinite().all()) for value in features.values()):
                raise UserError(
                    f"{self.name} finds features in {self.protocol} that are not finite: its weights are damaged, or "
                    "too large for bf16: fetch them again, or ask for fp32."
                )
            batches.append(features)
            advance(len(batch))
        return {key: torch.cat([features[key] for features in batches]) for key in batches[0]}


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


def digest(tensors: Mapping[str, Tensor] | Iterable[Tensor]) -> str:
    """Eight hexadecimal digits of a network's weights: a hash of their values in float32, in their order."""
    found = blake2b(digest_size=4)
    for tensor in tensors.values() if isinstance(tensors, Mapping) else tensors:
        found.update(tensor.detach().cpu().float().contiguous().numpy())
    return found.hexdigest()
