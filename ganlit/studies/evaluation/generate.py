"""Images from a trained run."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ganlit.callbacks.samples import picture, write_picture
from ganlit.compute.console import say
from ganlit.configuration.rebuild import load
from ganlit.errors import UserError
from ganlit.tasks.step import stateless_seed
from ganlit.tasks.synthesis import Synthesis

IN_GRID = 256


def generate(
    run: str,
    count: int = 64,
    seed: int = 0,
    truncation: float = 1.0,
    out: str | None = None,
    classes: list[int] | None = None,
    checkpoint: Literal["last", "best"] = "last",
) -> None:
    """Write images of a trained run as PNG files, and a grid of the first ones.

    Args:
        run: the run directory, such as runs/stylegan_lite, or the .safetensors file of an averaged generator
        count: number of images
        seed: of the latents; image i depends on it and on i alone
        truncation: psi; below one, fewer failures and less variety
        out: an empty or new folder; by default `generated` in the run directory, or beside the file
        classes: the classes in turn; all of them by default
        checkpoint: of a run directory, the last, or the best by FID

    Raises:
        UserError: the run cannot be loaded, the folder is not empty, or the generator knows no such class or option.
    """
    beside = Path(run).parent if Path(run).is_file() else Path(run)
    folder = Path(out) if out is not None else beside / "generated"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is not an empty folder: give another --out.")
    module = load(run, checkpoint)
    if not isinstance(module, Synthesis):
        raise UserError(f"{run} holds a {type(module).__name__}, which makes no images from noise alone.")
    turn = turns(module, classes)
    options = {} if truncation == 1 else {"truncation": truncation}
    if unknown := options.keys() - inspect.signature(module.generator.forward).parameters:
        raise UserError(f"{type(module.generator).__name__} in {run} knows no {unknown.pop()}: leave the option out.")

    module.to("cuda" if torch.cuda.is_available() else "cpu")
    digits = max(6, len(str(count - 1)))
    shown = []
    for index in range(count):
        image = one(module, turn[index % len(turn)], stateless_seed(seed, index), options)
        write_picture(picture(image, 1, padding=0), folder / f"{index:0{digits}}.png")
        shown += [image] if index < IN_GRID else []
    columns = len(turn) if 1 < len(turn) <= 16 else math.ceil(math.sqrt(len(shown)))
    write_picture(picture(torch.cat(shown), columns), folder / "grid.png")
    say(f"{count} images and grid.png in {folder}")


def turns(module: Synthesis, classes: list[int] | None) -> list[int]:
    """The classes that images take in turn."""
    known = max(getattr(module.generator, "classes", 0), 1)
    if unknown := set(classes or ()) - set(range(known)):
        raise UserError(f"--classes: there is no class {min(unknown)}; this run knows 0 to {known - 1}.")
    return classes or list(range(known))


@torch.no_grad()
def one(module: Synthesis, label: int, seed: int, options: dict[str, float]) -> Tensor:
    """The image [1, C, H, W] of a seed: alone in its batch, it depends on nothing else."""
    torch.manual_seed(seed)
    labels = torch.tensor([label], device=module.device)
    return module.ema(module.latents(labels), labels, **options).float().clamp(-1, 1).cpu()
