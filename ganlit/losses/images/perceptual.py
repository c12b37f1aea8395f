"""Criteria of images as a network sees them that was trained for something else.

The networks are the extractors of the metrics, by the same names, and not part of a checkpoint.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ganlit.errors import within
from ganlit.losses.base import Attempt, Criterion
from ganlit.metrics.extractors import extractor
from ganlit.metrics.features import FeatureExtractor


class Perceptual(Criterion):
    """Distance of features at several depths of a network, images being seen at their own size.

    At each place features are brought to length one; their squared differences are averaged over places, and over
    depths: Zhang et al., arXiv 1801.03924, equation 1 with equal weights, which its table 5 calls the baselines. With
    another network and without its authors' weights the number is no LPIPS.

    Args:
        extractor: its name, as in `fidelity.metrics` behind the @: "inception", "efficientnet-lite0", "vgg16",
            "torchvision:vgg19", or the path of a FeatureExtractor.
        weight: its factor.
        depths: of the finest layers, how many; all by default.
        name: what it is logged by; by default "perceptual-" and the extractor.

    Raises:
        UserError: a value is out of its range; when it is first used, that the weights are not there.
    """

    def __init__(
        self, extractor: str = "inception", weight: float = 1.0, depths: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(weight, name or f"perceptual-{extractor}")
        within("Perceptual.depths", depths, least=1, optional=True)
        self.extractor = extractor
        self.depths = depths
        self.loaded: list[FeatureExtractor] = []  # a list, so that it is no part of the module and its checkpoints

    def network(self, device: torch.device) -> FeatureExtractor:
        """The extractor, looked for when it is first asked for: who only samples a run needs none."""
        if not self.loaded:
            with torch.random.fork_rng(devices=[]):  # layers draw weights before they get theirs
                self.loaded.append(extractor(self.extractor).requires_grad_(False))
        if self.loaded[0].device != device:
            self.loaded[0].to(device)
        return self.loaded[0]

    def forward(self, attempt: Attempt) -> Tensor:
        network = self.network(attempt.output.device)
        with torch.no_grad():
            true = network.inside(pixels(attempt.target))[: self.depths]
        made = network.inside(pixels(attempt.output))[: self.depths]
        return torch.stack([distance(one, other) for one, other in zip(made, true, strict=True)]).mean()


def distance(one: Tensor, other: Tensor) -> Tensor:
    """The mean over items and places of features [B, C, ...], compared by their directions."""
    return (normalize(one.float(), eps=1e-8) - normalize(other.float(), eps=1e-8)).square().sum(1).mean()


def pixels(images: Tensor) -> Tensor:
    """Grey images or RGB [B, C, H, W] of [-1, 1] as extractors look inside: [B, 3, H, W] from 0 to 255."""
    return (images.float().expand(-1, 3, -1, -1) + 1) * 127.5
