"""What the networks of pix2pix and of those after it share: normalisation, first weights, the images they take."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganlit.errors import UserError

Norm = Literal["batch", "instance", "none"]


def normalisation(norm: Norm, maps: int, affine: bool = True) -> list[nn.Module]:
    """What stands behind a convolution, if anything does.

    Args:
        norm: by the statistics of the batch, or of each image alone, the latter without weights.
        maps: that the convolution gives.
        affine: whether batch normalisation has weights, as it does unless something else scales the maps.
    """
    if norm == "none":
        return []
    return [nn.BatchNorm2d(maps, affine=affine) if norm == "batch" else nn.InstanceNorm2d(maps)]


def normed(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, bias: bool = True) -> nn.Module:
    """A convolution whose largest singular value is one: Miyato et al., arXiv 1802.05957, algorithm 1."""
    return spectral_norm(nn.Conv2d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2, bias=bias))


def initialise(module: nn.Module) -> None:
    """Normal weights of deviation 0.02, no bias: pix2pix, arXiv 1611.07004, appendix 6.2."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.BatchNorm2d) and module.weight is not None:
        nn.init.normal_(module.weight, 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def refuse_source(network: nn.Module, source: Tensor, least: int, remedy: str = "bring them to such a size") -> None:
    """Refuses images that a generator was not built for.

    Args:
        network: says by `source_channels` and `multiple` what they have to be.
        source: [B, C, H, W].
        least: the shortest side.
        remedy: what else to do about their size.

    Raises:
        UserError: they have other channels, or sides that are too short or no such multiples.
    """
    name, (channels, *sides) = type(network).__name__, source.shape[1:]
    if channels != network.source_channels:
        raise UserError(
            f"{name} takes images whose channels are {network.source_channels}, but is shown some of {channels}: bring "
            "them to as many, or set its channels to theirs."
        )
    if min(sides) < least or any(side % network.multiple for side in sides):
        shortest = f", of {least} or more" if least > network.multiple else ""
        raise UserError(
            f"{name} takes images whose sides are multiples of {network.multiple}{shortest}, but is shown some of "
            f"{'x'.join(map(str, sides))}: {remedy}."
        )
