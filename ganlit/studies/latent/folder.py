"""Where the latent tools write: an empty or new folder of pictures, films, latents and numbers."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganlit.compute.console import say
from ganlit.configuration.rebuild import recorded
from ganlit.data.video.writing import write_frames
from ganlit.records.durable import replacing, write_weights
from ganlit.records.media import PICTURE, drawn, write_picture
from ganlit.studies.evaluation.latents import SUFFIX, About, Values, write
from ganlit.studies.evaluation.outputs import beside, empty, make_room, writing
from ganlit.studies.evaluation.trained import digest_of
from ganlit.studies.latent.plate import Cell, plate
from ganlit.studies.latent.subject import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure


NUMBERS = "numbers.json"


class Folder:
    """A folder for the answers of one command.

    Args:
        run: what it is asked about.
        tool: its name.
        out: as it was typed; by default latent-TOOL in the run directory, or beside the file of weights.

    Raises:
        UserError: something is there.
    """

    def __init__(self, run: str, tool: str, out: str | None) -> None:
        self.path = Path(out) if out is not None else beside(run) / f"latent-{tool}"
        self.run = run
        self.tool = tool
        empty(self.path, "--out")

    def make(self) -> None:
        """To be called when all else is known to be well.

        Raises:
            UserError: it cannot be made.
        """
        make_room(self.path, self.path, "--out")

    def picture(self, subject: Subject, rows: Sequence[Tensor], columns: int, name: str = "") -> None:
        """Stored images [n, C, H, W], one batch after another, in a grid."""
        with writing("--out", self.path):
            subject.kind.show(rows, columns, self.path / (name or self.tool))

    def plate(self, rows: Sequence[Sequence[Cell]], name: str = "") -> None:
        """Images in rows with words below them."""
        with writing("--out", self.path):
            write_picture(plate(rows), self.path / (name or self.tool))

    def figure(self, figure: Figure, name: str = "") -> None:
        """A figure that matplotlib draws."""
        with writing("--out", self.path), replacing(self.path / f"{name or self.tool}{PICTURE}") as partial:
            partial.write_bytes(drawn(figure, 130))

    def film(self, frames: Tensor, rate: float) -> None:
        """Stored images [T, C, H, W] one after the other."""
        with writing("--out", self.path):
            write_frames(frames, self.path / self.tool, rate)

    def latents(self, subject: Subject, latents: Tensor, label: Tensor, names: Sequence[str] = ()) -> None:
        """Latents [N, L, d] and labels [N] as `encode` writes them."""
        paths = list(names) or [f"{number:06}" for number in range(len(latents))]
        about = About("latents", paths, subject.run, digest_of(subject.generator))
        with writing("--out", self.path):
            write(about, Values(latents.float().cpu(), label.cpu()), self.path / f"latents{SUFFIX}")

    def weights(self, subject: Subject, name: str) -> None:
        """Those of a subject as `fit` writes an averaged generator: a run to whatever takes one."""
        module, config = subject.module, recorded(Path(subject.run))[0]
        with writing("--out", self.path):
            path = self.path / f"{name}{SUFFIX}"
            write_weights(subject.generator, config, module.images_seen, path, module.populated)

    def numbers(self, generator: nn.Module, space: str, found: Mapping[str, Any]) -> None:
        """What was measured of a generator in a space of its latents: numbers.json."""
        about = {"run": self.run, "weights": digest_of(generator), "space": space}
        with writing("--out", self.path), replacing(self.path / NUMBERS) as partial:
            partial.write_text(json.dumps({**about, **found}, indent=2, default=plain) + "\n")

    def table(self, rows: Sequence[Mapping[str, Any]], name: str = "numbers") -> None:
        """The same of many things alike: a CSV with a column for each of their keys."""
        with writing("--out", self.path), replacing(self.path / f"{name}.csv") as partial, partial.open("w") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def told(self, what: str) -> None:
        """Says where it is."""
        say(f"{what} in {self.path}")


def plain(value: Any) -> Any:
    """Tensors as JSON has them."""
    if isinstance(value, torch.Tensor):
        return value.tolist()
    raise TypeError(type(value).__name__)


def apart(images: Tensor, others: Tensor) -> Tensor:
    """The root mean squared difference [N] of stored images [N, C, H, W], in parts of their range."""
    most = 1.0 if images.is_floating_point() else float(torch.iinfo(images.dtype).max)
    return (images.double() - others.double()).flatten(1).square().mean(1).sqrt() / most
