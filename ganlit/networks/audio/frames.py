"""Networks over the frames of a spectrogram: ConvNeXt's blocks, Liu et al., arXiv 2201.03545, in one dimension."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlit.networks.layers import wide
from ganlit.networks.sizes import check

KERNEL = 7  # frames


class FrameBlock(nn.Module):
    """ConvNeXt's block (its figure 4) over frames, its answer scaled by what is learned.

    Args:
        width: feature maps.
        inner: between its two linear maps.
        scale: at the start.
    """

    def __init__(self, width: int, inner: int, scale: float) -> None:
        super().__init__()
        self.frames = nn.Conv1d(width, width, KERNEL, padding=KERNEL // 2, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.maps = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))
        self.scale = nn.Parameter(torch.full((width,), scale))

    def forward(self, x: Tensor) -> Tensor:
        made = self.maps(self.norm(self.frames(x).transpose(1, 2)))
        return x + (self.scale * made).transpose(1, 2)


class FrameNetwork(nn.Module):
    """Features of frames to other features of the same frames: the trunk of Vocos, Siuzdak, arXiv 2306.00814.

    Args:
        inputs: features of a frame.
        outputs: the same of the answer.
        width: feature maps.
        blocks: one after the other.
        inner: feature maps inside a block.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(self, inputs: int, outputs: int, width: int, blocks: int, inner: int) -> None:
        super().__init__()
        check(type(self).__name__, inputs=inputs, outputs=outputs, width=width, blocks=blocks, inner=inner)
        self.first = nn.Conv1d(inputs, width, KERNEL, padding=KERNEL // 2)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.blocks = nn.Sequential(*(FrameBlock(width, inner, 1 / blocks) for _ in range(blocks)))
        self.last = nn.Sequential(nn.LayerNorm(width, eps=1e-6), nn.Linear(width, outputs))
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, F] to [B, outputs, F], in float32 at least."""
        x = self.norm(self.first(x).transpose(1, 2)).transpose(1, 2)
        return wide(self.last(self.blocks(x).transpose(1, 2))).transpose(1, 2)

    @property
    def reach(self) -> int:
        """Frames on either side of its own on which one depends."""
        return KERNEL // 2 * (len(self.blocks) + 1)


def initialise(module: nn.Module) -> None:
    """Normal weights of deviation 0.02, cut at two, and no bias, as that paper's code has it."""
    if isinstance(module, nn.Conv1d | nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
