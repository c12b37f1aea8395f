"""Images written to files as deep as they are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganlit.data.images.beside import NOTHING, Beside
from ganlit.data.images.depth import Range
from ganlit.data.images.foreign import library
from ganlit.data.images.packed import png
from ganlit.data.objections import Objected
from ganlit.errors import UserError
from ganlit.records.durable import replacing
from ganlit.records.media import PICTURE, named

ARRAY = ".tif"
"""Suffix of what no PNG holds."""


def write(stored: Tensor, path: Path, range: Range, beside: Beside = NOTHING) -> Path:
    """Writes an image: grey, RGB and RGBA of 8 or 16 bits as PNG, any other number of channels and floats as TIFF.

    Args:
        stored: [C, H, W] uint8, uint16 or float32, in memory or mapped.
        path: without the suffix.
        range: of floats, what 0 and 1 stand for.
        beside: what the file holds that it was made of; alpha goes behind grey and RGB, and TIFF keeps no EXIF.

    Returns:
        The file.

    Raises:
        UserError: the package that writes such files is not installed.
    """
    stored = stored.cpu()
    alpha = beside.alpha_for(stored.numpy()) if len(stored) in (1, 3) else None
    if stored.is_floating_point():
        stored = torch.lerp(*torch.tensor(range, dtype=torch.float64), stored.double()).float()
    pixels, profile = stored.numpy(), beside.profile_for(stored.numpy())
    pictorial = len(pixels) in (1, 3, 4) and pixels.dtype.kind == "u"
    file = named(path, PICTURE if pictorial else ARRAY)
    with replacing(file, flush=False) as partial:
        if pictorial:
            with partial.open("wb") as content:
                content.writelines(png(pixels, alpha, profile, beside.exif_for(pixels)))
        else:
            _write_tiff(file, partial, pixels, alpha, profile)
    return file


def _write_tiff(file: Path, partial: Path, pixels: np.ndarray, alpha: np.ndarray | None, profile: bytes) -> None:
    try:
        imwrite = library("tifffile").imwrite
    except Objected as against:
        raise UserError(f"{file} {against.objection.reason}: {against.objection.remedy}.") from None
    photometric = "rgb" if len(pixels) == 3 else "minisblack"
    pixels = pixels if alpha is None else np.concatenate([pixels, alpha[None]])
    imwrite(
        partial,
        np.ascontiguousarray(pixels.transpose(1, 2, 0)) if len(pixels) > 1 else pixels[0],
        photometric=photometric,
        planarconfig="contig" if len(pixels) > 1 else None,
        extrasamples=None if alpha is None else ["unassalpha"],
        iccprofile=profile or None,
        compression="zlib",
        metadata=None,
    )
