"""Feature extractors: what sees items for the metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from itertools import chain
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganlit.contracts import Reference
from ganlit.errors import UserError

Precision = Literal["fp32", "bf16"]
Resize = Literal["legacy", "clean"]


class FeatureExtractor(nn.Module, ABC):
    """Items in, features out; never trained, never saved.

    A subclass sets these and implements `encode`.
    """

    name: str
    dim: int  # of the pooled features
    protocol: str  # all that moves its numbers: part of every metric's name and of the key in the cache
    batch: int  # the size at which it is fastest
    classes: int = 0  # of its classifier, if it has one
    home: str = "its own code"  # where its weights lie
    wants: Any = None  # told to `Modality.for_extractor`, where that has a choice: of sound, the sample rate

    @property
    def device(self) -> torch.device:
        """Where its weights are; the CPU for one that has none."""
        return next((weight.device for weight in chain(self.parameters(), self.buffers())), torch.device("cpu"))

    @abstractmethod
    def encode(self, items: Tensor) -> dict[str, Tensor]:
        """Items [B, ...] to {"pool": [B, dim]} and, where there is a classifier, {"logits": [B, k]}, in float32.

        The items are what `Modality.for_extractor` makes of stored ones: images are uint8 [B, 3, H, W].
        """

    def learn(self, reference: Reference, view: Callable[[Tensor], Tensor]) -> None:
        """Learns from the real items what it has to know of them before it sees any; most have nothing to learn.

        Args:
            reference: the items, whose digest then is part of the protocol.
            view: what it is given of stored items.
        """

    def inside(self, items: Tensor) -> list[Tensor]:
        """Features [B, C, ...] in float32 at several depths, the finest first, with a gradient to the items.

        They are for comparing items at their own size, which nothing changes: of smaller ones fewer depths are left.
        The layers run in the precision of whoever asks.

        Args:
            items: [B, ...] as `encode` takes them, but of any number between their values: images are float
                [B, 3, H, W] from 0 to 255.

        Raises:
            UserError: there are no such layers, or the items are too small for any.
        """
        raise UserError(f"extractor {self.name} has no layers that can be looked into at any size: name another.")

    def train(self, mode: bool = True) -> FeatureExtractor:
        """It is never in training mode, whatever it is a part of."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, items: Tensor) -> dict[str, Tensor]:
        """`encode`, outside any autocast."""
        with torch.autocast(items.device.type, enabled=False), exact_float32():
            return self.encode(items)

    def extract(self, items: Tensor, advance: Callable[[int], None] = lambda count: None) -> dict[str, Tensor]:
        """`forward` for any number of items on any device, in batches; the features come to the CPU.

        Args:
            items: [N, ...]; may be mapped from a file.
            advance: called after every batch with the number of items it held.

        Raises:
            UserError: a feature is not finite.
        """
        batches = []
        for batch in items.split(self.batch):
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
