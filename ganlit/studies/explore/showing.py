"""Stored images as pages take them in."""

from __future__ import annotations

from io import BytesIO

from torch import Tensor
from torchvision.transforms.functional import to_pil_image

from ganlit.contracts import Modality
from ganlit.data.images.pixels import colours, in_8_bits
from ganlit.records.media import data_uri


def shown(stored: Tensor, kind: Modality) -> str:
    """The first of stored images [N, C, H, W], no larger than its kind shows them, as an address that holds it."""
    return address(in_8_bits(kind.glance(colours(stored[:1])))[0])


def address(pixels: Tensor) -> str:
    """An image uint8 [C, H, W] as the address of itself, so that no page has to ask for it."""
    content = BytesIO()
    to_pil_image(pixels).save(content, "PNG", compress_level=1)  # it goes no further than to a page on this machine
    return data_uri(content.getvalue())
