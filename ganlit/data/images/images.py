"""Images with or without classes, from a dataset's name, a folder or a zip."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganlit.contracts import Labelled, Reference
from ganlit.data.held import HELD_OUT, chosen, parted, rest, understood
from ganlit.data.images.catalogue import open_source
from ganlit.data.images.decoding import decoded
from ganlit.data.images.depth import Bits, Range
from ganlit.data.images.fitting import LARGEST, MOST
from ganlit.data.images.form import Fit, Form, range_of
from ganlit.data.images.modality import ImageModality
from ganlit.data.images.sides import middle
from ganlit.data.images.tiles import Cut, pictures_of
from ganlit.data.mapped import MappedDataModule
from ganlit.data.source import Labels
from ganlit.data.store import Stored
from ganlit.errors import within


class LabelledImages(Dataset[Labelled]):
    """Gathers whole batches; with flips, item i >= N is item i - N mirrored, so that flips belong to the stream.

    Args:
        images: [M, C, H, W] uint8.
        labels: [M] int64.
        flip: whether there are 2 N items.
        places: [N] int64, of the items among them; all by default.
    """

    def __init__(self, images: Tensor, labels: Tensor, flip: bool = False, places: Tensor | None = None) -> None:
        self.images = images
        self.labels = labels
        self.flip = flip
        self.places = torch.arange(len(images)) if places is None else places

    def __len__(self) -> int:
        return len(self.places) * (2 if self.flip else 1)

    def __getitem__(self, indices: Tensor) -> Labelled:
        places = self.places[indices % len(self.places)]
        images = self.images.index_select(0, places)  # copies whole images, thirty times as fast as images[places]
        mirrored = indices >= len(self.places)
        if mirrored.any():
            images = torch.where(mirrored.view(-1, 1, 1, 1), images.flip(-1), images)
        return Labelled(images, self.labels[places])


class Images(MappedDataModule):
    """Square images of one size, held decoded in mapped memory.

    Those of more than 178 megapixels are refused, as Pillow does, unless $GANLIT_MAX_IMAGE_PIXELS says another number.

    Args:
        source: digits, shapes (whose every factor is known), a class of torchvision.datasets in any case (cifar10), a
            folder, a zip or an .npz. Classes are those of dataset.json, else the sub-folders of a folder.
        resolution: side of the images in pixels.
        channels: 3 for RGB, 1 for grey, 4 to keep alpha, or as many as the files have, in TIFF or NPY.
        split: "train", or what else the source has.
        flip: also show every image mirrored.
        fit: images of another size are refused (exact), resized (resize), cropped to the central square and resized
            (crop), set on black (pad), or cut into squares from the top-left corner (tiles).
        convert: turn images of another kind (grey or RGB, alpha, 16-bit, CMYK) into that of `channels`.
        skip_bad: count, list and leave out images that cannot be used instead of refusing the dataset.
        labels: false does without labels and does not look at them; renumber numbers the classes of dataset.json anew,
            from 0 without gaps, in their order.
        held_out: images that are never trained on, and measured instead of the others: a share of these, such as 0.1,
            chosen once for all seeds; another split of the source, such as test; or a folder or a zip.
        depth: bits of a channel, 8 or 16, or float, as files hold them.
        range: of floats, the lowest and the highest value.
        root: where torchvision's datasets lie or are downloaded to.
        stage: a folder on a disk of each machine itself, such as $TMPDIR: a training copies the decoded pixels there,
            once a machine, and reads the copy; for caches that lie on a file server.
        loading: batch, tick, val_images, test_images and seed, as in `GanDataModule`.

    Raises:
        UserError: the source cannot be used as it is; the sentence names the file and the option that helps.
    """

    modality = ImageModality()  # of 8 bits, until a depth is known

    def __init__(
        self,
        source: str,
        resolution: int,
        channels: int = 3,
        split: str = "train",
        flip: bool = False,
        fit: Fit = "exact",
        convert: bool = False,
        skip_bad: bool = False,
        labels: Labels = True,
        held_out: float | str | None = None,
        depth: Bits = 8,
        range: Range = (0.0, 1.0),
        root: Path = Path("datasets"),
        stage: Path | None = None,
        **loading: Any,
    ) -> None:
        super().__init__(source, stage, **loading)
        within("data.init_args.resolution", resolution, least=1, most=LARGEST)
        self.split = split
        self.root = Path(root)
        within("data.init_args.channels", channels, least=1, most=MOST)
        self.form = Form(resolution, channels, fit, convert, depth, range_of("data.init_args.range", depth, range))
        self.modality = ImageModality(depth, self.form.range)
        self.flip = flip
        self.skip_bad = skip_bad
        self.labels = labels
        self.held_out = understood(held_out)

    def decoded(self) -> Stored:
        return self._decoded(self.source, self.split)

    def others(self) -> dict[str, Stored]:
        if not isinstance(self.held_out, str):
            return {}
        elsewhere = Path(self.held_out).expanduser().exists()
        return {HELD_OUT: self._decoded(*((self.held_out, "train") if elsewhere else (self.source, self.held_out)))}

    def _decoded(self, source: str, split: str) -> Stored:
        return decoded(open_source(source, split, self.root, self.labels), self.form, self.skip_bad)

    @property
    def reference(self) -> Reference:
        if self.held_out is None:
            return self.stored.reference
        return self._held

    @cached_property
    def _held(self) -> Reference:
        if isinstance(self.held_out, str):
            return self.other(HELD_OUT).reference
        return chosen(self.stored.reference, self._parts[1])

    @cached_property
    def _parts(self) -> tuple[Tensor, Tensor]:
        """Places to train on, and those held out, where a share is."""
        return parted(len(self.stored.reference.items), self.held_out, pictures(self.stored))

    def trained_of(self, field: str) -> Reference:
        if self.held_out is None:
            return self.reference_of(field)
        all_of_it = middle(self.stored.reference, self.reference.items.shape[-1])
        return all_of_it if self.trained is None else rest(all_of_it, self.trained)

    def form_of(self, field: str) -> Form:
        return self.form

    @property
    def trained(self) -> Tensor | None:
        """The places [N] int64 of what is trained on among all that is decoded; None for all of it."""
        return self._parts[0] if isinstance(self.held_out, float) else None

    @property
    def dataset(self) -> Dataset:
        return LabelledImages(self.stored.reference.items, self.stored.reference.labels, self.flip, self.trained)

    @property
    def measured(self) -> Dataset:
        if self.held_out is None:
            return self.dataset
        return LabelledImages(self.reference.items, self.reference.labels)


def pictures(stored: Stored) -> Tensor | None:
    """Of which picture each item [N] is a tile; None where none was cut."""
    cuts = [Cut(*each) for each in stored.about.get("tiles", ())]
    return torch.from_numpy(pictures_of(cuts)) if cuts else None
