"""The "multi-scale" discriminator of HiFi-GAN, which hears sound at several rates: arXiv 2010.05646, section 2.3."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from ganlit.contracts import Judgement
from ganlit.errors import UserError
from ganlit.networks.audio.judging import judged, seen
from ganlit.networks.several import together
from ganlit.networks.sizes import check

MOST_GROUPS = 16


class RateDiscriminator(nn.Module):
    """Long kernels in groups, with strides: that of MelGAN, Kumar et al., arXiv 1910.06711, section 3.2, but larger.

    Args:
        channels: of the sound.
        width: feature maps of the first layer; they grow to eight times as many.
        norm: what is done to the weights of each convolution.
    """

    def __init__(self, channels: int, width: int, norm: Callable[[nn.Conv1d], nn.Conv1d]) -> None:
        super().__init__()
        maps = [channels, width, width, 2 * width, 4 * width, 8 * width, 8 * width, 8 * width]
        kernels, strides, groups = [15, *[41] * 5, 5], [1, 2, 2, 4, 4, 1, 1], [1, 4, *[MOST_GROUPS] * 4, 1]
        sizes = zip(pairwise(maps), kernels, strides, groups, strict=True)
        self.convs = nn.ModuleList(norm(nn.Conv1d(*ends, k, s, k // 2, groups=g)) for ends, k, s, g in sizes)
        self.conv_post = norm(nn.Conv1d(maps[-1], 1, 3, padding=1))

    def forward(self, item: Tensor, label: Tensor) -> Judgement:
        """Sound [B, C, T] to a logit for each of some places, [B, n], and what each layer has found."""
        features = seen(self.convs, item)
        return judged(self.conv_post(features[-1]), features)


class MultirateDiscriminator(nn.Module):
    """Networks each of which hears the sound at half the rate of the one before; labels are ignored.

    Parameters have the names of the authors' code. The weights of the first are under spectral normalisation, whose
    norms are estimated better with each call in training, so that micro-batches are not exactly one batch; ranks are.

    Args:
        channels: of what it is shown: 1 for mono.
        rates: how many there are.
        width: feature maps of the first layer of each, a multiple of 16.

    Raises:
        UserError: an argument is out of its range.
    """

    classes = 0

    def __init__(self, channels: int = 1, rates: int = 3, width: int = 128) -> None:
        super().__init__()
        check("MultirateDiscriminator", channels=channels, rates=rates, width=width)
        if width % MOST_GROUPS:
            raise UserError(
                f"MultirateDiscriminator.width is {width}, which its {MOST_GROUPS} groups do not divide: set it to a "
                f"multiple of {MOST_GROUPS}."
            )
        norms = [spectral_norm, *[weight_norm] * (rates - 1)]
        self.discriminators = nn.ModuleList(RateDiscriminator(channels, width, norm) for norm in norms)

    def forward(self, item: Tensor, label: Tensor) -> Judgement:
        """Sound [B, C, T] to what each network says of it, that of the full rate first."""
        heard = [item]
        for _ in self.discriminators[1:]:
            heard.append(F.avg_pool1d(heard[-1], 4, stride=2, padding=2))
        return together(network(sound, label) for network, sound in zip(self.discriminators, heard, strict=True))
