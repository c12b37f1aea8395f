"""What is saved from the page: into one folder, under names that are new."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from torch import Tensor

from ganlit.data.video.writing import write_frames
from ganlit.errors import UserError
from ganlit.records.media import named
from ganlit.studies.evaluation.latents import SUFFIX, About, Values, write
from ganlit.studies.evaluation.outputs import make_room, writing
from ganlit.studies.evaluation.trained import digest_of
from ganlit.studies.explore.job import Job
from ganlit.studies.explore.studio import Drawn
from ganlit.studies.latent.paths import along, usual
from ganlit.studies.latent.subject import Subject

STEPS = 24  # frames from one item to the next
RATE = 25.0  # of them a second
KEYS = 16  # items of a film, at most


class Keeper:
    """Writes into a folder, which may hold anything, and replaces nothing there.

    Args:
        subject: whose items these are.
        folder: None for nowhere.

    Raises:
        UserError: nothing can be written there.
    """

    def __init__(self, subject: Subject, folder: str | None) -> None:
        self.subject = subject
        self.folder = None if folder is None else Path(folder)
        if self.folder is not None:
            make_room(self.folder, self.folder, "--out")

    def picture(self, drawn: Drawn, stem: str) -> list[Path]:
        """The file of an item."""
        with self._new(stem, ["", ".png", ".tif"]) as path:
            return [self.subject.kind.write(drawn.stored[0], path)]

    def latent(self, drawn: Drawn, stem: str) -> list[Path]:
        """The file of an item's latent, as `encode` writes those of many."""
        about = About("latents", [stem], self.subject.run, digest_of(self.subject.generator))
        with self._new(stem, [SUFFIX]) as path:
            write(about, Values(drawn.latent.float().cpu(), drawn.label.cpu()), file := named(path, SUFFIX))
        return [file]

    def film(self, items: Sequence[Drawn], stem: str, job: Job[list[Path]]) -> list[Path]:
        """A film of the way from item to item and back: a GIF, and an MP4 where PyAV is there.

        Raises:
            UserError: there are less than two, or in z their classes differ.
        """
        path, label = way(self.subject, items)
        advance, frames = job.counted("Drawing the film", len(path)), []
        for latent, of in zip(path.split(1), label.split(1), strict=True):
            frames.append(self.subject.made(latent, of))
            advance(1)
        with self._new(stem, [".gif", ".mp4"]) as file:
            return write_frames(torch.cat(frames), file, RATE)

    @contextmanager
    def _new(self, stem: str, suffixes: Sequence[str]) -> Iterator[Path]:
        """A path without its suffix that is nobody's with any of these, also if another process looks for one now."""
        if self.folder is None:
            raise UserError("There is no place to save to: start explore with --out FOLDER.")
        with writing("--out", self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            path, number = self.folder / stem, 1
            while (mark := _taken(path, suffixes)) is None:
                number += 1
                path = self.folder / f"{stem}-{number}"
            try:
                yield path
            finally:
                mark.unlink(missing_ok=True)


def _taken(path: Path, suffixes: Sequence[str]) -> Path | None:
    """A mark that says that a name is somebody's; None where it already was."""
    mark = path.with_name(f".{path.name}.taken")
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return None
    if any(os.path.lexists(named(path, suffix)) for suffix in suffixes):
        with suppress(OSError):
            mark.unlink()
        return None
    return mark


def way(subject: Subject, items: Sequence[Drawn]) -> tuple[Tensor, Tensor]:
    """The latents [T, L, d] and labels [T] of a film that ends where it began: a spline of styles, great circles in z.

    Raises:
        UserError: there are less than two items, or in z their classes differ.
    """
    if len(items) < 2:
        raise UserError("A film goes from item to item: pin two of them or more.")
    label = torch.cat([each.label for each in items])
    if subject.space == "z" and subject.known > 1 and len(label.unique()) > 1:
        raise UserError("In z nothing lies between two classes: pin items of one class for a film.")
    rows = max(each.latent.shape[1] for each in items)
    keys = torch.cat([each.latent.expand(-1, rows, -1) for each in items])
    return along(keys, label, STEPS, True, usual(subject.space))
