"""Video as the house knows it: clips in files, uint8 [B, C, T, H, W] when stored, [-1, 1] in networks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlit.contracts import Modality
from ganlit.data.archive import members_of
from ganlit.data.gathered import without_training
from ganlit.data.images.form import AnyFit, Fit
from ganlit.data.images.form import Form as PictureForm
from ganlit.data.images.modality import resized
from ganlit.data.images.pixels import from_pixels, to_uint8
from ganlit.data.source import BadItem, BadLabels, Labels
from ganlit.data.video.catalogue import open_all, open_source
from ganlit.data.video.check import check
from ganlit.data.video.collection import Seen
from ganlit.data.video.filmstrip import grid
from ganlit.data.video.form import FASTEST, LONGEST, Form, Trained, form_of
from ganlit.data.video.published import SETS
from ganlit.data.video.reading import MOVING
from ganlit.data.video.source import Source, suffix_of
from ganlit.data.video.tree import Shot, Single
from ganlit.data.video.writing import write_gif, write_mp4
from ganlit.data.walk import walked
from ganlit.errors import UserError, within
from ganlit.records.media import Place, write_picture

GLANCE = 2000  # files of a folder at a first look
SHOWN = 128  # side of a clip that is shown,
SHOWN_FRAMES = 128  # and its frames, at most
PLAYED = (3, 4)  # rows and columns of a picture whose clips are beside it to be played: the first ones
USUAL = 25.0  # frames a second of what nobody says how fast it is
LIKELY, UNLIKELY = 0.75, 0.25  # how much GIFs and pictures that are called frames look like clips, and numbered ones


class VideoModality(Modality):
    """Clips, each an MP4 where it is written.

    Args:
        rate: frames a second; None where nobody says it, and what is opened tells it, or else they play at 25.
    """

    name = "video"
    item = "clip"
    axes = "channels, frames, rows, columns"
    shaped_by = "frames, resolution and channels"
    extractor = "frame"

    def __init__(self, rate: float | None = None) -> None:
        within("VideoModality.rate", rate, above=0, most=FASTEST, optional=True)
        self.rate = rate

    @property
    def played(self) -> float:
        """Frames a second."""
        return USUAL if self.rate is None else self.rate

    def to_network(self, stored: Tensor) -> Tensor:
        return from_pixels(stored)

    def to_stored(self, output: Tensor) -> Tensor:
        return to_uint8(output)

    def for_extractor(self, stored: Tensor, wanted: Any = None) -> Tensor:
        """uint8 [B, 3, T, H, W]: grey is repeated.

        Raises:
            UserError: they are neither grey nor RGB.
        """
        if stored.shape[1] not in (1, 3):
            raise UserError(
                f"These clips have {stored.shape[1]} channels, and extractors see grey or RGB: leave out whatever is "
                "measured by an extractor."
            )
        return stored.expand(-1, 3, -1, -1, -1)

    def seconds(self, stored: Tensor) -> float:
        return len(stored) * stored.shape[2] / self.played

    def paced(self, fps: float | None) -> tuple[VideoModality, float]:
        """At other frames a second than those of the training; 25 are taken for them where nobody said how many."""
        if fps is None:
            return self, 1.0
        within("--fps", fps, above=0, most=FASTEST)
        return VideoModality(fps), self.played / fps

    def write(self, stored: Tensor, path: Path, beside: Any = None) -> Path:
        """An MP4, in H.264."""
        return write_mp4(stored, path, self.played)

    def glance(self, stored: Tensor) -> Tensor:
        """The beginning of long ones, and large ones resized."""
        seen = stored[:, :, :SHOWN_FRAMES]
        by = min(1, SHOWN / max(seen.shape[3:]))
        if by == 1:
            return seen
        height, width = (max(1, round(side * by)) for side in seen.shape[3:])
        return torch.stack([resized(clip.transpose(0, 1), height, width).transpose(0, 1) for clip in seen])

    def show(self, rows: Sequence[Tensor], columns: int, path: Path) -> list[Path]:
        """A strip of frames of each in a grid, and a GIF of each of the first, called by its row and column there."""
        picture, films = write_picture(grid(rows, columns), path), list[Path]()
        for number, item in enumerate(item for batch in rows for item in batch):
            row, column = divmod(number, columns)
            if row < PLAYED[0] and column < PLAYED[1]:
                films.append(write_gif(item, Place(path.name, row, column).path(path.parent, ""), self.played))
        return [picture, *films]

    def recognises(self, place: str) -> float:
        path = Path(os.path.expanduser(place))
        if place.strip() and os.path.isdir(path):
            return _share([found.path for found in islice(walked(path), GLANCE)])
        if not os.path.isfile(path):
            return float(place.lower() in SETS)
        if suffix_of(path.name) == ".zip":
            return _share(members_of(path, GLANCE))
        return _likeness(path.name) if suffix_of(path.name) in MOVING else 0.0

    def open(self, place: str, split: str, root: Path, labels: Labels = True) -> Seen:
        """The clips of a folder, a zip or a set by name, whole and as large as they are.

        Args:
            place: as for `check`, and so are the next two.
            split: "train", or what else there is.
            root: where sets known by name lie.
            labels: false does not look at them.
        """
        source = open_source(place, split, root, labels)
        try:
            len(source)  # for which labels are looked at
        except BadLabels:
            return self.open(place, split, root, labels=False)
        kind = self if self.rate is not None else _bound(source, place)
        return Seen(source, Form(PictureForm(1, 3, "any", convert=True), uneven=True), kind)

    def bring(
        self,
        place: Path,
        form: Trained,
        labelled: bool,
        any_size: bool,
        fit: AnyFit | None = None,
        convert: bool = False,
        fps: float | None = None,
        frames: int | None = None,
    ) -> Seen:
        """The clips of a folder, a zip or a film, in the form of a dataset.

        Args:
            place: its path.
            form: of the dataset.
            labelled: whether their classes are wanted.
            any_size: whether they may have any, and be of any length unless their last frames are meant.
            fit: how frames of another size are treated: refused (exact), resized, cropped to the central square and
                resized (crop), set on black (pad), or taken as they are (any). By default, `translate` takes them as
                they are for a network that takes any size; else they are treated as those of the training.
            convert: turn frames of another kind, such as RGB where the training has grey, into that of the training.
            fps: frames a second, those that are shown at even times; by default as in the training.
            frames: of each clip; by default as many as in the training, or all where any length will do.
        """
        within("--fps", fps, above=0, most=FASTEST, optional=True)
        within("--frames", frames, least=1, most=LONGEST, optional=True)
        source, trained = open_all(place, labelled), form.form
        picture = trained.picture
        usual: AnyFit = "any" if any_size else picture.fit
        picture = picture._replace(fit=fit or usual, convert=convert or picture.convert)
        wanted = trained._replace(picture=picture, fps=fps or trained.fps, cut=None)
        kind = VideoModality(None if wanted.fps is None else wanted.fps / form.stride)
        length = frames if frames is not None else None if any_size and not form.end else form.frames
        return Seen(source, wanted, kind, length, form.stride, form.end, options=True)

    def check(
        self,
        place: str,
        split: str,
        root: Path,
        batch: int,
        frames: int | None = None,
        resolution: int | None = None,
        channels: int | None = None,
        fps: float | None = None,
        stride: int = 1,
        fit: Fit = "exact",
        convert: bool = False,
        cut: float | None = None,
        labels: Labels = True,
    ) -> None:
        """Also judges by the options of `Clips`.

        Args:
            place: a folder or a zip of films or numbered pictures, ucf101, sky_timelapse or faceforensics.
            split: "train", or what else there is.
            root: where sets known by name lie.
            batch: clips in a step.
            frames: of a training's windows.
            resolution: side of the frames in pixels; by default that of most clips.
            channels: 3 for RGB, 1 for grey; by default what most clips have.
            fps: frames a second; by default they are taken as they are.
            stride: so many-th frames of a window are taken.
            fit: how frames of another size are treated: exact, resize, crop or pad.
            convert: turn frames of another kind into that of `channels`.
            cut: frames of the pieces that longer clips are cut into.
            labels: false does without labels, renumber numbers the classes of dataset.json anew.
        """
        within("--frames", frames, least=1, most=LONGEST, optional=True)
        within("--stride", stride, least=1, most=LONGEST)
        form = form_of(resolution or 1, channels or 3, fit, convert, fps, None if cut is None else round(cut), "--")
        asked = form._replace(picture=form.picture._replace(resolution=resolution or 0, channels=channels or 0))
        check(place, split, root, batch, asked, frames, stride, labels)


def _bound(source: Source, place: str) -> VideoModality:
    """The kind of what a source holds: with the rate of most clips that tell one."""
    if isinstance(source, Single) and suffix_of(source.files[0]) not in MOVING:
        raise UserError(f"{place} is neither a clip, for it has not the suffix of one, nor a zip: name another.")
    rates = []
    for index in range(len(source)):
        try:
            rates.append(source.header(index).rate)
        except BadItem as bad:
            raise without_training(bad) from None
    known = sorted(rate for rate in rates if rate is not None)
    return VideoModality(known[len(known) // 2] if known else None)


def _share(paths: Sequence[str]) -> float:
    """How much some paths look like those of clips."""
    return sum(map(_likeness, paths)) / max(len(paths), 1)


def _likeness(path: str) -> float:
    if suffix_of(path) in MOVING:
        return LIKELY if suffix_of(path) == ".gif" else 1.0
    shot = Shot.of(path)
    if shot is None:
        return 0.0
    return LIKELY if shot.called.lower().endswith(("frame", "frames")) else UNLIKELY
