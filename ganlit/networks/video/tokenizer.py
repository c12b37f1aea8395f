"""Clips as few codes in space and time: the 3-D VQGAN of TATS, Ge et al., arXiv 2204.03638, section 3.1."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.contracts import Made
from ganlit.errors import UserError, within
from ganlit.networks.images.blocks import Normalisation
from ganlit.networks.layers import wide
from ganlit.networks.quantizers import Quantizer
from ganlit.networks.sizes import check


class Level(nn.Conv3d):
    """A 3x3x3 convolution that repeats what stands at the border: no code can tell from zeros where a clip ends.

    Section 3.1 of the paper: else a generator of codes cannot go beyond the length of the training.

    Args:
        strides: in time and in space.
    """

    def __init__(self, inputs: int, outputs: int, strides: tuple[int, int] = (1, 1)) -> None:
        time, space = strides
        super().__init__(inputs, outputs, 3, (time, space, space))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, (1,) * 6, mode="replicate"))


class Block(nn.Sequential):
    """Twice normalisation, swish and a convolution, beside the input."""

    def __init__(self, maps: int) -> None:
        super().__init__(
            Normalisation(maps), nn.SiLU(), Level(maps, maps), Normalisation(maps), nn.SiLU(), Level(maps, maps)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class ClipTokenizer(nn.Module):
    """Clips to codes that stand for a few frames of a few rows and columns each, and back; labels are ignored.

    Args:
        quantizer: gives the latent its codes; the size of its vectors is that of the latent.
        channels: 1 for grey clips, 3 for colour.
        width: feature maps at the full size; each halving doubles them, up to eight times as many.
        times: whether each halving of rows and columns also halves frames: true, true gives codes of 4 frames of 4x4.
        blocks: at each size.
        bounded: end in tanh, for data that fills its range, such as strokes on black.

    Raises:
        UserError: an argument is out of its range.
    """

    classes = 0

    def __init__(
        self,
        quantizer: Quantizer,
        channels: int = 3,
        width: int = 32,
        times: Sequence[bool] = (True, True),
        blocks: int = 1,
        bounded: bool = False,
    ) -> None:
        super().__init__()
        check("ClipTokenizer", channels=channels, width=width, times=len(times), blocks=blocks)
        within("ClipTokenizer.times", len(times), most=16)
        self.codes, self.bounded = quantizer.codes, bounded
        self.span, self.multiple = math.prod(2 if each else 1 for each in times), 1 << len(times)
        maps = [width * min(1 << step, 8) for step in range(len(times) + 1)]
        strides = [(2 if each else 1, 2) for each in times]
        layers: list[nn.Module] = [Level(channels, width)]
        for before, here, stride in zip(maps[:-1], maps[1:], strides, strict=True):
            layers += [*(Block(before) for _ in range(blocks)), Level(before, here, stride)]
        self.encoder = nn.Sequential(*layers, Block(maps[-1]), *ending(maps[-1], quantizer.dim))
        self.quantizer = quantizer
        layers = [Level(quantizer.dim, maps[-1]), Block(maps[-1])]
        for before, here, (time, space) in zip(maps[:0:-1], maps[-2::-1], strides[::-1], strict=True):
            layers += [nn.Upsample(scale_factor=(time, space, space)), Level(before, here)]
            layers += [Block(here) for _ in range(blocks)]
        self.decoder = nn.Sequential(*layers, *ending(width, channels))

    def forward(self, source: Tensor, label: Tensor) -> Made:
        """Clips [B, C, T, H, W] to clips like them."""
        latent, side = self.encode(source, label)
        return Made(self.decode(latent, label), side)

    def encode(self, source: Tensor, label: Tensor) -> Made:
        """Clips [B, C, T, H, W] to latents [B, dim, T / span, H / multiple, W / multiple], with "codes" of each place.

        Raises:
            UserError: they cannot be halved as often.
        """
        frames, height, width = source.shape[2:]
        if frames % self.span or height % self.multiple or width % self.multiple:
            raise UserError(
                f"ClipTokenizer takes clips whose frames are multiples of {self.span} and whose sides are multiples of "
                f"{self.multiple}, but is shown some of {frames} frames of {height}x{width}: bring them to such a "
                "size, or take fewer times."
            )
        return self.quantizer(self.encoder(source))

    def decode(self, latent: Tensor, label: Tensor) -> Tensor:
        """Latents [B, dim, t, h, w] to clips [B, C, t * span, h * multiple, w * multiple]."""
        clip = wide(self.decoder(latent.to(self.decoder[0].weight.dtype)))
        return clip.tanh() if self.bounded else clip

    def embedded(self, codes: Tensor) -> Tensor:
        """Codes [B, t, h, w] to latents [B, dim, t, h, w]."""
        return self.quantizer.embedded(codes)

    @property
    def last_layer(self) -> nn.Parameter:
        """The weight of the last convolution."""
        return self.decoder[-1].weight


def ending(maps: int, outputs: int) -> list[nn.Module]:
    return [Normalisation(maps), nn.SiLU(), Level(maps, outputs)]
