"""Images written to files as deep as they are stored."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import to_pil_image

from ganlit.data.images.depth import Range
from ganlit.data.images.foreign import library
from ganlit.data.images.objections import Objected
from ganlit.errors import UserError
from ganlit.records.durable import replacing
from ganlit.records.media import PICTURE, named, write_picture

ARRAY = ".tif"
"""Suffix of what no PNG holds."""


def write(stored: Tensor, path: Path, range: Range) -> Path:
    """Writes an image: grey, RGB and RGBA of 8 or 16 bits as PNG, any other number of channels and floats as TIFF.

    Args:
        stored: [C, H, W] uint8, uint16 or float32.
        path: without the suffix.
        range: of floats, what 0 and 1 stand for.

    Returns:
        The file.

    Raises:
        UserError: the package that writes such files is not installed.
    """
    stored = stored.cpu()
    if stored.is_floating_point():
        stored = torch.lerp(*torch.tensor(range, dtype=torch.float64), stored.double()).float()
    bits, pixels = stored.element_size() * 8, np.ascontiguousarray(stored.numpy().transpose(1, 2, 0))
    pictorial = len(stored) in (1, 3, 4)
    if pictorial and bits == 8:
        return write_picture(to_pil_image(stored), path)
    if pictorial and bits == 16 and len(stored) == 1:
        return write_picture(Image.fromarray(pixels[..., 0]), path)
    file = named(path, PICTURE if pictorial and bits == 16 else ARRAY)
    try:
        content = _png(pixels) if file.suffix == PICTURE else _tiff(pixels)
    except Objected as against:
        raise UserError(f"{file} {against.objection.reason}: {against.objection.remedy}.") from None
    with replacing(file, flush=False) as partial:
        partial.write_bytes(content)
    return file


def _png(pixels: np.ndarray) -> bytes:
    return library("imagecodecs").png_encode(pixels)


def _tiff(pixels: np.ndarray) -> bytes:
    content, channels = io.BytesIO(), pixels.shape[2]
    library("tifffile").imwrite(
        content,
        pixels if channels > 1 else pixels[..., 0],
        photometric="rgb" if channels == 3 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        compression="zlib",
        metadata=None,
    )
    return content.getvalue()
