"""From pixels of any number of channels and any depth to those of a form."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ganlit.data.images.depth import WHITES, Bits
from ganlit.data.images.form import Form
from ganlit.data.images.kind import MODES, Kind
from ganlit.data.images.label_maps import NONE

BAND = 256  # rows of a picture
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R 601-2, as Pillow weighs colours


class Raster:
    """A decoded picture as an array, where Pillow does not hold it.

    Args:
        pixels: [H, W, C] of any type of numbers.
    """

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, as of Pillow's images."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def crop(self, box: tuple[int, int, int, int]) -> Raster:
        """What lies between left, top, right and bottom."""
        left, top, right, bottom = box
        return Raster(self.pixels[top:bottom, left:right])


def raster_of(image: Image.Image, kind: Kind) -> Raster:
    """The same of a picture that Pillow holds."""
    if kind.bits == 8:
        image = image.convert(MODES[kind.channels])
    return Raster(np.atleast_3d(np.asarray(image)))


def planes(image: Image.Image) -> np.ndarray:
    """Pixels [C, H, W] of a picture that Pillow holds, a band at a time: all at once it copies them twice."""
    width, height = image.size
    pixels = np.empty((len(image.getbands()), height, width), np.uint8)
    for top in range(0, height, BAND):
        band = np.atleast_3d(np.asarray(image.crop((0, top, width, min(top + BAND, height)))))
        pixels[:, top : top + BAND] = band.transpose(2, 0, 1)
    return pixels


def rendered(pixels: np.ndarray, kind: Kind, form: Form) -> np.ndarray:
    """Pixels [H, W, C] without objections as [C, R, R]; [C, H, W] where any size fits."""
    if kind.bits == 16 and form.depth != "float":
        pixels = pixels.astype(np.uint16, copy=False)
    pixels = deepened(coloured(pixels, kind, form.channels), kind.bits, form).transpose(2, 0, 1)
    height, width = pixels.shape[1:]
    if form.fit == "any" or height == width == form.resolution:
        return pixels
    if form.fit == "pad":
        return _padded(pixels, form)
    return _resized(pixels, form)


def coloured(pixels: np.ndarray, kind: Kind, channels: int) -> np.ndarray:
    """Pixels [H, W, C] in as many channels: grey repeated, colours weighed, alpha on black, or opaque."""
    if kind.channels == channels:
        return pixels
    white, kept = pixels.dtype.type(WHITES[kind.bits]), channels in (2, 4)
    colours, alpha = pixels[..., : kind.channels - kind.alpha], pixels[..., -1:]
    if kind.alpha and not kept:
        colours = _as_before(colours * (alpha.astype(np.float32) / white), pixels)
    if channels <= 2 < colours.shape[2]:
        colours = _as_before(colours @ LUMA, pixels)[..., None]
    elif channels > 2:
        colours = np.broadcast_to(colours, (*colours.shape[:2], 3))
    if not kept:
        return colours
    return np.concatenate([colours, alpha if kind.alpha else np.full_like(alpha, white)], axis=2)


def _as_before(mixed: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Floats in the type that they are mixed from."""
    return (mixed if pixels.dtype.kind == "f" else np.rint(mixed)).astype(pixels.dtype)


def deepened(pixels: np.ndarray, bits: Bits, form: Form) -> np.ndarray:
    """Pixels as deep as those of a form: values as they lie in its range, upper 8 bits, 8 bits spread over 16."""
    if form.depth == "float":
        low, high = form.range
        above = np.subtract(pixels, low, dtype=np.result_type(pixels, np.float32))
        return np.divide(above, high - low, out=above).astype(np.float32, copy=False)
    if bits == form.depth:
        return pixels
    return (pixels >> 8).astype(np.uint8) if form.depth == 8 else pixels.astype(np.uint16) * 257


def central_square(size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the largest square in the middle of a picture (width, height)."""
    side = min(size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return left, top, left + side, top + side


def _resized(pixels: np.ndarray, form: Form) -> np.ndarray:
    """The central square [C, R, R], each channel by Pillow's filter in floats; of numbers of classes the nearest."""
    side, box = (form.resolution, form.resolution), central_square(pixels.shape[:0:-1])
    images = [Image.fromarray(np.ascontiguousarray(channel, np.float32)) for channel in pixels]
    filtered = Image.Resampling.NEAREST if form.labels else Image.Resampling.LANCZOS
    wide = np.stack([np.asarray(image.resize(side, filtered, box=box)) for image in images])
    whole = wide if form.depth == "float" else np.rint(wide)
    return whole.clip(0, form.white).astype(form.dtype)


def _padded(pixels: np.ndarray, form: Form) -> np.ndarray:
    channels, height, width = pixels.shape
    ground = NONE if form.labels else 0
    canvas = np.full((channels, form.resolution, form.resolution), ground, form.dtype)
    top, left = (form.resolution - height) // 2, (form.resolution - width) // 2
    canvas[:, top : top + height, left : left + width] = pixels
    return canvas
