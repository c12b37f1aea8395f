"""What every modality's data has in common: the clocked stream, the fixed validation items and the sample grid."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ganlit.contracts import Modality, Reference
from ganlit.data.stream import StreamSampler, Ticks, items
from ganlit.errors import UserError, within

SAMPLED = 64  # items sampled together, at most
MOST = 10_000_000  # items in a step or a validation, and thousands of them in a tick
SHARES = 16  # batches of a validation, at least, which so many ranks can share


class BatchLoader(DataLoader):
    """Asks the dataset for whole batches, by the sampler's index tensors.

    Its place in the stream is the module's clock, which every checkpoint holds: it has no state of its own.
    """

    def __init__(self, dataset: Dataset, batches: Iterable[Tensor], pinned: bool = False) -> None:
        super().__init__(dataset, batch_size=None, sampler=batches, pin_memory=pinned)


class GanDataModule(LightningDataModule, ABC):
    """Serves a stream in which one Lightning epoch is one tick, so that Lightning validates and saves once a tick.

    Args:
        batch: images in a step, over all ranks; must divide by their number.
        tick: thousands of images between two validations, each after the step that completes them.
        val_images: number of real images whose labels condition a validation.
        test_images: the same for a test; beyond the size of the dataset they repeat by whole permutations.
        seed: of the order of the data; set by the top-level key `seed`.

    Raises:
        UserError: a value is out of range, the ranks cannot share the batch, or the dataset is smaller than a batch.
    """

    in_pairs = True
    """Whether what is measured has targets that belong to its sources."""

    def __init__(
        self, batch: int = 32, tick: float = 10.0, val_images: int = 250, test_images: int = 2000, seed: int = 0
    ) -> None:
        super().__init__()
        for key, count in {"batch": batch, "val_images": val_images, "test_images": test_images}.items():
            within(f"data.init_args.{key}", count, least=1, most=MOST)
        within("data.init_args.tick", tick, above=0, most=MOST)
        within("data.init_args.seed", seed, least=0)
        self.batch = batch
        self.tick = tick
        self.val_images = val_images
        self.test_images = test_images
        self.seed = seed

    @property
    @abstractmethod
    def modality(self) -> Modality:
        """What kind of data this is; known before anything is looked at."""

    @property
    @abstractmethod
    def reference(self) -> Reference:
        """The real items that generated ones are measured against."""

    def reference_of(self, field: str) -> Reference:
        """The real items that are like those of a part of a batch: of a source where something is made into such."""
        return self.reference

    def trained_of(self, field: str) -> Reference:
        """The same of what is trained on, which is something else where items are held out to be measured."""
        return self.reference_of(field)

    @property
    def trained_on(self) -> Reference:
        """The real items that a pass of the training shows, each counted once."""
        return self.trained_of("target")

    @property
    @abstractmethod
    def dataset(self) -> Dataset:
        """Answers an index tensor [B] with a named tuple of tensors [B, ...]: stored items, and a `label`.

        It may know more items than are measured, such as flips. Where it has an attribute `endless` that is true, it
        is asked for item i of N in pass e by i + N * e, so that what it draws anew each time is a function of that.
        """

    @property
    def measured(self) -> Dataset:
        """The same for validations, tests and pictures: its first items are those of the reference, in its order.

        By default the items of the training; where they are others, these were held out.
        """
        return self.dataset

    @property
    def populated(self) -> Tensor:
        """The classes [K] int64 that have items, in order; the one class 0 without labels."""
        return self.reference.labels.unique()

    @property
    def place(self) -> Path | None:
        """The folder in which the items lie ready to be read; None where they are in memory."""
        return None

    @property
    def ticks(self) -> Ticks:
        """When validations are."""
        return Ticks(self.tick, self.batch)

    def setup(self, stage: str) -> None:
        world, real = self._world, self.trained_on
        if self.batch % world:
            raise UserError(
                f"data.init_args.batch is {self.batch}, which {world} ranks cannot share evenly: "
                f"set it to a multiple of {world}."
            )
        if (count := len(real.items)) < self.batch:
            raise UserError(
                f"{real.name} has {count} {self.modality.item}{'s' * (count > 1)} to train on, fewer than a batch: set "
                f"data.init_args.batch to {count} or less, not {self.batch}."
            )
        for key in ("val_images", "test_images"):
            if (turns := len(self.batches(getattr(self, key)))) < world:
                raise UserError(
                    f"data.init_args.{key} is {getattr(self, key)}, sampled in {turns} batches, fewer than the {world} "
                    "ranks: raise it until each has one."
                )

    def train_dataloader(self) -> BatchLoader:
        return self._loader(
            StreamSampler(
                len(self.dataset),
                self.seed,
                self.batch,
                self.ticks,
                self._images_seen,
                self._rank,
                self._world,
                getattr(self.dataset, "endless", False),
            ),
            self.dataset,
        )

    def val_dataloader(self) -> BatchLoader:
        return self._loader(self._fixed_batches(self.val_images), self.measured)

    def test_dataloader(self) -> BatchLoader:
        return self._loader(self._fixed_batches(self.test_images), self.measured)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        return self.to_network(batch)

    def degraded(self, batch: Any) -> tuple[Any, dict[str, Tensor]]:
        """The same as networks take it, and by name what was drawn for each item [B] to make its source of it."""
        return self.to_network(batch), {}

    def to_network(self, batch: Any) -> Any:
        """The same named tuple with its items as networks take them."""
        kinds = {name: self.modality_of(name) for name, part in batch._asdict().items() if part is not None}
        items = {name: kind.to_network(getattr(batch, name)) for name, kind in kinds.items() if kind is not None}
        return batch._replace(**items)

    def modality_of(self, field: str) -> Modality | None:
        """What kind of data a part of a batch is; None of what networks take as it is."""
        return None if field == "label" else self.modality

    def form_of(self, field: str) -> Any:
        """What its modality brings a part of a batch into, see `Modality.bring`; None where there is one form alone."""
        return None

    def keep(self, folder: Path) -> None:
        """Writes into a run directory what its items mean beyond what a configuration says, such as a vocabulary."""

    def recall(self, folder: Path) -> None:
        """Reads it back, for who makes items without the data; what is not there may be found in these later."""

    def grid(self, rows: int, columns: int) -> Any:
        """The fixed items of the sample grid, row after row, as a batch on the CPU, as networks take it.

        Column c holds the class c % K of a dataset with K classes (those that have items).
        """
        labels = self.reference.labels
        order = self._choice(torch.arange(len(labels)))
        shelves = [order[labels[order] == label] for label in self.populated]
        cells = torch.empty(rows, columns, dtype=torch.int64)
        for column in range(columns):
            shelf = shelves[column % len(shelves)]
            first = column // len(shelves) * rows
            cells[:, column] = shelf[torch.arange(first, first + rows) % len(shelf)]
        return self.to_network(self.measured[cells.flatten()])

    def learnt(self, positions: Tensor) -> Any:
        """Items of the training by their places in a fixed order: a batch on the CPU, as networks take it."""
        dataset = self.dataset
        return self.to_network(dataset[items(len(dataset), self.seed, positions)])

    @cached_property
    def holds_out(self) -> bool:
        """Whether the measured items are others than those of the training."""
        return self.reference.digest != self.trained_on.digest

    def _choice(self, positions: Tensor) -> Tensor:
        """A fixed random choice among the reference's items, which follows the distribution of its labels."""
        return items(len(self.reference.items), self.seed, positions)

    def batches(self, count: int) -> list[Tensor]:
        """The places, among `count` items to be sampled, of those that are sampled together; ranks take them in turn.

        They are the same for any number of ranks, and so are the items.
        """
        return list(torch.arange(count).split(min(SAMPLED, self.batch, max(1, count // SHARES))))

    def _fixed_batches(self, count: int) -> list[Tensor]:
        """This rank's share of the choice, nothing padded or counted twice."""
        return [self._choice(places) for places in self.batches(count)[self._rank :: self._world]]

    def _loader(self, batches: Iterable[Tensor], dataset: Dataset) -> BatchLoader:
        # Gathering from mapped memory takes microseconds: the workers that Lightning asks for would only cost.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        pinned = self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"
        return BatchLoader(dataset, batches, pinned)

    def _images_seen(self) -> int:
        return 0 if self.trainer is None else int(self.trainer.lightning_module.images_seen)

    @property
    def _rank(self) -> int:
        return 0 if self.trainer is None else self.trainer.global_rank

    @property
    def _world(self) -> int:
        return 1 if self.trainer is None else self.trainer.world_size
