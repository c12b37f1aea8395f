from __future__ import annotations

import gzip
import inspect
import socket
import struct
from pathlib import Path
from typing import Any, NoReturn
from urllib.error import URLError

import numpy as np
import pytest
from PIL import Image
from torchvision import datasets

from ganlit.data.images import published
from ganlit.data.images.published import SETS, find_published
from ganlit.data.source import NoLabel
from ganlit.errors import UserError


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that cannot resolve names."""

    def refuse(*args: Any, **options: Any) -> NoReturn:
        raise URLError("no network in tests")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


def write_idx(folder: Path, count: int = 3, prefix: str = "train", zipped: bool = False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {"images-idx3": np.zeros((count, 28, 28), np.uint8), "labels-idx1": np.zeros(count, np.uint8)}
    for part, array in arrays.items():
        content = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
        file = folder / f"{prefix}-{part}-ubyte"
        if zipped:
            file.with_suffix(".gz").write_bytes(gzip.compress(content))
        else:
            file.write_bytes(content)


def test_every_name_is_a_class_of_torchvision_with_this_argument() -> None:
    for name, key in SETS.items():
        parameters = inspect.signature(getattr(datasets, name)).parameters
        assert key is None or key in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


@pytest.mark.parametrize("place", ["MNIST/raw", "MNIST", "."])
@pytest.mark.parametrize("zipped", [False, True])
def test_idx_files_on_disk_are_used_without_a_network(tmp_path: Path, place: str, zipped: bool) -> None:
    write_idx(tmp_path / place, zipped=zipped)
    source = find_published("MNIST", "train", tmp_path)
    assert (source.name, len(source), len(source.classes)) == ("mnist-train", 3, 10)


def test_the_folder_of_the_dataset_goes_before_its_parent(tmp_path: Path) -> None:
    write_idx(tmp_path, 4)
    write_idx(tmp_path / "KMNIST", 5)
    assert len(find_published("KMNIST", "train", tmp_path)) == 5
    assert len(find_published("MNIST", "train", tmp_path)) == 4


def test_finding_reads_nothing(tmp_path: Path) -> None:
    write_idx(tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(b"")
    assert find_published("MNIST", "train", tmp_path).name == "mnist-train"


def test_an_installed_package_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(published.INSTALLED, "FashionMNIST", tmp_path / "package")
    write_idx(tmp_path / "package", 6, "t10k", zipped=True)
    source = find_published("FashionMNIST", "test", tmp_path / "root")
    assert (source.name, len(source), source.classes[0]) == ("fashionmnist-test", 6, "T-shirt/top")


@pytest.mark.parametrize(
    ("name", "split", "wanted"),
    [
        ("MNIST", "train", "put train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz into {root}/MNIST, or set"),
        ("MNIST", "test", "put t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz into {root}/MNIST, or set"),
        ("CIFAR10", "train", "put cifar-10-python.tar.gz into {root}, or set"),
        ("CIFAR100", "train", "put cifar-100-python.tar.gz into {root}, or set"),
        ("SVHN", "test", "put test_32x32.mat into {root}, or set"),
        ("STL10", "train", "put stl10_binary.tar.gz into {root}, or set"),
        ("USPS", "train", "put usps.bz2 into {root}, or set"),
        ("EuroSAT", "train", "put the files that torchvision.datasets.EuroSAT describes into {root}, or set"),
        ("FER2013", "train", "put the files that torchvision.datasets.FER2013 describes into {root}, or set"),
    ],
)
def test_without_a_network_one_sentence_says_what_goes_where(
    tmp_path: Path, name: str, split: str, wanted: str
) -> None:
    with pytest.raises(UserError) as raised:
        len(find_published(name, split, tmp_path))
    assert str(raised.value).startswith(f"{name} is not in {tmp_path} and cannot be downloaded (")
    assert wanted.format(root=tmp_path) + " data.init_args.root to where it lies." in str(raised.value)
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize("here", ["mnist", "MNIST", "Mnist.zip"])
def test_a_folder_or_zip_of_that_name_is_mentioned(here: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mnist.txt").touch()
    with pytest.raises(UserError, match=r"or set data.init_args.root to where it lies.$"):
        find_published("MNIST", "train", tmp_path / "sets")
    Path(here).touch() if here.endswith("zip") else Path(here).mkdir()
    kind = "zip" if here.endswith("zip") else "folder"
    with pytest.raises(UserError, match=f"where it lies; to mean the {kind} of that name here, write ./{here}.$"):
        find_published("MNIST", "train", tmp_path / "sets")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("CIFAR10", "CIFAR10 has no split val: set split to train or test"),
        ("EuroSAT", "EuroSAT has no split val: set split to train"),
        ("SVHN", "SVHN has no split val .*'extra'.*: set data.init_args.split"),
    ],
)
def test_an_unknown_split_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        len(find_published(name, "val", tmp_path))


def write_semeion(folder: Path) -> np.ndarray:
    """Two digits as SEMEION's file has them: 256 pixels and a one-hot label a line."""
    pixels = np.random.default_rng(0).integers(0, 2, (2, 256))
    lines = np.concatenate([pixels, np.eye(10, dtype=int)[[3, 1]]], 1)
    np.savetxt(folder / "semeion.data", lines, fmt="%d")
    return pixels.reshape(2, 16, 16)


def test_other_sets_are_read_as_torchvision_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = write_semeion(tmp_path)
    monkeypatch.setattr(datasets.SEMEION, "_check_integrity", lambda self: True)
    source = find_published("SEMEION", "train", tmp_path)
    assert (source.name, len(source), source.classes) == ("semeion-train", 2, ())
    picture, label = source.picture(0)
    assert (np.asarray(picture.image) == pixels[0] * 255).all()
    assert (label, str(picture.kind)) == (3, "grey")


class Partly:
    """A dataset of which the last picture has no label, as STL10's unlabelled split marks it."""

    categories = ("cat", "dog")

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return Image.new("RGB", (4, 4)), (1, -1)[index]


def test_labels_that_are_partly_missing_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "_construct", lambda *args: Partly())
    source = find_published("STL10", "train+unlabeled", tmp_path)
    assert source.classes == ("cat", "dog")
    assert source.picture(0)[1] == 1
    with pytest.raises(NoLabel, match=r"stl10-train\+unlabeled: image 1 has no label while others have"):
        source.picture(1)
    source.labels = False
    assert (source.picture(1)[1], source.classes) == (None, ())
