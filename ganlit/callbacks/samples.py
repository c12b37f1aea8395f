"""What the generator does, from the same latents or sources all along, to look at or to listen to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor

from ganlit.callbacks.loggers.board import boards
from ganlit.contracts import Sampled
from ganlit.errors import within
from ganlit.records.media import one_under_the_other, write_film
from ganlit.records.samples import FOLDER, pictures, place
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.step import stateless_seed


class Samples(Callback):
    """Writes samples/real at the start and then, ahead of each validation, what the EMA generator makes.

    The latents are the same in all of them, and a dataset with classes has one in each column. What is made from data
    stands between its source and its target, one under the other, and below the target where that is the source;
    sources of another kind of data than their targets are in samples/source. What comes from a generator's own prior is
    shown beside that, and so is what goes back from targets to sources. How all are shown is for the modality of the
    data to say.

    Args:
        rows: of the grid.
        columns: of it.
        film: also write film.gif into the run directory when training ends: all these pictures, one after the other.
    """

    def __init__(self, rows: int = 8, columns: int = 10, film: bool = False) -> None:
        for key, count in {"rows": rows, "columns": columns}.items():
            within(f"Samples.{key}", count, least=1, most=100)
        self.rows = rows
        self.columns = columns
        self.film = film

    def on_train_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        if trainer.is_global_zero:
            data, folder = trainer.datamodule, Path(trainer.default_root_dir) / FOLDER
            self.batch = data.grid(self.rows, self.columns)
            sampled = self._sample(pl_module)
            data.modality.show([data.modality.to_stored(sampled.reference)], self.columns, folder / "real")
            if sampled.source is not None and not of_one_kind(data):
                kind = data.modality_of("source")
                kind.show([kind.to_stored(sampled.source)], self.columns, folder / "source")
            if pl_module.images_seen == 0:  # a resumed run has its samples
                self._write(trainer, pl_module, sampled)

    def on_validation_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        if trainer.is_global_zero and trainer.state.fn == "fit":
            self._write(trainer, pl_module, self._sample(pl_module))

    def on_train_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        run = Path(trainer.default_root_dir)
        if self.film and trainer.is_global_zero and (shown := pictures(run)):
            film = write_film(shown, run / "film")
            for board in boards(trainer):
                board.log_media("film", [film], pl_module.kimg)

    def _sample(self, module: AdversarialModule) -> Sampled:
        device = module.device
        batch = module.transfer_batch_to_device(self.batch, device, 0)
        with torch.no_grad(), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(stateless_seed(module.seed))
            return module.sample(batch)

    def _write(self, trainer: Trainer, pl_module: AdversarialModule, sampled: Sampled) -> None:
        modality = trainer.datamodule.modality
        with pl_module.stopwatch("io"):
            stem = place(Path(trainer.default_root_dir), pl_module.kimg)
            shown = {"samples": modality.show(self._rows(trainer.datamodule, sampled), self.columns, stem)}
            if (prior := sampled.side.get("prior")) is not None:
                path = stem.with_name(f"{stem.name}-prior")
                shown["prior"] = modality.show([modality.to_stored(prior)], self.columns, path)
            if (back := sampled.side.get("back")) is not None:
                kind, path = trainer.datamodule.modality_of("source"), stem.with_name(f"{stem.name}-back")
                shown["back"] = kind.show([kind.to_stored(back)], self.columns, path)
            for board in boards(trainer):
                for name, files in shown.items():
                    board.log_media(name, files, pl_module.kimg)

    def _rows(self, data: Any, sampled: Sampled) -> list[Tensor]:
        """As many rows as there are without sources, or as few as stand together."""
        made, target = (data.modality, sampled.output), (data.modality, sampled.reference)
        if sampled.source is None:
            return [data.modality.to_stored(sampled.output)]
        parts = [made, target]
        if sampled.source is sampled.reference:
            parts = parts[::-1]
        elif of_one_kind(data):
            parts = [(data.modality_of("source"), sampled.source), *parts]
        shown = max(1, self.rows // len(parts)) * self.columns
        seen = [kind.glance(kind.to_stored(items[:shown])).split(1) for kind, items in parts]
        return one_under_the_other(seen, self.columns)


def of_one_kind(data: Any) -> bool:
    """Whether sources can be shown beside what is made of them."""
    return data.modality_of("source").name == data.modality.name
