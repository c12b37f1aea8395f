"""Encoder and decoder of VQGAN, Esser et al., arXiv 2012.09841, table 7, which latent diffusion, 2112.10752, kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.networks.layers import wide


class Normalisation(nn.GroupNorm):
    """Over groups of maps: 32 of them, or as many fewer as divide the maps.

    In bfloat16 it takes five times as long on a CPU: there it is done in float32.
    """

    def __init__(self, maps: int) -> None:
        super().__init__(max(count for count in range(1, 33) if maps % count == 0), maps, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(wide(x)).to(x.dtype) if x.device.type == "cpu" else super().forward(x)


class SwishBlock(nn.Module):
    """Twice normalisation, swish and a 3x3 convolution, beside the input; it passes 1x1 where the maps change."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            Normalisation(inputs),
            nn.SiLU(),
            nn.Conv2d(inputs, outputs, 3, padding=1),
            Normalisation(outputs),
            nn.SiLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1),
        )
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.skip(x) + self.residual(x)


class Attention(nn.Module):
    """Each place attends to all others, with one head, beside the input."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.normalisation = Normalisation(maps)
        self.projections = nn.Conv2d(maps, 3 * maps, 1)  # queries, keys, values
        self.back = nn.Conv2d(maps, maps, 1)

    def forward(self, x: Tensor) -> Tensor:
        rows = self.projections(self.normalisation(x)).flatten(2).transpose(1, 2)[:, None]  # [B, 1, H W, 3 C]
        found = F.scaled_dot_product_attention(*rows.chunk(3, dim=-1))
        return x + self.back(found[:, 0].transpose(1, 2).reshape(x.shape))


class Halving(nn.Module):
    """A 3x3 convolution of stride 2; sizes are even, so one row and column of zeros are enough."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(maps, maps, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(F.pad(x, (0, 1, 0, 1)))


def doubling(maps: int) -> nn.Sequential:
    """Each pixel becomes four, then a 3x3 convolution."""
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(maps, maps, 3, padding=1))


def level(inputs: int, outputs: int, blocks: int, attends: bool) -> list[nn.Module]:
    """What happens at one resolution."""
    layers: list[nn.Module] = []
    for place in range(blocks):
        layers.append(SwishBlock(outputs if place else inputs, outputs))
        if attends:
            layers.append(Attention(outputs))
    return layers


def middle(maps: int) -> list[nn.Module]:
    """What happens at the lowest resolution, between encoder or decoder and the latent."""
    return [SwishBlock(maps, maps), Attention(maps), SwishBlock(maps, maps)]


def ending(maps: int, outputs: int) -> list[nn.Module]:
    return [Normalisation(maps), nn.SiLU(), nn.Conv2d(maps, outputs, 3, padding=1)]


class Encoder(nn.Sequential):
    """Images [B, C, H, W] to [B, outputs, h, w].

    Args:
        resolution: of the images, by which it is known where to attend.
        channels: of the images.
        outputs: channels of what comes out.
        width: feature maps at the full resolution, times the first multiplier.
        multipliers: of the maps at each resolution, which halves from one to the next.
        blocks: at each resolution.
        attention: resolutions at which each block is followed by attention; the middle always has it.
    """

    def __init__(
        self,
        resolution: int,
        channels: int,
        outputs: int,
        width: int,
        multipliers: Sequence[int],
        blocks: int,
        attention: Collection[int],
    ) -> None:
        maps = [width * multiplier for multiplier in multipliers]
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1)]
        for step, (before, here) in enumerate(pairwise([width, *maps])):
            layers += [Halving(before)] if step else []
            layers += level(before, here, blocks, resolution >> step in attention)
        super().__init__(*layers, *middle(maps[-1]), *ending(maps[-1], outputs))


class Decoder(nn.Sequential):
    """Latents [B, inputs, h, w] to images [B, C, H, W]; arguments are those of `Encoder`, one block more is at each."""

    def __init__(
        self,
        resolution: int,
        channels: int,
        inputs: int,
        width: int,
        multipliers: Sequence[int],
        blocks: int,
        attention: Collection[int],
    ) -> None:
        maps = [width * multiplier for multiplier in multipliers]
        layers: list[nn.Module] = [nn.Conv2d(inputs, maps[-1], 3, padding=1), *middle(maps[-1])]
        for step, (here, before) in reversed([*enumerate(pairwise([*maps, maps[-1]]))]):
            layers += level(before, here, blocks + 1, resolution >> step in attention)
            layers += [doubling(here)] if step else []
        super().__init__(*layers, *ending(maps[0], channels))
