"""Style mixing: the early layers of one item, the late ones of another."""

from __future__ import annotations

import torch

from ganlit.errors import UserError, within
from ganlit.studies.evaluation.options import SEEDS
from ganlit.studies.evaluation.trained import Checkpoint
from ganlit.studies.latent.folder import Folder, apart
from ganlit.studies.latent.keys import chosen
from ganlit.studies.latent.subject import Subject


def mix(
    run: str,
    rows: str = "0-4",
    columns: str = "5-12",
    layer: int | None = None,
    classes: str | None = None,
    seed: int = 0,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
) -> None:
    """Draw a table of items with the early styles of its row and the late ones of its column.

    Args:
        run: the run directory, such as runs/stylegan_lite, or the .safetensors file of an averaged generator
        rows: items whose styles the layers before `layer` take, such as 0-4
        columns: items whose styles the others take
        layer: the first of the late ones; by default half of all
        classes: of the items in turn, such as 3, or 0-9; all of them by default
        seed: of the latents
        out: an empty or new folder; by default `latent-mix` in the run directory
        checkpoint: of a run directory, the last, or the best of the validations

    Raises:
        UserError: the run makes no images from noise, its generator has no styles, or the folder is not empty.
    """
    within("--seed", seed, least=0, below=SEEDS)
    above, beside = chosen(columns, "--columns"), chosen(rows, "--rows")
    if len(above) * len(beside) > 2**12:
        raise UserError(f"--rows {rows} and --columns {columns} make a table of more than 4,096 items: name fewer.")
    folder = Folder(run, "mix", out)
    subject = Subject(run, checkpoint, classes=classes)
    subject.need_styles("Mixing")
    layers = len(subject.layers)
    cut = layers // 2 if layer is None else layer
    within("--layer", cut, least=1, most=layers - 1)
    folder.make()
    sides = [(subject.z(numbers, seed), subject.labels(numbers)) for numbers in (beside, above)]
    (early, early_label), (late, _) = ((subject.latents(z, label, "w+"), label) for z, label in sides)
    label = early_label.repeat_interleave(len(above))
    mixed = early.repeat_interleave(len(above), 0)
    mixed[:, cut:] = late.repeat(len(beside), 1, 1)[:, cut:]
    table = subject.made(mixed, label, alone=True).unflatten(0, (len(beside), len(above)))
    left = subject.made(early, early_label, alone=True)
    top = subject.made(late, subject.labels(above), alone=True)
    corner = torch.zeros_like(top[:1])
    drawn = [torch.cat([corner, top]), *(torch.cat([left[row : row + 1], table[row]]) for row in range(len(beside)))]
    folder.picture(subject, drawn, 1 + len(above))
    names = [f"row{row}-column{column}" for row in beside for column in above]
    folder.latents(subject, mixed, label, names)
    from_row = apart(table.flatten(0, 1), left.repeat_interleave(len(above), 0)).unflatten(0, table.shape[:2])
    from_column = apart(table.flatten(0, 1), top.repeat(len(beside), 1, 1, 1)).unflatten(0, table.shape[:2])
    folder.numbers(
        subject.generator,
        subject.space,
        {"seed": seed, "rows": beside, "columns": above, "layer": cut, "layers": layers}
        | {"rms_to_row": from_row, "rms_to_column": from_column},
    )
    folder.told(f"{table.shape[0]} x {table.shape[1]} mixtures, columns from layer {cut} of {layers} on")
