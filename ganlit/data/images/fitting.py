"""From a picture as it comes to pixels [C, R, R]: what is refused, and with which option it fits."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from ganlit.data.images.depth import WHITE, Bits, Depth, Range, depth_of, is_deep, upper_bits, values_of
from ganlit.data.images.foreign import Foreign
from ganlit.data.images.form import AnyFit, Fit, Form
from ganlit.data.images.kind import MODES, Kind, frames_of, kind_of
from ganlit.data.images.label_maps import numbered, values, wrong_numbers
from ganlit.data.images.opening import Opened, whole
from ganlit.data.images.rendering import Raster, central_square, planes, raster_of, rendered
from ganlit.data.objections import Objection

LARGEST = 2**14  # side of the images in pixels
MOST = 2**10  # channels


class Picture(NamedTuple):
    """A decoded picture, upright, and what its pixels are."""

    image: Image.Image | Raster
    kind: Kind
    depth: Depth | None = None  # where there are more than 8 bits, or values count as they are


def look(image: Opened, form: Form | None = None) -> Picture:
    """Decodes a picture that has been opened.

    Args:
        image: see `opened`.
        form: the one that it shall have; where it is not known, or plain, Pillow alone has a look where it can.

    Raises:
        Objected: nothing can be made of it.
        OSError, SyntaxError, ValueError, ...: whatever the libraries make of damaged data.
    """
    deep = form is not None and not form.plain
    if deep:
        image = whole(image, form.channels)
    if isinstance(image, Foreign):
        pixels, kind = image.read(form.channels if form else None)
        return Picture(Raster(pixels), kind, _values(pixels, form))
    many, frames = is_deep(image), frames_of(image)
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    if form is not None and form.labels:
        image = numbered(image)
    kind = kind_of(image, many, frames)
    if not deep:
        return Picture(image, kind, depth_of(image) if many else None)
    raster = raster_of(image, kind)
    return Picture(raster, kind, _values(raster.pixels, form))


def objection(size: tuple[int, int], kind: Kind, form: Form, depth: Depth | None = None) -> Objection | None:
    """What keeps a picture of this size (width, height), kind and depth from the form, if anything does."""
    wrong = wrong_numbers(kind, form.labels, depth) if form.labels else _wrong_values(kind, form, depth)
    return wrong or _wrong_kind(kind, form) or _wrong_size(size, form.fit, form.resolution)


def render(picture: Picture, form: Form) -> np.ndarray:
    """The pixels [C, R, R] of a picture without objections; [C, H, W] where any size fits."""
    if isinstance(picture.image, Raster):
        return rendered(picture.image.pixels, picture.kind, form)
    image = _of_kind(picture, form)
    resolution = form.resolution
    if form.fit != "any" and image.size != (resolution, resolution):
        if form.fit == "pad":
            image = _padded(image, resolution)
        else:
            # Lanczos is antialiased in Pillow, and what the StyleGAN datasets were resized with.
            image = image.resize((resolution, resolution), Image.Resampling.LANCZOS, box=central_square(image.size))
    return planes(image)


def _values(pixels: np.ndarray, form: Form | None) -> Depth:
    return values_of(values(pixels) if form is not None and form.labels else pixels)


def _wrong_values(kind: Kind, form: Form, depth: Depth | None) -> Objection | None:
    if form.depth == "float":
        return None if depth is None else _out_of_range(depth, form.range)
    if kind.bits == "float":
        remedy = f"save it with {form.depth} bits a channel, or train with depth: float"
        return Objection("float", "holds floating-point pixels", remedy, spare=False)
    if kind.bits == 8:
        return None
    if depth is not None and not depth.fits:
        return _not_16_bits(depth, form.depth)
    if form.depth == 8 and not form.convert:
        remedy = "save it with 8, set convert: true to keep the upper 8, or depth: 16 to keep all"
        return Objection("16-bit", "has 16 bits a channel", remedy)
    return None


def _out_of_range(depth: Depth, range: Range) -> Objection | None:
    if not (math.isfinite(depth.lowest) and math.isfinite(depth.highest)):
        return Objection("not finite", "holds values that are not finite", "replace it")
    if range[0] <= depth.lowest and depth.highest <= range[1]:
        return None
    reason = f"holds values from {depth.lowest:g} to {depth.highest:g}, outside of the range {list(range)}"
    return Objection("range of values", reason, "train with a range that holds those of all", spare=False)


def _not_16_bits(depth: Depth, wanted: Bits) -> Objection:
    if not depth.held:
        reason, why = f"holds values from {depth.lowest} to {depth.highest}", f"16 bits hold 0 to {WHITE}"
    else:
        reason = f"has 16 bits a channel, of which the pictures here use values up to {depth.brightest} of {WHITE}"
        why = "cut to 8 bits all would be nearly black" if wanted == 8 else "all would be nearly black"
    floats = f"train with depth: float and range: [{min(0, depth.lowest)}, {max(depth.brightest, depth.highest)}]"
    remedy = f"scale all to {wanted} bits yourself, for {why}, or {floats}"
    return Objection("range of values", reason, remedy, spare=False)


def _wrong_kind(kind: Kind, form: Form) -> Objection | None:
    wanted = Kind(form.channels, form.channels in (2, 4))
    if not (kind.pictorial and wanted.pictorial) and kind.channels != form.channels:
        reason = f"has {kind.channels} channel{'s' if kind.channels > 1 else ''}, not {form.channels}"
        return Objection("channels", reason, f"train with channels: {kind.channels}, or save {form.channels} of them")
    if form.convert:
        return None
    if kind.frames > 1:
        remedy = "save one of them, or set convert: true to take the first"
        return Objection("animated", f"holds {kind.frames} frames", remedy)
    if kind.print:
        return Objection("CMYK", "is in CMYK or another print colour space", "save it as RGB, or set convert: true")
    if kind.channels == form.channels:
        return None
    if kind.alpha:
        remedy = f"flatten it, or set convert: true to composite it on black, or channels: {kind.channels} to keep it"
        return Objection("alpha", "has an alpha channel", remedy)
    return Objection(
        f"{kind.colours} beside {wanted.colours}",
        f"is {kind.colours} while channels is {form.channels}",
        f"set channels: {kind.channels} if all are {kind.colours}, else convert: true",
    )


def _wrong_size(size: tuple[int, int], fit: Fit | AnyFit, resolution: int) -> Objection | None:
    if 0 in size:
        return Objection("size", "has no pixels", "remove it")
    width, height = size
    shape, wanted = f"is {width}x{height}", f"{resolution}x{resolution}"
    if fit == "exact" and size != (resolution, resolution):
        fitting = "fit: crop" if width != height else "fit: resize"
        if max(size) < resolution:
            fitting = f"fit: pad or {fitting}"
        return Objection("size", f"{shape}, not {wanted}", f"set {fitting}")
    if fit == "resize" and width != height:
        return Objection("size", f"{shape}, not square", "set fit: crop")
    if fit == "pad" and max(size) > resolution:
        fitting = "crop" if width != height else "resize"
        return Objection("size", f"{shape}, larger than {wanted}", f"set fit: {fitting}")
    if fit == "tiles" and min(size) < resolution:
        return Objection(
            "size", f"{shape}, smaller than a tile of {wanted}", f"lower resolution to {min(size)} or less"
        )
    return None


def _of_kind(picture: Picture, form: Form) -> Image.Image:
    image = picture.image
    if image.mode.startswith("I"):
        image = upper_bits(image)
    if picture.kind.print:
        image = image.convert("RGB")  # Pillow makes no grey of some
    if picture.kind.alpha or image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    mode = MODES[form.channels]
    return image if image.mode == mode else image.convert(mode)  # which copies it, large as it may be


def _padded(image: Image.Image, resolution: int) -> Image.Image:
    canvas = Image.new(image.mode, (resolution, resolution))
    canvas.paste(image, ((resolution - image.width) // 2, (resolution - image.height) // 2))
    return canvas
