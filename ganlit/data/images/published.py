"""torchvision's classification datasets by name: used as they lie on disk, else downloaded as usual."""

from __future__ import annotations

import re
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import Any

import torchvision
from PIL import Image
from torchvision import datasets

from ganlit.data.images.arrays import find_cifar, find_idx
from ganlit.data.images.source import DAMAGE, Source
from ganlit.data.source import NoLabel
from ganlit.errors import UserError, printable
from ganlit.records.downloads import patience

# Class name in torchvision and the argument that chooses its split: a flag, a word, or none.
SETS: dict[str, str | None] = {
    "Caltech101": None,
    "Caltech256": None,
    "CelebA": "split",
    "CIFAR10": "train",
    "CIFAR100": "train",
    "CLEVRClassification": "split",
    "Country211": "split",
    "DTD": "split",
    "EMNIST": "train",
    "EuroSAT": None,
    "FashionMNIST": "train",
    "FER2013": "split",
    "FGVCAircraft": "split",
    "Flowers102": "split",
    "Food101": "split",
    "GTSRB": "split",
    "Imagenette": "split",
    "ImageNet": "split",
    "INaturalist": "version",
    "KMNIST": "train",
    "LFWPeople": "split",
    "MNIST": "train",
    "Omniglot": "background",
    "OxfordIIITPet": "split",
    "PCAM": "split",
    "Places365": "split",
    "QMNIST": "train",
    "RenderedSST2": "split",
    "SEMEION": None,
    "StanfordCars": "split",
    "STL10": "split",
    "SUN397": None,
    "SVHN": "split",
    "USPS": "train",
}
# Arguments without which a class does not give one image with one class; CelebA has attributes, hence no classes.
FURTHER: dict[str, dict[str, Any]] = {"EMNIST": {"split": "balanced"}, "CelebA": {"target_type": []}}
IDX = ("MNIST", "FashionMNIST", "KMNIST")
CIFAR = ("CIFAR10", "CIFAR100")
INSTALLED = {"FashionMNIST": Path("/usr/share/datasets/fashion-mnist")}  # Debian's package dataset-fashion-mnist
PATIENCE = 20.0  # seconds without an answer after which a download is given up


def find_published(name: str, split: str, root: Path) -> Source:
    """The dataset of a torchvision class, which `name` spells exactly.

    Idx files and CIFAR's pickles are looked for in root/<name>/raw, root/<name> and root, and are downloaded at once if
    they are missing; the others when they are first read.

    Raises:
        UserError: the dataset has no such split, or is neither on disk nor can be downloaded.
    """
    if name not in IDX + CIFAR:
        return Published(name, split, root)
    _split_arguments(name, split)
    found = _on_disk(name, split, root)
    if found is None:
        _construct(name, split, root)
        found = _on_disk(name, split, root)
    return found


class Published(Source):
    """A dataset as torchvision's class reads it; published sets do not change, so their place is the fingerprint."""

    def __init__(self, name: str, split: str, root: Path) -> None:
        self.name = f"{name.lower()}-{split}"
        self.fingerprint = f"{name} {split} {root.resolve()} {FURTHER.get(name)} torchvision {torchvision.__version__}"
        self._construct = lambda: _construct(name, split, root)

    @cached_property
    def dataset(self) -> datasets.VisionDataset:
        return self._construct()

    @property
    def classes(self) -> tuple[str, ...]:
        if not self.labels:
            return ()
        names = next((getattr(self.dataset, key) for key in _NAMES if hasattr(self.dataset, key)), ())
        return tuple(printable(name if isinstance(name, str) else str(name[0])) for name in names)

    @cached_property
    def _labelled(self) -> bool:
        return _label(self.dataset[0][1]) is not None

    def __len__(self) -> int:
        return len(self.dataset)

    def title(self, index: int) -> str:
        return f"{self.name}: image {index}"

    def opened(self, index: int) -> Image.Image:
        return self.dataset[index][0]

    def label(self, index: int) -> int | None:
        return self._wanted(index, self.dataset[index][1])

    def read(self, index: int) -> tuple[Image.Image, int | None]:
        """Both at once: torchvision reads a picture for its label too."""
        image, target = self.dataset[index]
        return image, self._wanted(index, target) if self.labels else None

    def _wanted(self, index: int, target: Any) -> int | None:
        label = _label(target)
        if (label is not None) != self._labelled:
            raise NoLabel(self.title(index), "has no label while others have", "choose another split")
        return label


_NAMES = ("classes", "categories", "class_to_idx")  # where torchvision's classes keep the names, in label order


def _label(target: Any) -> int | None:
    return None if target is None or int(target) < 0 else int(target)


def _split_arguments(name: str, split: str) -> dict[str, Any]:
    key = SETS[name]
    if key not in (None, "train", "background"):
        return {key: split}
    splits = ("train",) if key is None else ("train", "test")
    if split not in splits:
        raise UserError(f"{name} has no split {split}: set split to {' or '.join(splits)}.")
    return {} if key is None else {key: split == "train"}


def _on_disk(name: str, split: str, root: Path) -> Source | None:
    folders = [root / name / "raw", root / name, root]
    if name in CIFAR:
        return find_cifar(name.lower(), split, folders)
    if name in INSTALLED:
        folders.append(INSTALLED[name])
    return find_idx(name.lower(), split, folders, tuple(getattr(datasets, name).classes))


def _construct(name: str, split: str, root: Path) -> datasets.VisionDataset:
    kind = getattr(datasets, name)
    arguments = {**_split_arguments(name, split), **FURTHER.get(name, {})}
    downloads = issubclass(kind, datasets.MNIST) or "download" in signature(kind).parameters
    try:
        try:
            return kind(root, **arguments, **({"download": False} if downloads else {}))
        except (RuntimeError, FileNotFoundError):
            if not downloads:
                raise
            root.mkdir(parents=True, exist_ok=True)
            with patience(PATIENCE):
                return kind(root, **arguments, download=True)
    except (*DAMAGE, ImportError) as error:
        reason = _reason(error)
        if reason.startswith("Unknown value"):
            raise UserError(f"{name} has no split {split} ({reason}): set data.init_args.split.") from None
        raise UserError(
            f"{name} is not in {root} and cannot be downloaded ({reason}): put {_wanted(kind, split, root)}, or set "
            f"data.init_args.root to where it lies{_namesake(name)}."
        ) from None


def _namesake(name: str) -> str:
    """What is said of a folder or zip here that is called like the dataset, and may have been meant."""
    for path in sorted(Path().glob("*")):
        if path.stem.lower() == name.lower() and (path.is_dir() or path.suffix.lower() == ".zip"):
            return f"; to mean the {'folder' if path.is_dir() else 'zip'} of that name here, write ./{path}"
    return ""


def _reason(error: Exception) -> str:
    """The cause in a few words: torchvision lists every mirror that it has tried."""
    cause = re.search(r"<urlopen error (.*?)>", str(error))
    return cause[1] if cause else " ".join(str(error).split()).rstrip(".")


def _wanted(kind: type[datasets.VisionDataset], split: str, root: Path) -> str:
    """Which files have to be put where."""
    if kind.__name__ in IDX:
        files = [Path(url).name for url, _ in kind.resources if ("train" in url) == (split == "train")]
        return f"{' and '.join(files)} into {root.resolve() / kind.__name__}"
    if hasattr(kind, "filename"):
        return f"{kind.filename} into {root.resolve()}"
    if hasattr(kind, "split_list"):
        return f"{kind.split_list[split][1]} into {root.resolve()}"
    return f"the files that torchvision.datasets.{kind.__name__} describes into {root.resolve()}"
