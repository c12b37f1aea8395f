"""The next frames of a clip from those before: what changes, by a U-Net that sees all of these at once."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import pad

from ganlit.errors import UserError
from ganlit.networks.images.convolutions import Norm
from ganlit.networks.images.unet import UNet
from ganlit.networks.sizes import check


class FramePredictor(nn.Module):
    """Adds to the last frame what a U-Net finds in all of them, one upon the other; labels are ignored.

    At first it says that nothing changes, for the last layer's weights are zero: it begins as a copy of that frame.

    Args:
        past: frames that it sees.
        following: frames that it makes.
        channels: 1 for grey clips, 3 for colour.
        depth: how often the U-Net halves frames, and so is the next as in `UNet`.
        width: feature maps at half the resolution.
        norm: batch or instance normalisation, the latter without weights; or none.

    Raises:
        UserError: an argument is out of its range.
    """

    classes = 0
    multiple = scale = 1  # frames may have any size, and become as large

    def __init__(
        self, past: int, following: int = 1, channels: int = 3, depth: int = 4, width: int = 64, norm: Norm = "batch"
    ) -> None:
        super().__init__()
        check("FramePredictor", past=past, following=following, channels=channels)
        self.past, self.following = past, following
        self.source_channels = self.channels = channels
        self.network = UNet(past * channels, following * channels, depth, width, norm, dropout="none")
        nn.init.zeros_(self.last_layer)

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        """Clips [B, C, past, H, W] to what follows them, [B, C, following, H, W].

        Raises:
            UserError: they have other frames or channels.
        """
        channels, frames, height, width = source.shape[1:]
        if (frames, channels) != (self.past, self.channels):
            raise UserError(
                f"FramePredictor takes clips of {self.past} frames and {self.channels} channels, but is shown some of "
                f"{frames} and {channels}: set its past and channels and those of data.init_args alike."
            )
        rest = (0, -width % self.network.multiple, 0, -height % self.network.multiple)
        seen = pad(source.flatten(1, 2), rest, mode="replicate")
        change = self.network(seen, label)[..., :height, :width].unflatten(1, (channels, self.following))
        return source[:, :, -1:] + 2 * change  # of values in [-1, 1] the change may be as large

    @property
    def last_layer(self) -> nn.Parameter:
        """The weight of the last convolution."""
        return self.network.last_layer
