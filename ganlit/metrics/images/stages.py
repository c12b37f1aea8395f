"""The features inside networks of images: one map of each fineness at which they look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ganlit.errors import UserError


def trunk(network: nn.Module) -> Iterable[nn.Module]:
    """The layers before the last pooling, where a network has them one after the other, as torchvision's often do."""
    if isinstance(found := getattr(network, "features", None), nn.Sequential):
        return found
    if not hasattr(network, "avgpool") or getattr(network, "transform_input", False):
        return ()
    return (layer for _, layer in takewhile(lambda child: child[0] != "avgpool", network.named_children()))


class Stages:
    """Layers in runs of one fineness: each begins where the features get coarser.

    They are those of a network that somewhere else is trained, moved or saved. A single run is no list of stages, as
    where a transformer's layers come one after the other, and none is kept.

    Args:
        layers: in their order.
    """

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        found: list[list[nn.Module]] = []
        for layer in flat(layers):
            if not found or coarsens(layer):
                found.append([])
            found[-1].append(layer)
        runs = [nn.Sequential(*run) for run in found if any(True for layer in run for _ in layer.parameters())]
        self.runs = runs if len(runs) > 1 else []
        self.depths: dict[torch.Size, int] = {}  # by the size of images

    def maps(self, x: Tensor, who: str) -> list[Tensor]:
        """What each run ends with, [B, C, h, w] in float32, as far as there is anything left to see.

        Args:
            x: [B, 3, H, W], as the first layer takes it.
            who: looks, for the error.

        Raises:
            UserError: there are no runs, or nothing is left to begin with.
        """
        size = x.shape[-2:]
        if size not in self.depths:
            self.depths[size] = self._depth(x)
        if not self.runs:
            raise UserError(f"extractor {who} has no layers that can be looked into at any size: name another.")
        if not self.depths[size]:
            height, width = size
            raise UserError(f"extractor {who} has no layer that sees images of {height} x {width}: take larger ones.")
        found = []
        for run in self.runs[: self.depths[size]]:
            x = run(x)
            found.append(x.float())
        return found

    def _depth(self, x: Tensor) -> int:
        """How many runs have something to see: tried on tensors without content."""
        x = torch.empty_like(x[:1], device="meta")
        for depth, run in enumerate(self.runs):
            weights = {name: torch.empty_like(value, device="meta") for name, value in run.state_dict().items()}
            try:
                x = functional_call(run, weights, x)
            except RuntimeError:  # a window is larger than what it looks at
                return depth
        return len(self.runs)


def flat(layers: Iterable[nn.Module]) -> Iterator[nn.Module]:
    """Layers one by one that stand in chains, and chains of chains."""
    for layer in layers:
        if type(layer) is nn.Sequential:
            yield from flat(layer)
        else:
            yield layer


def coarsens(layer: nn.Module) -> bool:
    """Whether a convolution or a pooling in a layer takes steps."""
    steps = (getattr(each, "stride", 1) for each in layer.modules())
    return any(max(step) > 1 if isinstance(step, tuple) else step > 1 for step in steps)
