"""The discriminators of pix2pixHD, which see an image at several sizes: Wang et al., arXiv 1711.11585, section 3.2."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.contracts import Judgement
from ganlit.errors import UserError
from ganlit.networks.images.convolutions import Norm
from ganlit.networks.images.patchgan import PatchDiscriminator
from ganlit.networks.several import together
from ganlit.networks.sizes import check


class MultiscaleDiscriminator(nn.Module):
    """Discriminators of patches, each of which sees the image at half the size of the one before; labels are ignored.

    Args:
        channels: of what it is shown: 1 for grey images, 3 for colour, more where source and target are joined.
        scales: how many there are.
        field: of each, as in `PatchDiscriminator`, and so are the next two.
        norm: batch or instance normalisation, the latter without weights; or none.
        width: feature maps of the first layer.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self, channels: int = 3, scales: int = 3, field: int = 70, norm: Norm = "instance", width: int = 64
    ) -> None:
        super().__init__()
        check("MultiscaleDiscriminator", scales=scales)
        self.networks = nn.ModuleList(PatchDiscriminator(channels, field, norm, width) for _ in range(scales))

    def forward(self, item: Tensor, label: Tensor) -> Judgement:
        """Images [B, C, H, W] to what each network says of them, that of the full size first.

        Raises:
            UserError: they are too small for the last.
        """
        seen = [item]
        for _ in self.networks[1:]:
            seen.append(F.avg_pool2d(seen[-1], 3, stride=2, padding=1, count_include_pad=False))
        last, shortest = self.networks[-1], min(seen[-1].shape[-2:])
        if shortest < last.smallest:
            raise UserError(
                f"MultiscaleDiscriminator.scales is {len(seen)}, the last of which sees images of {shortest} pixels, "
                f"but field {last.field} takes {last.smallest} or more: set scales or field to less."
            )
        return together(network(image, label) for network, image in zip(self.networks, seen, strict=True))
