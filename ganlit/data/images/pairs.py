"""Images with what is to be made of them: in pairs, or as two sides of which nobody knows what belongs together."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any

from ganlit.contracts import Pair, Reference
from ganlit.data.held import HELD_OUT, chosen, parted, rest, understood
from ganlit.data.images.catalogue import open_source
from ganlit.data.images.decoding import decoded
from ganlit.data.images.depth import Bits, Range
from ganlit.data.images.fitting import LARGEST, MOST
from ganlit.data.images.form import Fit, Form, range_of
from ganlit.data.images.images import pictures
from ganlit.data.images.label_maps import NONE
from ganlit.data.images.label_modality import LabelMaps
from ganlit.data.images.modality import ImageModality
from ganlit.data.images.partners import halves, partners
from ganlit.data.images.sides import Drawn, Sides, middle
from ganlit.data.images.source import Source
from ganlit.data.mapped import TRAINED, MappedDataModule
from ganlit.data.source import BadItem
from ganlit.data.store import Stored
from ganlit.errors import UserError, within

Both = tuple[Source, Source]
Elsewhere = str | tuple[str, str]
SIDES = ("source", "target")
SOURCES = "sources of "
"""Before the name of the targets that they belong to, among all that is decoded."""


class TwoSided(MappedDataModule):
    """Sources and targets, each side decoded into mapped memory.

    Args:
        source: a folder or a zip, or a dataset's name.
        target: the same of what is to be made.
        resolution: side of the targets in pixels, as networks see them.
        source_resolution: the same of the sources, where it is another one.
        channels: of the targets: 3 for RGB, 1 for grey, or as in `Images`.
        source_channels: the same of the sources, where it is another number.
        source_labels: of how many classes the pixels of sources hold the numbers, where they are maps of labels: grey
            or palette pictures, with 255 where there is none. Networks see a channel for each.
        tile: side of the targets as they are kept, of which training shows random windows and validations the middle,
            as pix2pix's jitter does with 286 and 256; as large as resolution by default.
        swap: make sources of targets.
        split: "train", or what else the places have.
        flip: also show all of it mirrored.
        fit: images of another size are refused (exact), resized (resize), cropped to the central square and resized
            (crop), or set on black (pad).
        convert: turn images of another kind (grey or RGB, alpha, 16-bit, CMYK) into that of `channels`.
        held_out: what is never trained on, and measured instead of the rest: a share, such as 0.1, chosen once for all
            seeds; another split, such as test; or the places of other sources and targets, two or, of pairs in one
            picture, one.
        depth: bits of a channel, 8 or 16, or float, of both sides.
        range: of floats, the lowest and the highest value.
        root: where torchvision's datasets lie or are downloaded to.
        stage: a folder on a disk of each machine itself, as in `Images`.
        loading: batch, tick, val_images, test_images and seed, as in `GanDataModule`.

    Raises:
        UserError: a place cannot be used as it is; the sentence names the file and the option that helps.
    """

    modality = ImageModality()

    def __init__(
        self,
        source: str,
        resolution: int,
        target: str | None = None,
        source_resolution: int | None = None,
        channels: int = 3,
        source_channels: int | None = None,
        source_labels: int | None = None,
        tile: int | None = None,
        swap: bool = False,
        split: str = "train",
        flip: bool = False,
        fit: Fit = "exact",
        convert: bool = False,
        held_out: float | Elsewhere | None = None,
        depth: Bits = 8,
        range: Range = (0.0, 1.0),
        root: Path = Path("datasets"),
        stage: Path | None = None,
        **loading: Any,
    ) -> None:
        super().__init__(source, stage, **loading)
        within("data.init_args.resolution", resolution, least=1, most=LARGEST)
        within("data.init_args.tile", tile, least=resolution, most=LARGEST, optional=True)
        self.scale = resolution // (source_resolution or resolution)
        if source_resolution is not None and source_resolution * self.scale != resolution:
            raise UserError(
                f"data.init_args.source_resolution is {source_resolution}, of which {resolution} is no multiple: set "
                "it to a part of data.init_args.resolution."
            )
        kept = tile or resolution
        if kept % self.scale:
            raise UserError(f"data.init_args.tile is {kept}: set it to a multiple of {self.scale}.")
        self.target = target
        self.resolution = resolution
        for key, count in {"channels": channels, "source_channels": source_channels}.items():
            within(f"data.init_args.{key}", count, least=1, most=MOST, optional=True)
        form = Form(kept, channels, fit, convert, depth, range_of("data.init_args.range", depth, range))
        self.form = form
        self.source_form = form._replace(resolution=kept // self.scale, channels=source_channels or channels)
        self.modality = self.source_modality = ImageModality(depth, form.range)
        if source_labels is not None:
            within("data.init_args.source_labels", source_labels, least=1, most=NONE)
            if source_channels is not None:
                raise UserError(
                    "data.init_args.source_channels is of no use beside source_labels, of which each has one: leave it "
                    "out."
                )
            self.source_form = Form(kept // self.scale, 1, fit, labels=source_labels)
            self.source_modality = LabelMaps(source_labels)
        self.held_out: float | Elsewhere | None = understood(held_out)
        self.swap, self.split, self.flip, self.root = swap, split, flip, Path(root)

    @abstractmethod
    def sides(self, source: str, target: str | None, split: str) -> Both:
        """Both sides of one dataset."""

    def decoded(self) -> Stored:
        return whole(self._opened[TRAINED][1], self.form)

    def others(self) -> dict[str, Stored]:
        found = {f"{SOURCES}{name}": whole(sides[0], self.source_form) for name, sides in self._opened.items()}
        return found | {name: whole(sides[1], self.form) for name, sides in self._opened.items() if name != TRAINED}

    @cached_property
    def _opened(self) -> dict[str, Both]:
        """The sides of each part, sources first."""
        found = {TRAINED: self.sides(self.source, self.target, self.split)}
        if isinstance(self.held_out, str):
            elsewhere = self.target is None and Path(self.held_out).expanduser().exists()
            place = (self.held_out, None, "train") if elsewhere else (self.source, self.target, self.held_out)
            found[HELD_OUT] = self.sides(*place)
        elif isinstance(self.held_out, tuple):
            found[HELD_OUT] = self.sides(*self.held_out, "train")
        return {name: sides[::-1] if self.swap else sides for name, sides in found.items()}

    @property
    def _parts(self) -> tuple[Stored, Stored]:
        """Sources and targets that are trained on."""
        return self.other(f"{SOURCES}{TRAINED}"), self.stored

    @cached_property
    def _places(self) -> list[tuple[Any, Any]]:
        """Of each side the places to train on, and those held out; None for all of them."""
        if not isinstance(self.held_out, float):
            return [(None, None)] * 2
        return [parted(len(side.reference.items), self.held_out, pictures(side)) for side in self._parts]

    @cached_property
    def _real(self) -> tuple[Reference, Reference]:
        """What is measured of each side."""
        if self.held_out is None:
            sides = [side.reference for side in self._parts]
        elif isinstance(self.held_out, float):
            sides = [chosen(side.reference, held) for side, (_, held) in zip(self._parts, self._places, strict=True)]
        else:
            sides = [self.other(name).reference for name in (f"{SOURCES}{HELD_OUT}", HELD_OUT)]
        return tuple(middle(side, window) for side, window in zip(sides, self._windows, strict=True))

    @property
    def _windows(self) -> tuple[int, int]:
        """Sides of what is shown of sources and targets."""
        return self.resolution // self.scale, self.resolution

    @property
    def reference(self) -> Reference:
        return self._real[1]

    def reference_of(self, field: str) -> Reference:
        return self._real[SIDES.index(field)]

    def trained_of(self, field: str) -> Reference:
        if self.held_out is None:
            return self.reference_of(field)
        side = SIDES.index(field)
        all_of_it, places = middle(self._parts[side].reference, self._windows[side]), self._places[side][0]
        return all_of_it if places is None else rest(all_of_it, places)

    @property
    def trained_on(self) -> Reference:
        return max(map(self.trained_of, reversed(SIDES)), key=lambda real: len(real.items))

    @property
    def dataset(self) -> Sides:
        sources, targets = (side.reference for side in self._parts)
        places = tuple(places[0] for places in self._places)
        options = {"places": places, "seed": self.seed, "paired": self.in_pairs}
        return Sides(sources.items, targets.items, sources.labels, self.resolution, self.flip, **options)

    @property
    def measured(self) -> Sides:
        sources, targets = self._real
        return Sides(sources.items, targets.items, sources.labels, paired=self.in_pairs, seed=self.seed, fixed=True)

    def form_of(self, field: str) -> Form:
        return self.source_form if field == "source" else self.form

    def modality_of(self, field: str) -> ImageModality | None:
        return self.source_modality if field == "source" else super().modality_of(field)

    def to_network(self, batch: Drawn) -> Pair:
        return Pair(self.source_modality.to_network(batch.source), self.modality.to_network(batch.target), batch.label)


def whole(side: Source, form: Form) -> Stored:
    """A side in which no picture may be left out, for that is what pairs it with the other one.

    Raises:
        UserError: a picture cannot be used.
    """
    try:
        return decoded(side, form)
    except BadItem as bad:
        raise UserError(f"{bad.title} {bad.reason}: {bad.remedy}.") from None


class Pairs(TwoSided):
    """Aligned images: two halves of one picture, as pix2pix keeps them, or files of one path in two places.

    Without `target`, the left half of each picture is the source and the right one the target.
    """

    def sides(self, source: str, target: str | None, split: str) -> Both:
        if target is None:
            return halves(open_source(source, split, self.root, labels=False))
        both = [open_source(place, split, self.root, labels=False) for place in (source, target)]
        return partners(*both, self.form, self.scale)


class Unpaired(TwoSided):
    """Two sides of which nobody knows what belongs together, and which need not have as many images.

    Each pass shows all of the larger side; beside a source stands any target.
    """

    in_pairs = False

    def sides(self, source: str, target: str | None, split: str) -> Both:
        if target is None:
            raise UserError(f"data.init_args.target is missing: name the place of what {source} is to be made into.")
        return tuple(open_source(place, split, self.root, labels=False) for place in (source, target))
