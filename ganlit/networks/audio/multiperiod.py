"""The discriminator of HiFi-GAN that looks for what repeats itself: Kong et al., arXiv 2010.05646, section 2.3."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from ganlit.contracts import Judgement
from ganlit.errors import UserError, within
from ganlit.networks.audio.judging import judged, seen
from ganlit.networks.several import together
from ganlit.networks.sizes import check


def column(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Conv2d:
    """Along the first side alone."""
    return weight_norm(nn.Conv2d(inputs, outputs, (kernel, 1), (stride, 1), padding=(kernel // 2, 0)))


class PeriodDiscriminator(nn.Module):
    """Sees sound as rows of a period, and convolves along columns.

    Args:
        period: samples in a row.
        channels: of the sound.
        width: feature maps of the first layer; they grow to 32 times as many.
    """

    def __init__(self, period: int, channels: int, width: int) -> None:
        super().__init__()
        self.period = period
        maps = [channels, width, 4 * width, 16 * width, 32 * width, 32 * width]
        stages = zip(pairwise(maps), [3, 3, 3, 3, 1], strict=True)
        self.convs = nn.ModuleList(column(*ends, 5, stride) for ends, stride in stages)
        self.conv_post = column(maps[-1], 1, 3, 1)

    def forward(self, item: Tensor, label: Tensor) -> Judgement:
        """Sound [B, C, T] to a logit for each of some places, [B, n], and what each layer has found."""
        if item.shape[-1] < self.period:
            raise UserError(
                f"MultiperiodDiscriminator.periods has {self.period}, but it is shown sounds of {item.shape[-1]} "
                "samples: take longer ones, or shorter periods."
            )
        rows = F.pad(item, (0, -item.shape[-1] % self.period), mode="reflect").unflatten(2, (-1, self.period))
        features = seen(self.convs, rows)
        return judged(self.conv_post(features[-1]), features)


class MultiperiodDiscriminator(nn.Module):
    """Networks of several periods, each of which hears what repeats itself so; labels are ignored.

    Parameters have the names of the authors' code.

    Args:
        channels: of what it is shown: 1 for mono.
        periods: in samples; of no common divisor, so that they see different things.
        width: feature maps of the first layer of each.

    Raises:
        UserError: an argument is out of its range.
    """

    classes = 0

    def __init__(self, channels: int = 1, periods: Sequence[int] = (2, 3, 5, 7, 11), width: int = 32) -> None:
        super().__init__()
        check("MultiperiodDiscriminator", channels=channels, width=width, periods=len(periods))
        for each in periods:
            within("MultiperiodDiscriminator.periods", each, least=1, most=2**16)
        self.discriminators = nn.ModuleList(PeriodDiscriminator(each, channels, width) for each in periods)

    def forward(self, item: Tensor, label: Tensor) -> Judgement:
        """Sound [B, C, T] to what each network says of it.

        Raises:
            UserError: it is shorter than a period.
        """
        return together(network(item, label) for network in self.discriminators)
