"""What a picture's file holds beside the colours that networks see, and how it goes back with what is made of these."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image

from ganlit.data.images.depth import WHITES
from ganlit.data.images.fitting import Picture
from ganlit.data.images.form import DTYPES, Form
from ganlit.data.images.kind import GREY, MODES, Kind
from ganlit.data.images.opening import Opened
from ganlit.data.images.rendering import Raster
from ganlit.data.images.source import DAMAGE

LAYOUT = {*range(254, 267), 273, *range(277, 282), 284, 288, 289, 292, 293, 317, 320, *range(322, 326), 330}
LAYOUT |= {*range(338, 348), *range(512, 533), ExifTags.Base.InterColorProfile}
"""Tags by which a TIFF says how its numbers lie: they are not true of another file."""

SIDES = ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight

SPACES = {1: b"GRAY", 2: b"GRAY", 3: b"RGB ", 4: b"RGB "}
"""By the number of channels, what a profile says that it is of."""

OPAQUE = {np.dtype(kind): WHITES[bits] for bits, kind in DTYPES.items()}
"""By the type of numbers, what alpha is where nothing shines through."""


class Beside(NamedTuple):
    """What a file holds beside a picture's colours."""

    exif: Image.Exif | None = None
    profile: bytes = b""  # by the ICC
    alpha: np.ndarray | None = None  # [H, W] uint8, uint16 or float32

    @classmethod
    def of(cls, image: Opened) -> Beside:
        """Of a picture that Pillow has opened, without alpha, which has to be decoded; nothing of another one."""
        if not isinstance(image, Image.Image):
            return cls()
        return cls(_exif(image), image.info.get("icc_profile") or b"")

    def alpha_for(self, pixels: np.ndarray) -> np.ndarray | None:
        """[H, W] of the type and the size of pixels [C, H, W], resized where it has another; None for no alpha."""
        alpha, size = self.alpha, (pixels.shape[2], pixels.shape[1])
        if alpha is None or (alpha.shape == pixels.shape[1:] and alpha.dtype == pixels.dtype):
            return alpha
        wide = Image.fromarray(alpha.astype(np.float32) / OPAQUE[alpha.dtype]).resize(size, Image.Resampling.BICUBIC)
        found = np.asarray(wide).clip(0, 1) * OPAQUE[pixels.dtype]
        return (found if pixels.dtype.kind == "f" else found.round()).astype(pixels.dtype)

    def profile_for(self, pixels: np.ndarray) -> bytes:
        """Empty where it is of other colours than pixels [C, H, W]."""
        return self.profile if self.profile[16:20] == SPACES.get(len(pixels)) else b""

    def exif_for(self, pixels: np.ndarray) -> bytes:
        """From the order of its bytes on, as it is true of pixels [C, H, W] that stand upright."""
        if self.exif is None:
            return b""
        self.exif[ExifTags.Base.Orientation] = 1
        inner = self.exif.get_ifd(ExifTags.IFD.Exif)
        inner |= {tag: side for tag, side in zip(SIDES, pixels.shape[:0:-1], strict=True) if tag in inner}
        try:
            return self.exif.tobytes().removeprefix(b"Exif\0\0")
        except DAMAGE:  # a tag that can be read and not be written
            return b""


NOTHING = Beside()


def apart(picture: Picture, form: Form) -> tuple[Picture, Picture | None]:
    """A picture's colours, straight as they are where nothing is seen of them, and its alpha, if the form has none."""
    kind, image = picture.kind, picture.image
    if not kind.alpha or form.channels in (2, 4):
        return picture, None
    inner = kind._replace(channels=kind.channels - 1, alpha=False)
    if isinstance(image, Raster):
        colours, alpha = Raster(image.pixels[..., :-1]), Raster(image.pixels[..., -1:])
        return picture._replace(image=colours, kind=inner), Picture(alpha, Kind(1, bits=kind.bits))
    image = image.convert(MODES[kind.channels])
    colours = picture._replace(image=image.convert(MODES[inner.channels]), kind=inner)
    return colours, Picture(image.getchannel("A"), GREY)


def _exif(image: Image.Image) -> Image.Exif | None:
    """Its tags, without those that are of this file alone; None where there are none that can be read."""
    try:
        exif = Image.Image.getexif(image)  # of a PNG, its own would decode it
        for tag in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
            exif.get_ifd(tag)  # which is read no more when the file is closed
        for tag in LAYOUT & {*exif}:
            del exif[tag]
    except DAMAGE:
        return None
    return exif or None
