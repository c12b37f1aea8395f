"""A second modality, as small as can be: points in the plane. Nothing of ganlit knows that it is here."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.utils.data import Dataset

from ganlit.contracts import Collection, Labelled, Modality
from ganlit.data.mapped import MappedDataModule
from ganlit.data.store import Stored, stored
from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor
from ganlit.records.media import PICTURE, drawn, named

SCALE = 4.0  # of the plane, which networks see from -1 to 1
MODES = 8


class PointModality(Modality):
    """Points: float32 [B, 2] in the plane, each a CSV file of one row."""

    name = "points"
    item = "point"
    axes = "coordinates"
    shaped_by = "the plane"
    extractor = "points.Moments"

    def to_network(self, stored: Tensor) -> Tensor:
        return stored / SCALE

    def to_stored(self, output: Tensor) -> Tensor:
        return (output * SCALE).clamp(-2 * SCALE, 2 * SCALE)

    def write(self, stored: Tensor, path: Path, beside: Any = None) -> Path:
        return write(stored[None], named(path, ".csv"))

    def show(self, rows: Sequence[Tensor], columns: int, path: Path) -> list[Path]:
        """A scatter picture, a colour a column, and its numbers."""
        points = torch.cat([row.cpu() for row in rows])
        figure = Figure(figsize=(3, 3))
        figure.subplots().scatter(*points.T, c=torch.arange(len(points)) % columns, s=4)
        picture = named(path, PICTURE)
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(drawn(figure, dpi=60))
        return [picture, write(points, named(path, ".csv"))]

    def recognises(self, place: str) -> float:
        files = [path for path in Path(place).glob("**/*") if path.is_file()]
        return sum(path.suffix == ".csv" for path in files) / len(files) if files else float(place == "ring")

    def open(self, place: str, split: str, root: Path) -> Collection:
        return Rows(Path(place))

    def check(self, place: str, split: str, root: Path, batch: int, radius: float = math.inf) -> None:
        """Counts points that are too far.

        Args:
            place: a folder.
            split: there is one.
            root: is not needed.
            batch: points in a step.
            radius: within which points must lie.
        """
        found = Rows(Path(place))
        far = int((found.points.norm(dim=1) > radius).sum())
        print(f"{found.name}: {len(found)} points, {far} of them too far")
        if len(found) < batch or far:
            raise SystemExit(1)


class Rows(Collection):
    """The points of a folder's CSV files, whose sub-folders are classes."""

    def __init__(self, folder: Path, choice: Sequence[int] | None = None) -> None:
        self.folder = folder
        self.choice = choice
        files = sorted(folder.glob("**/*.csv"))
        self.files = files if choice is None else [files[place] for place in choice]
        if not self.files:
            raise UserError(f"{folder} is no folder of points: there is no CSV file in it.")

    @cached_property
    def points(self) -> Tensor:
        return torch.tensor([[float(row[axis]) for axis in "xy"] for file in self.files for row in read(file)])

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def digest(self) -> str:
        return blake2b(self.points.numpy().tobytes(), digest_size=16).hexdigest()

    @property
    def labels(self) -> Tensor:
        return torch.zeros(len(self), dtype=torch.int64)

    @property
    def classes(self) -> tuple[str, ...]:
        return ()

    @property
    def paths(self) -> list[str]:
        return [file.relative_to(self.folder).with_suffix("").as_posix() for file in self.files]

    @property
    def together(self) -> int:
        return 100

    @property
    def whole(self) -> Rows:
        return Rows(self.folder)

    def chosen(self, places: Sequence[int]) -> Rows:
        return Rows(self.folder, [(self.choice or range(len(self)))[place] for place in places])

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, places: slice | Tensor) -> Tensor:
        return self.points[places]


class Ring(Dataset[Labelled]):
    def __init__(self, points: Tensor, labels: Tensor) -> None:
        self.points, self.labels = points, labels

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, places: Tensor) -> Labelled:
        return Labelled(self.points[places], self.labels[places])


class Points(MappedDataModule):
    """Eight Gaussians on a circle, each a class; decoded once, as images are."""

    modality = PointModality()

    def __init__(self, count: int = 400, **loading: Any) -> None:
        super().__init__("ring", **loading)
        self.count = count

    def decoded(self) -> Stored:
        return stored("points", "ring-train", f"{self.count:08}", self.draw)

    def draw(self, file: Path) -> dict[str, Any]:
        labels = torch.arange(self.count) % MODES
        angle = labels * (2 * math.pi / MODES)
        spread = torch.randn(self.count, 2, generator=torch.Generator().manual_seed(0))
        points = (3 * torch.stack([angle.cos(), angle.sin()], 1) + 0.1 * spread).numpy()
        file.write_bytes(points.tobytes())
        digest = blake2b(points.tobytes(), digest_size=16).hexdigest()
        shape, names = list(points.shape), [f"mode {mode}" for mode in range(MODES)]
        about = {"shape": shape, "dtype": "float32", "digest": digest, "classes": names, "labels": labels.tolist()}
        return {"name": "ring-train", "skipped": [], **about}

    @cached_property
    def dataset(self) -> Ring:
        return Ring(self.reference.items, self.reference.labels)


class PointGenerator(nn.Sequential):
    """Latents [B, 4], beside the class if it knows any, to points [B, 2]."""

    z_dim = 4

    def __init__(self, classes: int = 0, width: int = 64) -> None:
        layers = [nn.Linear(4 + classes, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2)]
        super().__init__(*layers)
        self.classes = classes

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return super().forward(beside(z, label, self.classes))


class PointDiscriminator(nn.Sequential):
    def __init__(self, classes: int = 0, width: int = 64) -> None:
        layers = [nn.Linear(2 + classes, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2)]
        super().__init__(*layers, nn.Linear(width, 1))
        self.classes = classes

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        return super().forward(beside(item, label, self.classes))[:, 0]


class Moments(FeatureExtractor):
    """A point, and the products of its coordinates."""

    name, dim, protocol, batch = "moments", 5, "moments@0/none", 100

    def encode(self, items: Tensor) -> dict[str, Tensor]:
        x, y = items.T
        return {"pool": torch.stack([x, y, x * x, x * y, y * y], dim=1)}


def beside(x: Tensor, label: Tensor, classes: int) -> Tensor:
    return torch.cat([x, (label[:, None] == torch.arange(classes, device=x.device)).to(x)], dim=1)


def read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as text:
        return list(csv.DictReader(text))


def write(points: Tensor, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as text:
        csv.writer(text).writerows([("x", "y"), *points.tolist()])
    return file


class PointMover(nn.Module):
    """Points [B, 2] moved by half the plane at most."""

    classes = 0

    def __init__(self) -> None:
        super().__init__()
        self.way = nn.Parameter(torch.tensor([0.25, -0.25]))

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        return source + self.way
