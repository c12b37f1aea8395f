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

    def prepare_data(self) -> None:
        """Decodes on one process, and says what was left out or changed; the others map what they are told of."""
        skipped = self._stored.skipped
        if skipped:
            total = len(skipped) + len(self.reference.items)
            first = "; ".join(f"{title} {reason}" for title, reason in skipped[:3])
            rank_zero_info(
                f"{self.reference.name}: skipped {len(skipped)} of {total} {self.modality.item}s, all listed in "
                f"{self._stored.folder / 'about.json'}: {first}{' ...' if len(skipped) > 3 else ''}"
            )
        for note in self._stored.about.get("notes", ()):
            rank_zero_info(f"{self.reference.name}: {note}")

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
        own = (self._stored.folder, self.reference.digest) if self._rank == 0 else None
        folder, digest = self.trainer.strategy.broadcast(own)
        if self._rank:
            self._stored = mapped(folder) or self._stored
        if self.reference.digest != digest:
            raise UserError(
                f"rank {self._rank} has found other {self.modality.item}s as {self.source} than rank 0: give all "
                "machines the same files, or a GANLIT_CACHE that all of them see."
            )

    def _stage(self, folder: Path) -> None:
        """One rank of each machine copies the items, then all of them map the copy, where there is one."""
        if self.trainer.local_rank == 0:
            copy(self._stored, folder, rank_zero_info)
        self.trainer.strategy.barrier()
        self._stored = staged(self._stored, folder) or self._stored

    @cached_property
    def _stored(self) -> Stored:
        return self.decoded()

    @property
    def reference(self) -> Reference:
        return self._stored.reference

    @property
    def place(self) -> Path:
        return self._stored.folder.parent

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; empty without labels."""
        return self.reference.classes
