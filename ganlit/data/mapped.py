"""Data that are decoded once into mapped memory, whatever their modality."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any

from lightning.pytorch.utilities import rank_zero_info

from ganlit.contracts import Reference
from ganlit.data.base import GanDataModule
from ganlit.data.stage import copy, expanded, staged
from ganlit.data.store import Stored, mapped
from ganlit.errors import UserError

TRAINED = "trained"
"""The items to train on, among all that are decoded."""


class MappedDataModule(GanDataModule):
    """Data from a source that one process decodes and all others map.

    Args:
        source: what messages call it.
        stage: a folder on a disk of each machine itself, such as $TMPDIR: a training copies the decoded items there,
            once a machine, and reads the copy; for caches that lie on a file server.
        loading: batch, tick, val_images, test_images and seed, as in `GanDataModule`.
    """

    def __init__(self, source: str, stage: Path | None = None, **loading: Any) -> None:
        super().__init__(**loading)
        self.source = source
        self.scratch = stage
        self.prepare_data_per_node = False  # one rank looks through the source: many would keep a file server busy

    @abstractmethod
    def decoded(self) -> Stored:
        """The items of the source, from the cache or decoded into it.

        Raises:
            UserError: the source cannot be used as it is; the sentence names the file and the option that helps.
        """

    def others(self) -> dict[str, Stored]:
        """What is decoded beside them, by what it is: sources, or items to measure on.

        Raises:
            UserError: as for `decoded`.
        """
        return {}

    def prepare_data(self) -> None:
        """Decodes on one process, and says what was left out or changed; the others map what they are told of."""
        for stored in self._stores.values():
            name, skipped = stored.reference.name, stored.skipped
            if skipped:
                total = len(skipped) + len(stored.reference.items)
                first = "; ".join(f"{title} {reason}" for title, reason in skipped[:3])
                rank_zero_info(
                    f"{name}: skipped {len(skipped)} of {total} {self.modality.item}s, all listed in "
                    f"{stored.folder / 'about.json'}: {first}{' ...' if len(skipped) > 3 else ''}"
                )
            for note in stored.about.get("notes", ()):
                rank_zero_info(f"{name}: {note}")

    def setup(self, stage: str) -> None:
        if self.trainer is not None:
            self._agree()
            if stage == "fit" and self.scratch is not None:
                self._stage(expanded(self.scratch))
        super().setup(stage)

    def _agree(self) -> None:
        """All ranks map what the first has found; where its cache cannot be seen, as on another machine, their own.

        Raises:
            UserError: that is something else.
        """
        own = None
        if self._rank == 0:
            own = {name: (each.folder, each.reference.digest) for name, each in self._stores.items()}
        told = self.trainer.strategy.broadcast(own)
        if self._rank:
            self._stores = {name: mapped(folder) or self._stores[name] for name, (folder, _) in told.items()}
        if any(self._stores[name].reference.digest != digest for name, (_, digest) in told.items()):
            raise UserError(
                f"rank {self._rank} has found other {self.modality.item}s as {self.source} than rank 0: give all "
                "machines the same files, or a GANLIT_CACHE that all of them see."
            )

    def _stage(self, folder: Path) -> None:
        """One rank of each machine copies the items, then all of them map the copy, where there is one."""
        if self.trainer.local_rank == 0:
            for stored in self._stores.values():
                copy(stored, folder, rank_zero_info)
        self.trainer.strategy.barrier()
        self._stores = {name: staged(each, folder) or each for name, each in self._stores.items()}

    @cached_property
    def _stores(self) -> dict[str, Stored]:
        return {TRAINED: self.decoded()} | self.others()

    @property
    def stored(self) -> Stored:
        """What is trained on."""
        return self._stores[TRAINED]

    def other(self, name: str) -> Stored:
        """What `others` decodes under a name."""
        return self._stores[name]

    @property
    def reference(self) -> Reference:
        return self.stored.reference

    @property
    def place(self) -> Path:
        return self.stored.folder.parent

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; empty without labels."""
        return self.reference.classes
