"""The next frames of a clip from those before: what changes, by a U-Net that sees all of these at once."""

from __future__ import annotations

from torch import Tensor, nn

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
    scale = 1

    def __init__(
        self, past: int, following: int = 1, channels: int = 3, depth: int = 4, width: int = 64, norm: Norm = "batch"
    ) -> None:
        super().__init__()
        check("FramePredictor", past=past, following=following, channels=channels)
        self.past, self.following = past, following
        self.source_channels = self.channels = channels
        self.network = UNet(past * channels, following * channels, depth, width, norm, dropout="none")
        nn.init.zeros_(self.last_layer)

    @property
    def multiple(self) -> int:
        """Of which the sides of frames must be."""
        return self.network.multiple

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        """Clips [B, C, past, H, W] to what follows them, [B, C, following, H, W].

        Raises:
            UserError: they have other frames or channels, or sides that cannot be halved as often.
        """
        channels, frames = source.shape[1:3]
        if (frames, channels) != (self.past, self.channels):
            raise UserError(
                f"FramePredictor takes clips of {self.past} frames and {self.channels} channels, but is shown some of "
                f"{frames} and {channels}: set its past and channels and those of data.init_args alike."
            )
        change = self.network(source.flatten(1, 2), label).unflatten(1, (channels, self.following))
        return source[:, :, -1:] + 2 * change  # of values in [-1, 1] the change may be as large

    @property
    def last_layer(self) -> nn.Parameter:
        """The weight of the last convolution."""
        return self.network.last_layer
