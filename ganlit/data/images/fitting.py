"""From a picture as it comes to uint8 [C, R, R]: what is refused, and with which option it fits."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from ganlit.data.images.depth import WHITE, Depth, depth_of, is_deep, upper_bits

LARGEST = 2**14  # side of the images in pixels

Fit = Literal["exact", "resize", "crop", "pad"]
AnyFit = Literal[Fit, "any"]
Kind = Literal["grey", "RGB", "alpha", "16-bit", "float", "CMYK"]

_KINDS: dict[str, Kind] = {"1": "grey", "L": "grey", "RGB": "RGB", "P": "RGB", "YCbCr": "RGB", "F": "float"}


class Form(NamedTuple):
    """The form that every picture of a dataset is brought into.

    Another size is refused (exact), resized, cropped to the central square and resized, set on black (pad), or left as
    it is (any), which only some networks take. Where `convert` is set, other kinds become grey or RGB: repeated,
    weighted, composited on black, cut to the upper 8 bits.
    """

    resolution: int
    channels: int  # 1 or 3
    fit: AnyFit = "exact"
    convert: bool = False

    @property
    def kind(self) -> Kind:
        return "grey" if self.channels == 1 else "RGB"


class Picture(NamedTuple):
    """A decoded picture, upright, and what its pixels are."""

    image: Image.Image
    kind: Kind
    depth: Depth | None = None  # of 16 bits


class Objection(NamedTuple):
    """Why a picture does not fit: the `topic` groups reports, the rest completes the sentence "cat.png ..."."""

    topic: str
    reason: str
    remedy: str
    spare: bool = True  # whether to leave it out is advice: what is whole is rather mended


def look(image: Image.Image) -> Picture:
    """Decodes a picture that Pillow has opened.

    Raises:
        OSError, SyntaxError, ValueError, ...: whatever Pillow makes of damaged data.
    """
    deep = is_deep(image)
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    if deep:
        return Picture(image, "16-bit", depth_of(image))
    if image.has_transparency_data:
        return Picture(image, "alpha")
    return Picture(image, _KINDS.get(image.mode, "CMYK"))


def objection(size: tuple[int, int], kind: Kind, form: Form, depth: Depth | None = None) -> Objection | None:
    """What keeps a picture of this size (width, height), kind and depth from the form, if anything does."""
    if kind == "float":
        return Objection("float", "holds floating-point pixels", "save it with 8 bits a channel", spare=False)
    if depth is not None and not depth.fits:
        return _not_16_bits(depth)
    if kind != form.kind and not form.convert:
        return _wrong_kind(kind, form)
    if 0 in size:
        return Objection("size", "has no pixels", "remove it")
    width, height = size
    shape, wanted = f"is {width}x{height}", f"{form.resolution}x{form.resolution}"
    if form.fit == "exact" and size != (form.resolution, form.resolution):
        fitting = "fit: crop" if width != height else "fit: resize"
        if max(size) < form.resolution:
            fitting = f"fit: pad or {fitting}"
        return Objection("size", f"{shape}, not {wanted}", f"set {fitting}")
    if form.fit == "resize" and width != height:
        return Objection("size", f"{shape}, not square", "set fit: crop")
    if form.fit == "pad" and max(size) > form.resolution:
        fitting = "crop" if width != height else "resize"
        return Objection("size", f"{shape}, larger than {wanted}", f"set fit: {fitting}")
    return None


def render(picture: Picture, form: Form) -> np.ndarray:
    """The pixels [C, R, R] uint8 of a picture without objections; [C, H, W] where any size fits."""
    image = of_kind(picture, form)
    resolution = form.resolution
    if form.fit != "any" and image.size != (resolution, resolution):
        if form.fit == "pad":
            image = _padded(image, resolution)
        else:
            # Lanczos is antialiased in Pillow, and what the StyleGAN datasets were resized with.
            image = image.resize((resolution, resolution), Image.Resampling.LANCZOS, box=_central_square(image.size))
    pixels = np.asarray(image)
    return pixels[None] if form.channels == 1 else pixels.transpose(2, 0, 1)


def _not_16_bits(depth: Depth) -> Objection:
    if not depth.held:
        reason, why = f"holds values from {depth.lowest} to {depth.highest}", f"16 bits hold 0 to {WHITE}"
    else:
        reason = f"has 16 bits a channel, of which the pictures here use values up to {depth.brightest} of {WHITE}"
        why = "cut to 8 bits all would be nearly black"
    return Objection("range of values", reason, f"scale all to 8 bits yourself, for {why}", spare=False)


def _wrong_kind(kind: Kind, form: Form) -> Objection:
    if kind == "16-bit":
        return Objection(kind, "has 16 bits a channel", "save it with 8, or set convert: true to keep the upper 8")
    if kind == "alpha":
        return Objection(kind, "has an alpha channel", "flatten it, or set convert: true to composite it on black")
    if kind == "CMYK":
        return Objection(kind, "is in CMYK or another print colour space", "save it as RGB, or set convert: true")
    other = 1 if kind == "grey" else 3
    return Objection(
        "grey beside RGB" if form.channels == 3 else "RGB beside grey",
        f"is {kind} while channels is {form.channels}",
        f"set channels: {other} if all are {kind}, else convert: true",
    )


def of_kind(picture: Picture, form: Form) -> Image.Image:
    image = picture.image
    if image.mode.startswith("I"):
        image = upper_bits(image)
    if picture.kind == "alpha" or image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return image.convert("L" if form.channels == 1 else "RGB")


def _central_square(size: tuple[int, int]) -> tuple[int, int, int, int]:
    side = min(size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return left, top, left + side, top + side


def _padded(image: Image.Image, resolution: int) -> Image.Image:
    canvas = Image.new(image.mode, (resolution, resolution))
    canvas.paste(image, ((resolution - image.width) // 2, (resolution - image.height) // 2))
    return canvas
