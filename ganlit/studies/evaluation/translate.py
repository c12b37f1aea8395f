"""What a trained generator makes of items."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlit.compute.console import say
from ganlit.configuration.rebuild import setting
from ganlit.contracts import Made, Modality
from ganlit.records.media import one_under_the_other
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.inputs import Inputs, existing
from ganlit.studies.evaluation.outputs import beside, make_room, room_for_items, writing
from ganlit.studies.evaluation.subject import reachable
from ganlit.studies.evaluation.trained import Checkpoint, finite, passing, taking_data
from ganlit.tasks.step import stateless_seed

COLUMNS, ROWS = 8, 4  # of the picture, at most: pairs, one item under the other


def translate(
    run: str,
    source: str,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
    skip_bad: bool = False,
    **options: Any,
) -> None:
    """Write what a run's generator makes of items, each under its own name, and beside their folder some to look at.

    Args:
        run: the run directory, such as runs/vqgan, or the .safetensors file of an averaged generator
        source: a folder with its sub-folders, a file or a zip of items; they are brought to the form of the run's data
            as these were
        out: an empty or new folder; by default `translated` in the run directory, or beside the file
        checkpoint: of a run directory, the last, or the best of the validations
        skip_bad: leave out items that cannot be used
        options: of the kind of data that it is

    Raises:
        UserError: the run cannot be loaded or takes no data, the folder is not empty, or an item cannot be used.
    """
    reachable(run)
    existing(source)
    folder = Path(out) if out is not None else beside(run) / "translated"
    picture = room_for_items(folder, "--out", [source])
    module = taking_data(run, checkpoint)
    inputs, modality = Inputs(source, run, module, options, skip_bad), setting(run).data.modality
    make_room(folder, folder, "--out")

    torch.manual_seed(stateless_seed(module.seed))
    shown, count = Shown(inputs.kind, modality), 0
    with Bars() as bars, writing("--out", folder):
        for piece in inputs.pieces(bars.counted(inputs.name, len(inputs))):
            with passing(f"{source}: {piece.paths[0]}", module, run):
                output = Made.of(module.ema(piece.source, piece.label)).output.float().cpu()
            made = modality.to_stored(finite(output, run))
            for path, item in zip(piece.paths, made, strict=True):
                modality.write(item, folder / path)
            shown.add(piece.stored, made)
            count += len(made)
        files = shown.write(picture)
    inputs.tell()
    first = "" if shown.count == count else f"the first {shown.count} "
    what = modality.item if count == 1 else f"{modality.item}s"
    say(f"{count:,} {what} in {folder}, {first}below what they were made of in {', '.join(map(str, files))}")


class Shown:
    """The first items beside what was made of them, as far as both can stand in one picture.

    Args:
        source: what kind of data was given.
        made: what kind was made.
    """

    def __init__(self, source: Modality, made: Modality) -> None:
        self.kind = made
        self.parts: list[list[Tensor]] = [[], []] if type(source) is type(made) else [[]]

    def add(self, source: Tensor, made: Tensor) -> None:
        """Batches [B, ...] as they are stored."""
        for part, items in zip(reversed(self.parts), (made, source), strict=False):
            part += [item.cpu() for item in items[: COLUMNS * ROWS - len(part)].split(1)]

    @property
    def columns(self) -> int:
        return min(COLUMNS, len(self.parts[0]))

    @property
    def count(self) -> int:
        """Of the pairs that fill rows."""
        return len(self.parts[0]) // self.columns * self.columns

    def write(self, picture: Path) -> list[Path]:
        """The files that it has become."""
        return self.kind.show(one_under_the_other(self.parts, self.columns), self.columns, picture.with_suffix(""))
