"""Images as the house knows them: pictures in files, [B, C, H, W] of some depth when stored, [-1, 1] in networks."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate, pad
from torchvision.transforms.functional import to_pil_image
from torchvision.utils import make_grid

from ganlit.contracts import Modality
from ganlit.data.archive import members_of
from ganlit.data.images.beside import NOTHING, Beside
from ganlit.data.images.brought import Brought
from ganlit.data.images.catalogue import NAMES, open_all, open_source
from ganlit.data.images.check import check
from ganlit.data.images.depth import Bits, Range
from ganlit.data.images.fitting import LARGEST, MOST
from ganlit.data.images.folder import Folder, Single
from ganlit.data.images.form import AnyFit, Fit, Form, range_of
from ganlit.data.images.opening import ARRAYS
from ganlit.data.images.pictures import Pictures
from ganlit.data.images.pixels import colours, from_pixels, in_8_bits, to_pixels
from ganlit.data.images.source import Source
from ganlit.data.images.writing import write
from ganlit.data.source import BadLabels, Labels
from ganlit.data.walk import walked
from ganlit.errors import UserError, within
from ganlit.records.media import write_picture

PACKED = (".zip", ".npz")
MOVING = re.compile(r"\.gif$|frames?[-_. ]*\d+\.\w+$", re.IGNORECASE)  # what is rather a clip, or a frame of one
PADDING = 2  # pixels between the images of a grid
GLANCE = 2000  # files of a folder at a first look
SHOWN = 512  # side of an image that is shown, at most


class ImageModality(Modality):
    """Images of any number of channels: grey and RGB, and what else cameras and instruments give.

    Args:
        depth: bits of a channel that is made, 8 or 16, or float; what is stored tells its own by its type.
        range: of floats in files, what is stored as 0 and as 1.
    """

    name = "images"
    item = "image"
    axes = "channels, height, width"
    shaped_by = "resolution and channels"
    extractor = "inception"
    tile = 512

    def __init__(self, depth: Bits = 8, range: Range = (0.0, 1.0)) -> None:
        self.depth = depth
        self.range = range

    def to_network(self, stored: Tensor) -> Tensor:
        return from_pixels(stored)

    def to_stored(self, output: Tensor) -> Tensor:
        return to_pixels(output, self.depth)

    def for_extractor(self, stored: Tensor, wanted: Any = None) -> Tensor:
        """Always three channels of 8 bits: grey is repeated, of 16 bits the upper 8 are seen.

        Raises:
            UserError: they are neither grey nor RGB.
        """
        if stored.shape[1] not in (1, 3):
            raise UserError(
                f"These images have {stored.shape[1]} channels, and extractors see grey or RGB: leave out fid and "
                "whatever else is measured by an extractor."
            )
        return in_8_bits(stored).expand(-1, 3, -1, -1)

    def write(self, stored: Tensor, path: Path, beside: Beside | None = None) -> Path:
        """As deep as it is stored: grey, RGB and RGBA of 8 or 16 bits as PNG, all else as TIFF."""
        return write(stored, path, self.range, beside or NOTHING)

    def glance(self, stored: Tensor) -> Tensor:
        """Large ones resized, after every so-and-so-many-th pixel is taken where they are very large."""
        every = max(1, max(stored.shape[2:]) // (4 * SHOWN))
        seen = in_8_bits(stored[..., ::every, ::every])
        by = min(1, SHOWN / max(seen.shape[2:]))
        return resized(seen, *(max(1, round(side * by)) for side in seen.shape[2:]))

    def show(self, rows: Sequence[Tensor], columns: int, path: Path) -> list[Path]:
        """A grid in 8 bits; images of another size are resized, and grey ones repeated where others are in colour.

        Of more channels than three, the first three are shown as red, green and blue; of two, the first as grey.
        """
        seen = [in_8_bits(colours(images)) for images in rows]
        return [write_picture(grid(seen, columns), path)]

    def recognises(self, place: str) -> float:
        path = Path(os.path.expanduser(place))
        if place.strip() and os.path.isdir(path):
            return _share([found.path for found in islice(walked(path), GLANCE)])
        if path.suffix.lower() == ".zip" and (members := members_of(path, GLANCE)):
            return _share(members)
        return float(path.suffix.lower() in PACKED if os.path.isfile(path) else place.lower() in NAMES)

    def open(self, place: str, split: str, root: Path, labels: Labels = True) -> Pictures:
        """The images of a folder, a zip or a dataset by name.

        Labels that are not those of classes, such as poses, are none: whoever measures images rarely asks for them.

        Args:
            place: as for `check`, and so are the next two.
            split: "train", or what else there is.
            root: where torchvision's datasets lie or are downloaded to.
            labels: false does not look at them.
        """
        source = open_source(place, split, root, labels)
        _refuse_others(source, place)
        try:
            len(source)  # for which labels are looked at
        except BadLabels:
            return self.open(place, split, root, labels=False)
        return Pictures(source)

    def bring(
        self,
        place: Path,
        form: Form,
        labelled: bool,
        any_size: bool,
        fit: AnyFit | None = None,
        resolution: int | None = None,
        convert: bool = False,
    ) -> Brought:
        """The images of a folder, a zip or a file, in the form of a dataset, or in another one.

        Args:
            place: its path.
            form: of the dataset.
            labelled: whether their classes are wanted.
            any_size: whether they may have any.
            fit: how images of another size are treated: refused (exact), resized, cropped to the central square and
                resized (crop), set on black (pad), or taken as they are (any). By default, `translate` takes them as
                they are for a network that takes any size, unless --resolution is given; else they are treated as
                those of the training, and taken as they are after one on tiles.
            resolution: side of the images in pixels, instead of that of the training, for networks that take any size.
            convert: turn images of another kind (grey or RGB, 16-bit, CMYK, animated) into that of the training;
                alpha, which `translate` keeps beside them, is composited on black by `encode`.
        """
        within("--resolution", resolution, least=1, most=LARGEST, optional=True)
        source = open_all(place, labelled)
        _refuse_others(source, str(place))
        usual: AnyFit = "any" if form.fit == "tiles" or (any_size and resolution is None) else form.fit
        convert, resolution = convert or form.convert, resolution or form.resolution
        return Brought(source, form._replace(resolution=resolution, fit=fit or usual, convert=convert))

    def check(
        self,
        place: str,
        split: str,
        root: Path,
        batch: int,
        resolution: int | None = None,
        channels: int | None = None,
        fit: Fit = "exact",
        convert: bool = False,
        labels: Labels = True,
        depth: Bits = 8,
        range: Range = (0.0, 1.0),
    ) -> None:
        """Also judges by the options of `Images`.

        Args:
            place: digits, a class of torchvision.datasets, a folder or a zip.
            split: "train", or what else there is.
            root: where torchvision's datasets lie or are downloaded to.
            batch: images in a step.
            resolution: side of the images in pixels; by default that of most pictures.
            channels: 3 for RGB, 1 for grey, 4 and 2 for these with alpha, or how many there are; by default what most
                pictures have.
            fit: how pictures of another size are treated; tiles says how many come out.
            convert: turn pictures of another kind into that of `channels`.
            labels: false does without labels, renumber numbers the classes of dataset.json anew.
            depth: bits of a channel to be stored, 8 or 16, or float.
            range: of floats, the lowest and the highest.
        """
        within("--resolution", resolution, least=1, most=LARGEST, optional=True)
        within("--channels", channels, least=1, most=MOST, optional=True)
        form = Form(resolution or 0, channels or 0, fit, convert, depth, range_of("--range", depth, range))
        check(place, split, root, batch, form, labels)


def _refuse_others(source: Source, place: str) -> None:
    """Refuses what has no name of a picture: a folder without one, or a file."""
    if isinstance(source, Folder) and not any(map(_has_suffix, source.files)):
        if isinstance(source, Single):
            raise UserError(f"{place} is neither an image, for it has not the suffix of one, nor a zip: name another.")
        raise UserError(f"{place} is no folder of images, for no file in it has the suffix of one: name another.")


def _share(paths: Sequence[str]) -> float:
    """How many of some paths are called like pictures; what may be a clip, or the frame of one, counts half."""
    return sum(_has_suffix(path) / (1 + bool(MOVING.search(path))) for path in paths) / max(len(paths), 1)


def _has_suffix(path: str) -> bool:
    """Whether a file is called as pictures are."""
    suffix = os.path.splitext(path)[1].lower()
    return suffix in ARRAYS or suffix in Image.registered_extensions()


def grid(rows: Sequence[Tensor], columns: int) -> Image.Image:
    """Batches uint8 [n, C, H, W], image after image, row by row."""
    channels = max(images.shape[1] for images in rows)
    height, width = max((images.shape[2:] for images in rows), key=torch.Size.numel)
    alike = torch.cat([of_shape(images.cpu(), channels, height, width) for images in rows])
    return to_pil_image(make_grid(alike, nrow=columns, padding=PADDING))


def of_shape(images: Tensor, channels: int, height: int, width: int) -> Tensor:
    """uint8 images [B, 1 or C, h, w] as [B, C, H, W], in the middle of black where their sides are of another ratio."""
    images = images.expand(-1, channels, -1, -1)
    by = min(height / images.shape[2], width / images.shape[3])
    inner = [max(1, round(side * by)) for side in images.shape[2:]]
    above, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    return pad(resized(images, *inner), (left, width - inner[1] - left, above, height - inner[0] - above))


def resized(images: Tensor, height: int, width: int) -> Tensor:
    """uint8 images [B, C, h, w] as [B, C, H, W]."""
    if images.shape[2:] == (height, width):
        return images
    return interpolate(images.float(), (height, width), mode="bilinear", antialias=True).round().to(torch.uint8)
