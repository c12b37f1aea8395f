"""A folder of images, whose sub-folders are its classes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from PIL import Image

from ganlit.data.images.source import BadPicture, Source, fingerprint_of
from ganlit.errors import UserError

SPLITS = {"train", "val", "valid", "validation", "test"}


class Folder(Source):
    """Every file of a folder and its sub-folders, sorted by path; hidden ones are passed over.

    Sub-folders of the first level are the classes, sorted by name; without any, there are no labels. A folder of
    nothing but splits (train, val, ...) stands for the one of `split`.

    Raises:
        UserError: there is no such split, or not a single file.
    """

    def __init__(self, folder: Path, split: str = "train") -> None:
        self.name = folder.resolve().name
        splits = {child.name for child in folder.iterdir() if not child.name.startswith(".")}
        if splits and splits <= SPLITS:
            if split not in splits:
                raise UserError(f"{folder} has no split {split}: set split to one of {', '.join(sorted(splits))}.")
            folder, self.name = folder / split, f"{self.name}-{split}"
        elif split != "train":
            raise UserError(f"{folder} has no folder {split}: leave split out, or make one folder for each split.")
        self.folder = folder
        self.files = sorted(walked(folder))
        if not self.files:
            raise UserError(f"{folder} is an empty folder: put images into it, in a sub-folder for each class if any.")

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_of(self.files, self.folder)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted({self._parts(index)[0] for index in range(len(self)) if len(self._parts(index)) > 1}))

    @cached_property
    def _labels(self) -> dict[str, int]:
        return {name: label for label, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.files)

    def title(self, index: int) -> str:
        return str(self.files[index])

    def read(self, index: int) -> tuple[Image.Image, int | None]:
        parts = self._parts(index)
        image = Image.open(self.files[index])
        if self.classes and len(parts) == 1:
            image.close()
            reason = f"lies beside the class folders ({self.classes[0]}, ...) and has no label"
            raise BadPicture(self.title(index), "no label", reason, "move it into one of them")
        return image, self._labels[parts[0]] if self.classes else None

    def _parts(self, index: int) -> tuple[str, ...]:
        return self.files[index].relative_to(self.folder).parts


def walked(folder: Path) -> Iterator[Path]:
    """All files of a folder and its sub-folders but hidden ones, as they come."""
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in files if not name.startswith("."))
