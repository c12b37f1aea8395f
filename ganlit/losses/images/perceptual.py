"""Criteria of images as a network sees them that was trained for something else: those of the metrics."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss, normalize

from ganlit.errors import UserError, nearest, within
from ganlit.losses.base import Attempt, Criterion
from ganlit.metrics.extractors import extractor
from ganlit.metrics.images.borrowed import Borrowed, pixels
from ganlit.metrics.images.paired import LPIPS as Learned


class Seeing(Criterion):
    """A criterion that holds a trained network, which is no part of the module and of its checkpoints.

    It is looked for when it is first asked for: who only samples a run needs none.
    """

    def __init__(self, weight: float = 1.0, name: str | None = None) -> None:
        super().__init__(weight, name)
        self._borrowed = Borrowed(self.find)

    @abstractmethod
    def find(self) -> nn.Module:
        """The network.

        Raises:
            UserError: its weights are not there and cannot be downloaded.
        """

    def network(self, device: torch.device) -> Any:
        """The same, on a device; it learns nothing."""
        return self._borrowed.on(device)


class LPIPS(Seeing):
    """Learned perceptual distance: Zhang et al., arXiv 1801.03924, equation 1, with its authors' weights.

    Args:
        weight: its factor.
        net: "vgg", by which networks are usually trained, or "alex", by which images are usually compared.
        name: what it is logged by.

    Raises:
        UserError: when it is first used, that the weights are not there and cannot be downloaded.
    """

    def __init__(self, weight: float = 1.0, net: Literal["alex", "vgg"] = "vgg", name: str | None = None) -> None:
        super().__init__(weight, name)
        self.net = net

    def find(self) -> nn.Module:
        return Learned(self.net)

    def forward(self, attempt: Attempt) -> Tensor:
        return self.network(attempt.output.device).distance(attempt.output, attempt.target).mean()


class Perceptual(Seeing):
    """Distance of features at several depths of a network, images being seen at their own size.

    At each place features are brought to length one; their squared differences are averaged over places, and over
    depths: Zhang et al., arXiv 1801.03924, equation 1 with equal weights, which its table 5 calls the baselines. With
    another network, or without its authors' weights, the number is no LPIPS.

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

    def find(self) -> nn.Module:
        return extractor(self.extractor)

    def forward(self, attempt: Attempt) -> Tensor:
        network = self.network(attempt.output.device)
        with torch.no_grad():
            true = network.inside(pixels(attempt.target))[: self.depths]
        made = network.inside(pixels(attempt.output))[: self.depths]
        return torch.stack([distance(one, other) for one, other in zip(made, true, strict=True)]).mean()


class Layers(Seeing):
    """Distance of what single layers of a network give, before or behind their activations.

    So SRGAN sees, Ledig et al., arXiv 1609.04802, equation 5, with squares; ESRGAN, arXiv 1809.00219, section 3.3, by
    the last convolution of VGG19; and Real-ESRGAN, arXiv 2107.10833, by five, each with a weight.

    Args:
        layers: the weight of each, by its place in the network, such as "features.34".
        extractor: the network's name, as for `Perceptual`.
        weight: factor of the weighted sum.
        square: whether differences are squared; else their absolute values count. Either way the mean is taken.
        name: what it is logged by; by default "layers-" and the extractor.

    Raises:
        UserError: a value is out of its range; when it is first used, that the network has no such layer, or that its
            weights are not there.
    """

    def __init__(
        self,
        layers: dict[str, float],
        extractor: str = "torchvision:vgg19",
        weight: float = 1.0,
        square: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(weight, name or f"layers-{extractor}")
        if not layers:
            raise UserError("Layers.layers is empty: name one, such as features.34, with its weight.")
        for layer, share in layers.items():
            within(f"Layers.layers.{layer}", share, least=0)
        self.layers = layers
        self.extractor = extractor
        self.square = square

    def find(self) -> nn.Module:
        return extractor(self.extractor)

    def forward(self, attempt: Attempt) -> Tensor:
        with torch.no_grad():
            true = self.heard(attempt.target)
        made = self.heard(attempt.output)
        measure = mse_loss if self.square else l1_loss
        return sum(share * measure(made[layer], true[layer]) for layer, share in self.layers.items())

    def heard(self, images: Tensor) -> dict[str, Tensor]:
        """What each layer gives, [B, C, ...] in float32."""
        network, found = self.network(images.device), dict[str, Tensor]()

        def note(layer: str, part: nn.Module, given: Any, output: Tensor) -> None:
            found[layer] = output.to(torch.float32, copy=True)  # an activation behind it may write into it

        parts = {layer: self.place(network, layer) for layer in self.layers}
        hooks = [part.register_forward_hook(partial(note, layer)) for layer, part in parts.items()]
        try:
            network.inside(pixels(images))
        finally:
            for hook in hooks:
                hook.remove()
        if missed := self.layers.keys() - found.keys():
            height, width = images.shape[-2:]
            raise UserError(
                f"Layers.layers names {min(missed)}, which {self.extractor} does not reach with images of {height} x "
                f"{width}: take larger ones, or another layer."
            )
        return found

    def place(self, network: nn.Module, layer: str) -> nn.Module:
        """The layer of a name, as the network has it that the extractor may be built around."""
        paths = {path.removeprefix("network."): part for path, part in network.named_modules()}
        if layer not in paths:
            known = nearest(layer, paths) or ": name one of its modules."
            raise UserError(f"Layers.layers names {layer}, which {self.extractor} has not{known}")
        return paths[layer]


def distance(one: Tensor, other: Tensor) -> Tensor:
    """The mean over items and places of features [B, C, ...], compared by their directions."""
    return (normalize(one.float(), eps=1e-8) - normalize(other.float(), eps=1e-8)).square().sum(1).mean()
