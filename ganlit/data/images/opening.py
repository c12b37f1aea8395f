"""Picture files, opened and not decoded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError

from ganlit.data.images import npy, tiff
from ganlit.data.images.depth import is_deep
from ganlit.data.images.foreign import ORIENTATION, Foreign
from ganlit.data.images.kind import frames_of
from ganlit.data.images.png import Png
from ganlit.data.objections import Objected, Objection

Opened = Image.Image | Foreign

ARRAYS = {".npy", ".npz"}
"""Suffixes of pictures that Pillow does not know."""

OTHERS: dict[bytes, Callable[[IO[bytes]], Foreign]] = {
    npy.MAGIC: npy.Array,
    npy.PACKED: npy.Array,
    **dict.fromkeys(tiff.MAGIC, tiff.Tiff),
}
"""By the first bytes of a file."""


def opened(file: Path | IO[bytes]) -> Opened:
    """A picture in a file, of Pillow's where it holds all channels.

    Raises:
        Objected: nothing can be made of it.
        OSError, SyntaxError, ValueError, ...: whatever the libraries make of damaged data.
    """
    try:
        image = Image.open(file)
    except UnidentifiedImageError:
        content = file.open("rb") if isinstance(file, Path) else file
        try:
            return _foreign(content)
        except BaseException:
            content.close()
            raise
    return tiff.Tiff(image.fp) if _is_one_of_several(image) else image


def whole(image: Opened, channels: int) -> Opened:
    """The same file with all that is in it, where Pillow would cut 16 bits to 8, or take one page for all.

    Args:
        image: as `opened` gives it.
        channels: how many are wanted: as many grey pages are these.

    Raises:
        Objected: Pillow cuts it, and there is nothing else to read it.
    """
    if isinstance(image, Foreign):
        return image
    cut = len(image.getbands()) > 1 and (is_deep(image) or _is_deep_pixmap(image))
    if image.format == "TIFF" and (cut or 1 < channels == frames_of(image)):
        return tiff.Tiff(image.fp)
    if cut and image.format == "PNG":
        return Png(image)
    if cut:
        reason = f"has 16 bits a channel in {image.format}, of which 8 would be read"
        raise Objected(Objection("16-bit", reason, "save it as PNG or TIFF", spare=False))
    return image


def size_of(image: Opened, channels: int) -> tuple[int, int]:
    """Width and height of an opened picture, upright, without decoding it; `channels` as for `Foreign.size`."""
    if isinstance(image, Foreign):
        return image.size(channels)
    # Pillow turns the size of a TIFF itself, and decodes a PNG to look for what stands behind its pixels.
    turned = image.format != "TIFF" and (image.format != "PNG" or "exif" in image.info)
    return image.size[::-1] if turned and image.getexif().get(ORIENTATION, 1) > 4 else image.size


def _is_deep_pixmap(image: Image.Image) -> bool:
    """Whether the largest number of a PPM takes more than 8 bits."""
    return any(tile[0].startswith("ppm") and tile[3][1] > 255 for tile in image.tile)


def _foreign(content: IO[bytes]) -> Foreign:
    content.seek(0)
    first = content.read(max(map(len, OTHERS)))
    for magic, kind in OTHERS.items():
        if first.startswith(magic):
            return kind(content)
    raise UnidentifiedImageError("of no format that is known")


def _is_one_of_several(image: Image.Image) -> bool:
    """Whether Pillow would give the first channel alone, as of a TIFF that keeps each of them apart."""
    samples = image.tag_v2.get(tiff.SAMPLES, 1) if image.format == "TIFF" else 1
    return len(image.getbands()) == 1 < samples
