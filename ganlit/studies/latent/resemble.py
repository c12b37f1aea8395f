"""Which training images a generated one resembles, to the discriminator or to an extractor."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.errors import UserError, within
from ganlit.metrics.manifold import nearest, nearest_others
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.options import SEEDS
from ganlit.studies.evaluation.subject import data_of
from ganlit.studies.evaluation.trained import Checkpoint
from ganlit.studies.latent.eye import reality_of
from ganlit.studies.latent.folder import Folder
from ganlit.studies.latent.judge import Judge
from ganlit.studies.latent.keys import chosen
from ganlit.studies.latent.plate import Cell
from ganlit.studies.latent.subject import TOGETHER, Subject


class Seen(NamedTuple):
    """Images as features show them."""

    made: Tensor  # [N, d]
    real: Tensor  # [M, d] of training images
    places: Tensor  # [M]: which of the training images these are
    reference: Reference  # all of them
    by: str  # what sees them


def resemble(
    run: str,
    seeds: str = "0-7",
    neighbours: int = 6,
    extractor: str | None = None,
    classes: str | None = None,
    seed: int = 0,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
) -> None:
    """Draw items beside the training images that they resemble in the discriminator's features.

    These are what it has found before its last layer. A distance of 1 is that of a training image to its nearest other
    one, in the median.

    Args:
        run: the run directory, such as runs/stylegan_lite
        seeds: the items, as `generate` numbers them, such as 7,3,5 or 0-7
        neighbours: training images beside each, the nearest first
        extractor: of features instead, such as efficientnet-lite0
        classes: of the items in turn, such as 3, or 0-9; all of them by default
        seed: of the latents
        out: an empty or new folder; by default `latent-resemble` in the run directory
        checkpoint: of a run directory, the last, or the best of the validations

    Raises:
        UserError: the run makes no images from noise, has no discriminator that could be asked, or its data are not
            there, or the folder is not empty.
    """
    within("--seed", seed, least=0, below=SEEDS)
    within("--neighbours", neighbours, least=1, most=64)
    numbers = chosen(seeds, "--seeds")
    folder = Folder(run, "resemble", out)
    subject = Subject(run, checkpoint, classes=classes)
    label = subject.labels(numbers)
    latents = subject.latents(subject.z(numbers, seed), label)
    made = subject.made(latents, label, alone=True)
    with Bars() as bars:
        seen = by_judge(subject, made, label, bars.counted) if extractor is None else by(run, extractor, made, bars)
    if neighbours + 1 > len(seen.real):
        raise UserError(f"--neighbours {neighbours}: there are {len(seen.real)} training images: ask for fewer.")
    folder.make()
    distances, found = nearest(seen.made, seen.real, neighbours)
    own = nearest_others(seen.real, 1)[0][:, 0]
    unit = float(own.median()) or 1.0
    labels = seen.reference.labels[seen.places]
    rows = [
        {"name": f"{number:06}", "class": int(of), "nearest": seen.places[near].tolist(), "distances": far.tolist()}
        | {"classes": labels[near].tolist(), "copy": bool(far[0] * unit <= own[near[0]])}
        for number, of, near, far in zip(numbers, label, found, distances / unit, strict=True)
    ]
    drawn = []
    for image, row in zip(made, rows, strict=True):
        real = seen.reference.items[torch.tensor(row["nearest"])]
        beside = [Cell(each, f"{far:.2f}") for each, far in zip(real, row["distances"], strict=True)]
        drawn.append([Cell(image, f"item {int(row['name'])}"), *beside])
    folder.plate(drawn)
    folder.latents(subject, latents, label, [row["name"] for row in rows])
    mean = float(distances[:, 0].mean() / unit)
    about = {"seed": seed, "seen_by": seen.by, "against": f"{seen.reference.name}@{seen.reference.digest[:6]}"}
    about |= {"unit": unit, "nearest": mean, "copies": sum(row["copy"] for row in rows) / len(rows)}
    if subject.known and seen.reference.classes:
        same = torch.tensor([row["classes"] for row in rows]) == label.cpu()[:, None]
        about["of_own_class"] = float(same.double().mean())
    folder.numbers(subject.generator, subject.space, {**about, "items": rows})
    folder.told(f"{len(rows)} items, on average {mean:.2f} from the nearest training image, by {seen.by},")


def by_judge(
    subject: Subject, made: Tensor, label: Tensor, counted: Callable[[str, int], Callable[[float], None]]
) -> Seen:
    """As the discriminator sees stored images [N, C, H, W] and what it was trained on."""
    real = data_of(subject.run).trained_of("target")
    judge, total = Judge(subject, real), len(real.items)
    of = judge.features(made, label)
    advance, found = counted("training images", total), []
    for first in range(0, total, TOGETHER):
        part = slice(first, first + TOGETHER)
        found.append(judge.features(real.items[part], real.labels[part], advance))
    return Seen(of, torch.cat(found), torch.arange(total), real, f"{judge.who}, {of.shape[1]} features")


def by(run: str, extractor: str, made: Tensor, bars: Bars) -> Seen:
    """As an extractor sees them."""
    real = reality_of(run, extractor, bars.replacing_lines)
    seen = real.extractor.extract(real.view(made))["pool"]
    return Seen(seen, real.rows, real.places, real.reference, real.extractor.protocol)
