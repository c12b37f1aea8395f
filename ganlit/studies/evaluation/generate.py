"""Items from a trained run."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ganlit.compute.console import say
from ganlit.configuration.rebuild import load, setting
from ganlit.errors import UserError
from ganlit.tasks.step import stateless_seed
from ganlit.tasks.synthesis import Synthesis

TOGETHER = 256  # items shown, at most


def generate(
    run: str,
    count: int = 64,
    seed: int = 0,
    truncation: float = 1.0,
    out: str | None = None,
    classes: list[int] | None = None,
    checkpoint: Literal["last", "best"] = "last",
) -> None:
    """Write what a trained run makes, each in a file, and the first ones together to look at.

    Args:
        run: the run directory, such as runs/stylegan_lite, or the .safetensors file of an averaged generator
        count: number of items
        seed: of the latents; item i depends on it and on i alone
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
        raise UserError(f"{run} holds a {type(module).__name__}, which makes nothing from noise alone.")
    modality = setting(run).data.modality
    turn = turns(module, classes)
    options = {} if truncation == 1 else {"truncation": truncation}
    if unknown := options.keys() - inspect.signature(module.generator.forward).parameters:
        raise UserError(f"{type(module.generator).__name__} in {run} knows no {unknown.pop()}: leave the option out.")

    module.to("cuda" if torch.cuda.is_available() else "cpu")
    digits = max(6, len(str(count - 1)))
    shown = []
    for index in range(count):
        item = modality.to_stored(one(module, turn[index % len(turn)], stateless_seed(seed, index), options))
        modality.write(item[0], folder / f"{index:0{digits}}")
        shown += [item] if index < TOGETHER else []
    columns = len(turn) if 1 < len(turn) <= 16 else math.ceil(math.sqrt(len(shown)))
    files = modality.show(shown, columns, folder / "grid")
    say(f"{count} {modality.item}s and {', '.join(file.name for file in files)} in {folder}")


def turns(module: Synthesis, classes: list[int] | None) -> list[int]:
    """The classes that items take in turn."""
    known = max(getattr(module.generator, "classes", 0), 1)
    if unknown := set(classes or ()) - set(range(known)):
        raise UserError(f"--classes: there is no class {min(unknown)}; this run knows 0 to {known - 1}.")
    return classes or list(range(known))


@torch.no_grad()
def one(module: Synthesis, label: int, seed: int, options: dict[str, float]) -> Tensor:
    """The item [1, ...] of a seed: alone in its batch, it depends on nothing else."""
    torch.manual_seed(seed)
    labels = torch.tensor([label], device=module.device)
    return module.averaged(module.latents(labels), labels, **options).cpu()
