"""The discriminator of Real-ESRGAN, which judges each pixel: Wang et al., arXiv 2107.10833, section 3.4, figure 6."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.errors import UserError
from ganlit.networks.images.convolutions import normed
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check

HALVINGS = 3


def activation(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


class UNetDiscriminator(nn.Module):
    """A U-Net with spectral normalisation, whose two halves are joined by addition; labels are ignored.

    A norm is estimated better with each call in training, so that micro-batches are not exactly one batch; ranks are.

    Args:
        channels: of what it is shown: 1 for grey images, 3 for colour, more where source and target are joined.
        width: feature maps at the full resolution; they double with each halving.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(self, channels: int = 3, width: int = 64) -> None:
        super().__init__()
        check("UNetDiscriminator", channels=channels, width=width)
        maps = [width << step for step in range(HALVINGS + 1)]
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList(normed(maps[step], maps[step + 1], 4, 2, bias=False) for step in range(HALVINGS))
        self.up = nn.ModuleList(normed(maps[step + 1], maps[step], bias=False) for step in reversed(range(HALVINGS)))
        self.end = nn.ModuleList(normed(width, width, bias=False) for _ in range(2))
        self.logits = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        """Images [B, C, H, W] to a logit for each pixel, [B, H, W].

        Raises:
            UserError: they cannot be halved as often as that takes.
        """
        height, width = item.shape[-2:]
        if height % (1 << HALVINGS) or width % (1 << HALVINGS):
            raise UserError(
                f"UNetDiscriminator takes images whose sides are multiples of {1 << HALVINGS}, but is shown some of "
                f"{height}x{width}: bring them to such a size."
            )
        found = [activation(self.first(item))]
        for layer in self.down:
            found.append(activation(layer(found[-1])))
        x = found.pop()
        for layer in self.up:
            x = activation(layer(F.interpolate(x, scale_factor=2, mode="bilinear"))) + found.pop()
        for layer in self.end:
            x = activation(layer(x))
        return wide(self.logits(x)[:, 0])
