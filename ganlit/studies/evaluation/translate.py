"""What a trained generator makes of items."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import torch
from torch import Tensor

from ganlit.compute.console import say
from ganlit.configuration.rebuild import setting
from ganlit.contracts import Made, Modality
from ganlit.errors import UserError
from ganlit.records.media import one_under_the_other
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.inputs import Inputs, Piece, existing
from ganlit.studies.evaluation.levels import reduced, tell_levels
from ganlit.studies.evaluation.outputs import beside, make_room, room_for_items, writing
from ganlit.studies.evaluation.pace import Pace
from ganlit.studies.evaluation.subject import reachable
from ganlit.studies.evaluation.tiles import Network, Side, answered, joined, tiling
from ganlit.studies.evaluation.trained import Checkpoint, finite, passing, taking_data
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.step import stateless_seed

COLUMNS, ROWS = 8, 4  # of the picture, at most: pairs, one item under the other


def translate(
    run: str,
    source: str,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
    skip_bad: bool = False,
    tile: Side = None,
    overlap: int | None = None,
    back: bool = False,
    levels: int | None = None,
    **options: Any,
) -> None:
    """Write what a run's generator makes of items, each under its own name, and beside their folder some to look at.

    Args:
        run: the run directory, such as runs/vqgan, or the .safetensors file of an averaged generator
        source: a folder with its sub-folders, a file or a zip of items. A network that takes any size is given them as
            they are; for another one they are brought to the form of the run's data, as these were
        out: an empty or new folder; by default `translated` in the run directory, or beside the file
        checkpoint: of a run directory, the last, or the best of the validations
        skip_bad: leave out items that cannot be used
        tile: side of the tiles in which longer items go through the network, or whole for none; by default 512 for
            images, if the network takes any size. The memory that the network needs follows from it; beside that, an
            item is in memory once, and what is made of it, where that comes in tiles, in a file
        overlap: how far a tile sees beyond what counts of it: if the network looks no farther around, the answer is
            that of the whole. By default it is as far as the network says that it looks, or else a sixteenth of the
            side
        back: of a run that goes both ways, make sources of targets
        levels: of a codec whose codes are in several, the first ones alone, which are fewer bits
        options: of the kind of data that it is

    Raises:
        UserError: the run cannot be loaded or takes no data, the folder is not empty, or an item cannot be used.
    """
    reachable(run)
    existing(source)
    folder = Path(out) if out is not None else beside(run) / "translated"
    picture = room_for_items(folder, "--out", [source])
    module, data = taking_data(run, checkpoint), setting(run).data
    given, made = ("target", "source") if back else ("source", "target")
    if back:
        turn(module, run)
    reduced(module, levels, run)
    inputs = Inputs(source, run, module, options, skip_bad, back=True, field=given)
    modality = data.modality_of(made)
    cut = tiling(module.generator, inputs.kind, tile, overlap)
    make_room(folder, folder, "--out")

    shown, bars, pace = Shown(inputs.kind, modality), Bars(), Pace(inputs.kind)
    advance = bars.counted(inputs.name, len(inputs))

    def written(piece: Piece) -> int:
        share = len(piece.paths) / cut.count(piece.stored)
        network = through(module, piece, run, f"{source}: {piece.paths[0]}", lambda: advance(share))
        bands = (modality.to_stored(finite(band, run)) for band in answered(network, piece.stored, cut))
        made = joined(bands, folder)
        for path, item, rest in zip(piece.paths, made, piece.beside, strict=True):
            modality.write(item, folder / path, rest if shown.alike else None)
        shown.add(piece.stored, made)
        pace.add(piece.stored)
        return len(made)

    with bars, writing("--out", folder):
        count = sum(map(written, inputs.pieces(advance)))  # so that nothing holds one piece while another is read
        files = shown.write(picture)
    inputs.tell()
    first = "" if shown.count == count else f"the first {shown.count} "
    what = modality.item if count == 1 else f"{modality.item}s"
    say(f"{count:,} {what} in {folder}, {first}below what they were made of in {', '.join(map(str, files))}")
    tell_levels(module.ema.module)
    pace.tell()


def through(module: AdversarialModule, piece: Piece, run: str, items: str, done: Callable[[], None]) -> Network:
    """What the averaged generator makes of parts of a piece.

    Args:
        module: whose it is.
        piece: of which parts are given as they are stored.
        run: where the module comes from.
        items: what messages call the piece.
        done: is called after each part.
    """
    seed = stateless_seed(module.seed, crc32(piece.paths[0].encode()))  # whatever else is in the folder

    def network(part: Tensor) -> Tensor:
        torch.manual_seed(seed)
        with passing(items, module, run):
            made = Made.of(module.ema(piece.seen(part), piece.label)).output.float().cpu()
        done()
        return made

    return network


def turn(module: AdversarialModule, run: str) -> None:
    """Has the generator of a run that goes both ways go back.

    Raises:
        UserError: it does not.
    """
    if not hasattr(module.generator, "back"):
        name = type(module.generator).__name__
        raise UserError(f"{run} holds a {name}, which knows no way back: leave --back out.")
    module.generator, module.ema.module = module.generator.back, module.ema.module.back


class Shown:
    """The first items beside what was made of them, as far as both can stand in one picture.

    Args:
        source: what kind of data was given.
        made: what kind was made.
    """

    def __init__(self, source: Modality, made: Modality) -> None:
        self.kind = made
        self.alike = source.name == made.name
        self.kinds = [source, made] if self.alike else [made]
        self.parts: list[list[Tensor]] = [[] for _ in self.kinds]

    def add(self, source: Tensor, made: Tensor) -> None:
        """Batches [B, ...] as they are stored."""
        for kind, part, items in zip(reversed(self.kinds), reversed(self.parts), (made, source), strict=False):
            if wanted := COLUMNS * ROWS - len(part):
                part += [item.cpu() for item in kind.glance(items[:wanted]).split(1)]

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
