"""Points drawn from a mixture in the plane, as many as anybody asks for."""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import Any, get_args

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganlit.contracts import Labelled, Reference
from ganlit.data.draws import Draws
from ganlit.data.fleeting import Fleeting, FleetingDataModule
from ganlit.data.plane.mixture import Mixture, Shape, grid, ring
from ganlit.data.plane.modality import PlaneModality
from ganlit.errors import UserError, within


class Drawn(Dataset[Labelled]):
    """Draws whole batches of points; item i of pass e is i + N * e, and its class is the mode that it was drawn from.

    Args:
        mixture: to draw from.
        count: N.
        seed: of the draws.
        labelled: whether points have classes.
    """

    endless = True

    def __init__(self, mixture: Mixture, count: int, seed: int, labelled: bool = True) -> None:
        self.mixture, self.count, self.seed, self.labelled = mixture, count, seed, labelled

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, keys: Tensor) -> Labelled:
        draws = Draws(keys, self.seed)
        mode = draws.integers(self.mixture.modes)
        points = self.mixture.means[mode] + self.mixture.deviation * draws.normal(2)
        return Labelled(points, mode if self.labelled else torch.zeros_like(mode))

    def labels(self, keys: Tensor) -> Tensor:
        """[B] int64."""
        return self[keys].label


class Mixtures(FleetingDataModule):
    """A mixture of Gaussians in the plane: the bench of mode collapse, after PacGAN, arXiv 1712.04086, section 4.1.

    No point is met twice: item i of a pass is always the same, and in each pass it is another. What is measured is
    drawn once for all seeds. The classes are the modes.

    Args:
        shape: ring, of means on the unit circle, or grid, of means two apart around 0.
        modes: how many; 8 of a ring and 25 of a grid, which must have a square number of them, by default.
        deviation: of each mode's coordinates; .01 of a ring and .05 of a grid by default.
        points: in a pass.
        measured: real points that are measured against.
        labels: false does without classes.
        loading: batch, tick, val_images, test_images and seed, as in `GanDataModule`.

    Raises:
        UserError: a number means nothing.
    """

    def __init__(
        self,
        shape: Shape = "ring",
        modes: int | None = None,
        deviation: float | None = None,
        points: int = 100_000,
        measured: int = 2500,
        labels: bool = True,
        **loading: Any,
    ) -> None:
        super().__init__(**loading)
        if shape not in get_args(Shape):
            raise UserError(f"data.init_args.shape is {shape}: it must be one of {', '.join(get_args(Shape))}.")
        within("data.init_args.modes", modes, least=1, most=10_000, optional=True)
        within("data.init_args.deviation", deviation, above=0, most=1, optional=True)
        within("data.init_args.points", points, least=1)
        within("data.init_args.measured", measured, least=2, most=10**7)
        own = {} if deviation is None else {"deviation": float(deviation)}
        if shape == "ring":
            self.mixture = ring(modes or 8, **own)
        else:
            side = round((modes or 25) ** 0.5)
            if side**2 != (modes or 25):
                raise UserError(f"data.init_args.modes is {modes}, and a grid has a square number: set {side**2}.")
            self.mixture = grid(side, **own)
        self.passed = points
        self.fixed = measured
        self.labelled = labels

    @cached_property
    def modality(self) -> PlaneModality:
        return PlaneModality(self.mixture)

    @property
    def classes(self) -> tuple[str, ...]:
        """The modes, by the places of their means."""
        if not self.labelled:
            return ()
        return tuple(f"({x:.2g}, {y:.2g})" for x, y in (self.mixture.means.double().round(decimals=6) + 0.0).tolist())

    def made(self, count: int, seed: int) -> Drawn:
        return Drawn(self.mixture, count, seed, self.labelled)

    def named(self, items: Fleeting, which: str) -> Reference:
        told = (self.mixture.means.tolist(), self.mixture.deviation, len(items), items.first, items.maker.seed)
        digest = blake2b(repr((told, self.labelled)).encode(), digest_size=16).hexdigest()
        return Reference(f"{self.mixture.name}{which}", digest, items[:], items.labels, self.classes)
