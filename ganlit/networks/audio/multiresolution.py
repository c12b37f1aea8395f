"""Discriminators that look at spectra, of several lengths: of UnivNet, arXiv 2106.07889, and DAC, arXiv 2306.06546."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from ganlit.contracts import Judgement
from ganlit.errors import UserError, within
from ganlit.networks.audio.judging import judged, seen
from ganlit.networks.audio.spectrograms import STFT
from ganlit.networks.layers import wide
from ganlit.networks.several import together
from ganlit.networks.sizes import check

LAYERS = (9, 1), (9, 2), (9, 2), (9, 2), (3, 1)
"""Kernel and stride along the second side of each convolution; along the first they are 3 and 1."""


def convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Conv2d:
    return weight_norm(nn.Conv2d(inputs, outputs, (3, kernel), (1, stride), padding=(1, kernel // 2)))


class SpectrumDiscriminator(nn.Module):
    """Convolutions over the spectra of one length.

    Args:
        spectra: how they are taken.
        channels: of the sound.
        phases: look at real and imaginary parts, and shrink frequencies; otherwise at magnitudes, and shrink time.
        edges: of bands of frequency, from 0 to 1, each of which has convolutions of its own.
        width: feature maps.
    """

    def __init__(self, spectra: STFT, channels: int, phases: bool, edges: Sequence[float], width: int) -> None:
        super().__init__()
        self.spectra, self.phases = spectra, phases
        self.frequencies = 3 if phases else 2  # the side along which they lie
        self.bands = [(low, high - low) for low, high in pairwise(int(edge * spectra.bins) for edge in edges)]
        maps = [channels * (2 if phases else 1), *[width] * len(LAYERS)]
        sizes = [(*ends, *layer) for ends, layer in zip(pairwise(maps), LAYERS, strict=True)]
        self.band_convs = nn.ModuleList(nn.ModuleList(convolution(*each) for each in sizes) for _ in self.bands)
        self.conv_post = convolution(width, 1, 3, 1)

    def forward(self, item: Tensor, label: Tensor) -> Judgement:
        """Sound [B, C, T] to a logit for each of some places, [B, n], and what each layer of each band has found."""
        picture, features, ends = self._picture(wide(item)), list[Tensor](), list[Tensor]()
        for band, layers in zip(self.bands, self.band_convs, strict=True):
            features += seen(layers, picture.narrow(self.frequencies, *band))
            ends.append(features[-1])
        return judged(self.conv_post(torch.cat(ends, self.frequencies)), features)

    def _picture(self, item: Tensor) -> Tensor:
        """[B, 2 C, frames, bins] of real and imaginary parts, or [B, C, bins, frames] of magnitudes."""
        if not self.phases:
            return self.spectra(item)
        return torch.view_as_real(self.spectra.complex(item)).permute(0, 1, 4, 3, 2).flatten(1, 2)


class MultiresolutionDiscriminator(nn.Module):
    """Networks that see spectra of several lengths, and so what lies near in time or near in pitch; labels are ignored.

    By default it is UnivNet's, section 2.3, with the slope of BigVGAN's. DAC's, section 3.4, has `resolutions: [[2048,
    512, 2048], [1024, 256, 1024], [512, 128, 512]]`, `phases: true` and `edges: [0, 0.1, 0.25, 0.5, 0.75, 1]`.

    Args:
        channels: of what it is shown: 1 for mono.
        resolutions: of each network the size, hop and window of a spectrum, in samples, as in `STFT`.
        phases: look at real and imaginary parts instead of magnitudes.
        edges: of bands of frequency, from 0 to 1 for half the sample rate, which are seen one by one.
        width: feature maps.

    Raises:
        UserError: an argument is out of its range.
    """

    classes = 0

    def __init__(
        self,
        channels: int = 1,
        resolutions: Sequence[tuple[int, int, int]] = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240)),
        phases: bool = False,
        edges: Sequence[float] = (0.0, 1.0),
        width: int = 32,
    ) -> None:
        super().__init__()
        check("MultiresolutionDiscriminator", channels=channels, width=width, resolutions=len(resolutions))
        spectra = [STFT(*each) for each in resolutions]
        refuse(edges, min(each.bins for each in spectra))
        self.discriminators = nn.ModuleList(
            SpectrumDiscriminator(each, channels, phases, edges, width) for each in spectra
        )

    def forward(self, item: Tensor, label: Tensor) -> Judgement:
        """Sound [B, C, T] to what each network says of it.

        Raises:
            UserError: it is shorter than a spectrum takes.
        """
        return together(network(item, label) for network in self.discriminators)


def refuse(edges: Sequence[float], bins: int) -> None:
    """Refuses, with a UserError, edges between which there are no bands of so many frequencies."""
    for edge in edges:
        within("MultiresolutionDiscriminator.edges", edge, least=0, most=1)
    places = [int(edge * bins) for edge in edges]
    if len(places) < 2 or any(low >= high for low, high in pairwise(places)):
        raise UserError(
            f"MultiresolutionDiscriminator.edges are {', '.join(f'{edge:g}' for edge in edges)}: name two or more that "
            f"rise, with one of {bins} frequencies between any two."
        )
