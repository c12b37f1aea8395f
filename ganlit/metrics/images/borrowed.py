"""Trained networks of images through which criteria and discriminators look."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from ganlit.contracts import Sight
from ganlit.metrics.extractors import extractor as named


class Borrowed:
    """A trained network that learns nothing more, and is no part of the module that looks through it, nor saved.

    Args:
        find: gives the network; it is asked when somebody first looks.
    """

    def __init__(self, find: Callable[[], nn.Module]) -> None:
        self.find = find
        self.network: nn.Module | None = None

    def on(self, device: torch.device) -> Any:
        """The network, on a device."""
        if self.network is None:
            with torch.random.fork_rng(devices=[]):  # layers draw weights before they get theirs
                self.network = self.find().requires_grad_(False).eval()
        weight = next(chain(self.network.parameters(), self.network.buffers()), None)
        if weight is not None and weight.device != device:
            self.network.to(device)
        return self.network


class TrainedSight(Sight):
    """What any extractor of the metrics sees of images.

    Args:
        extractor: its name, as in `fidelity.metrics` behind the @: "inception", "efficientnet-lite0", "vgg16",
            "torchvision:vgg19", or the path of a FeatureExtractor.

    Raises:
        UserError: when it first looks, that the weights are not there and cannot be downloaded.
    """

    def __init__(self, extractor: str = "efficientnet-lite0") -> None:
        self.extractor = extractor
        self.borrowed = Borrowed(partial(named, extractor))

    def inside(self, items: Tensor) -> list[Tensor]:
        return self.borrowed.on(items.device).inside(pixels(items))


def pixels(images: Tensor) -> Tensor:
    """Grey images or RGB [B, C, H, W] of [-1, 1] as extractors look inside: [B, 3, H, W] from 0 to 255."""
    return (images.float().expand(-1, 3, -1, -1) + 1) * 127.5
