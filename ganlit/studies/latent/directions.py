"""Directions of a latent space, found in three ways and scored."""

from __future__ import annotations

from typing import Any

import torch
from rich.table import Table
from torch import Tensor

from ganlit.compute.console import print_table
from ganlit.contracts import Space
from ganlit.errors import UserError, nearest, within
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.options import SEEDS
from ganlit.studies.evaluation.trained import Checkpoint
from ganlit.studies.latent.eye import eye_of
from ganlit.studies.latent.find import Direction
from ganlit.studies.latent.folder import Folder
from ganlit.studies.latent.subject import Subject
from ganlit.studies.latent.survey import CHANNELS, Asked, possible, survey

KINDS = ("sefa", "ganspace", "classes")
COLUMNS = 7  # of a strip


def directions(
    run: str,
    kinds: str | None = None,
    keep: int = 5,
    extent: float = 1.0,
    count: int = 32,
    random: int = 16,
    fitted: int = 1000,
    shown: int = 8,
    space: Space | None = None,
    classes: str | None = None,
    extractor: str | None = None,
    seed: int = 0,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
) -> None:
    """Find directions in the latent space, score each beside random ones, and draw strips of the best.

    Each is scored by what a unit of it changes in the class probe, how much of an item it keeps, how straight the
    change is, and by a test whether it changes more than random directions do.

    Args:
        run: the run directory, such as runs/stylegan_lite, or the .safetensors file of an averaged generator
        kinds: sefa, from the weights; ganspace, from where styles lie; classes, from what the class probe finds in
            samples; by default all that the generator and its data allow; in s, channels, of which all are tried
        keep: directions of sefa and of ganspace, or channels
        extent: how far items are moved to either side; a unit is the typical distance of a latent to the mean of its
            class, and of a channel five of its standard deviations
        count: items that are moved
        random: directions to compare with
        fitted: samples by which directions of classes are found
        shown: directions in the picture, the best first, each with two items
        space: z, or, where a generator has styles, w, which is the default there, or s, in which a direction is a
            single channel of what layers make of their style
        classes: of the items in turn, such as 3, or 0-9; all of them by default
        extractor: of the features, such as efficientnet-lite0; by default that of the run's own measures
        seed: of the latents
        out: an empty or new folder; by default `latent-directions` in the run directory
        checkpoint: of a run directory, the last, or the best of the validations

    Raises:
        UserError: the run makes no images from noise, its data or the extractor are not there, or the folder is not
            empty.
    """
    within("--seed", seed, least=0, below=SEEDS)
    within("--extent", extent, above=0, most=100)
    for option, value, least in (("keep", keep, 1), ("count", count, 2), ("random", random, 2), ("fitted", fitted, 50)):
        within(f"--{option}", value, least=least, most=2**16)
    within("--shown", shown, least=1, most=256)
    asked = understood(kinds, space)
    if space == "w+":
        raise UserError("--space w+: a direction is one of all layers: write --space w, or leave it out.")
    folder = Folder(run, "directions", out)
    subject = Subject(run, checkpoint, space, classes)
    how = Asked(keep, extent, count, random, fitted, seed)
    with Bars() as bars:
        eye = eye_of(run, extractor, bars.replacing_lines)
        wanted = possible(subject, eye, asked, named=kinds is not None)
        folder.make()
        found, rows, unit, chance, told = survey(subject, eye, wanted, how, bars.counted)
    latents, label = subject.sample(2, seed + 1)
    strips(folder, subject, found[:shown], latents, label, extent)
    vectors = torch.stack([each.vector for each in found])[:, None]
    folder.latents(subject, vectors, torch.zeros(len(found), dtype=torch.int64), [each.name for each in found])
    folder.table(rows, "directions")
    about = {"seed": seed, "extent": extent, "unit": unit, "count": count, "random": random, **told}
    folder.numbers(subject.generator, subject.space, {**about, "random_effect": chance, "directions": rows})
    print_table(table_of(rows, chance))
    folder.told(f"{len(found)} directions in {subject.space}")


def understood(kinds: str | None, space: Space | None) -> list[str]:
    """Kinds of directions as they were typed; by default all of a space."""
    usual = (CHANNELS,) if space == "s" else KINDS
    asked = list(usual) if kinds is None else [word.strip() for word in kinds.split(",") if word.strip()]
    for word in asked:
        if word not in (known := (*KINDS, CHANNELS)):
            raise UserError(f"--kinds {word}: there are {', '.join(known)}{nearest(word, known) or '.'}")
    if not asked:
        raise UserError(f"--kinds names nothing: give some of {', '.join(usual)}, or leave it out.")
    return list(dict.fromkeys(asked))


def strips(
    folder: Folder, subject: Subject, found: list[Direction], latents: Tensor, label: Tensor, extent: float
) -> None:
    """A row for each item [n, L, d] along each direction, to either side so many units of it."""
    rows = []
    for direction in found:
        reach = extent * (direction.unit or 1.0)
        for latent, of in zip(latents, label, strict=True):
            at = torch.linspace(-reach, reach, COLUMNS).to(latent)[:, None, None]
            rows.append(subject.made(latent + at * direction.vector.to(latent), of.expand(COLUMNS), alone=True))
    folder.picture(subject, rows, COLUMNS)


def table_of(rows: list[dict[str, Any]], chance: float) -> Table:
    table = Table(title=f"a random direction changes {chance:.3f} a unit", title_justify="left")
    for name in ("direction", "effect", "x random", "p (Holm)", "identity", "linearity", "from", "to"):
        table.add_column(name, justify="left" if name in ("direction", "from", "to") else "right")
    for row in rows:
        numbers = (row["effect"], row["times_random"], row["p"], row["identity"], row["linearity"])
        figures = [f"{value:.{digits}f}" for value, digits in zip(numbers, (3, 2, 4, 2, 2), strict=True)]
        table.add_row(row["name"], *figures, row["away"], row["towards"])
    return table
