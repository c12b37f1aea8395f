"""Pictures of what the generator does, from the same latents all along."""

from __future__ import annotations

from pathlib import Path

import torch
from lightning.pytorch import Callback, Trainer
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import to_pil_image
from torchvision.utils import make_grid

from ganlit.callbacks.loggers.board import boards
from ganlit.data.images.pixels import to_uint8
from ganlit.records.durable import replacing
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.step import stateless_seed


def picture(images: Tensor, columns: int, padding: int = 2) -> Image.Image:
    """Images [B, C, H, W] in [-1, 1], row by row in a grid, as an 8-bit picture."""
    return to_pil_image(make_grid(to_uint8(images).cpu(), nrow=columns, padding=padding))


def write_picture(image: Image.Image, path: Path) -> None:
    """Writes a PNG under another name first, so that nobody meets half of it."""
    with replacing(path, flush=False) as partial:
        image.save(partial, format="PNG")


class Samples(Callback):
    """Writes samples/real.png at the start and then, ahead of each validation, a grid of the EMA generator's images.

    The latents are the same in all of them, and a dataset with classes has one in each column.
    """

    def __init__(self, rows: int = 8, columns: int = 10) -> None:
        self.rows = rows
        self.columns = columns

    def on_train_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        if trainer.is_global_zero:
            self.batch = trainer.datamodule.grid(self.rows, self.columns)
            write_picture(picture(self.batch[0], self.columns), self._folder(trainer) / "real.png")
            if pl_module.images_seen == 0:  # a resumed run has its pictures
                self._write(trainer, pl_module)

    def on_validation_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        if trainer.is_global_zero and trainer.state.fn == "fit":
            self._write(trainer, pl_module)

    def _folder(self, trainer: Trainer) -> Path:
        return Path(trainer.default_root_dir) / "samples"

    def _write(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        device = pl_module.device
        batch = pl_module.transfer_batch_to_device(self.batch, device, 0)
        with torch.no_grad(), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(stateless_seed(pl_module.seed))
            output = pl_module.sample(batch).output
        path = self._folder(trainer) / f"kimg{pl_module.kimg:08.1f}.png"
        with pl_module.stopwatch("io"):
            write_picture(picture(output, self.columns), path)
            for board in boards(trainer):
                board.log_picture("samples", path, pl_module.kimg)
