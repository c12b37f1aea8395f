"""Images to latents: a model's own, which it should find again, and any others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganlit.configuration.names import given_options
from ganlit.configuration.rebuild import setting
from ganlit.contracts import Space, Verdict
from ganlit.errors import UserError, within
from ganlit.losses.base import Attempt
from ganlit.losses.images.perceptual import Perceptual
from ganlit.metrics.images.paired import psnr
from ganlit.records.media import one_under_the_other
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.generate import turns
from ganlit.studies.evaluation.inputs import existing, numbered
from ganlit.studies.evaluation.options import SEEDS
from ganlit.studies.evaluation.subject import data_of
from ganlit.studies.evaluation.trained import Checkpoint
from ganlit.studies.latent.folder import Folder
from ganlit.studies.latent.invert import RATE, Schedule, invert
from ganlit.studies.latent.subject import KNOWN, Subject, spread

PIXELS = "pixels"
MOST = 2**14  # images
COLUMNS = 16  # of the picture
OTHER_NOISE = 1  # of what is to be found again; it is looked for in noise 0


class Wanted(NamedTuple):
    """Images that latents are looked for."""

    stored: Tensor  # [N, C, H, W]
    label: Tensor | None  # [N] int64; None where nobody knows them
    names: list[str]
    latents: Tensor | None = None  # [N, L, d] where these are known


def project(
    run: str,
    images: str | None = None,
    own: int = 0,
    space: Space | None = None,
    steps: int = 1000,
    rate: float = RATE,
    distance: str = PIXELS,
    count: int | None = None,
    classes: str | None = None,
    together: int = 16,
    seed: int = 0,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
    **options: Any,
) -> None:
    """Find the latents of images by optimisation, by the schedule of StyleGAN2, and draw what these make below them.

    Args:
        run: the run directory, such as runs/stylegan_lite, or the .safetensors file of an averaged generator
        images: a folder with its sub-folders, a file or a zip of them; they are brought to the form of the run's data
        own: instead, so many of the model's own: whether it finds again what it has made, in other noise
        space: z, w, or w+, in which every layer has a style of its own; by default w where a generator has styles
        steps: of the optimisation
        rate: of learning; it rises in the first 5 % of the steps and falls in the last 25 %
        distance: pixels, or an extractor by whose layers images are compared, such as efficientnet-lite0
        count: of the images, the first ones; by default all
        classes: of the images in turn, such as 3; by default their own, by the names of their folders
        together: images that are looked for at a time
        seed: of the latents of own images, and of the noise on those that are looked for
        out: an empty or new folder; by default `latent-project` in the run directory
        checkpoint: of a run directory, the last, or the best of the validations
        options: of the kind of data that it is

    Raises:
        UserError: the run makes no images from noise, an image does not fit it, or the folder is not empty.
    """
    within("--seed", seed, least=0, below=SEEDS)
    within("--steps", steps, least=1, most=10**6)
    within("--rate", rate, above=0, most=1000)
    within("--together", together, least=1, most=2**12)
    within("--own", own, least=0, most=MOST)
    within("--count", count, least=1, most=MOST, optional=True)
    if (images is None) == (own == 0):
        what = "neither --images nor --own" if images is None else f"--images {images} and --own {own}"
        raise UserError(
            f"project was given {what}: name a folder of images, or say --own N, for so many of the model's own."
        )
    folder = Folder(run, "project", out)
    subject = Subject(run, checkpoint, space, classes)
    wanted = made_by(subject, own, seed) if images is None else brought(subject, images, count, classes, options)
    if wanted.label is None and subject.space == "z":
        raise UserError(f"--space z: {run} makes something else of each class: say which by --classes, or take w.")
    measure = measured(subject, distance, wanted.stored[:1])
    folder.make()
    sample, of = subject.sample(KNOWN, seed)
    reach = spread(sample, of)
    begin = starts(sample, of, wanted.label, len(wanted.stored))
    label = torch.zeros(len(begin), dtype=torch.int64) if wanted.label is None else wanted.label
    label = label.to(subject.device)
    found = []
    with Bars() as bars:
        advance = bars.counted("steps", steps * -(-len(begin) // together))
        for first in range(0, len(begin), together):
            part = slice(first, first + together)
            of, target = label[part], subject.kind.to_network(wanted.stored[part].to(subject.device))
            found.append(
                invert(
                    lambda latent, of=of: subject.render(latent, of),
                    lambda output, target=target: measure(output, target),
                    begin[part],
                    reach,
                    Schedule(steps, rate),
                    seed,
                    advance,
                )
            )
    latents = torch.cat(found)
    images_found = subject.made(latents, label)
    rows = [
        {"name": name, "class": int(each) if wanted.label is not None else "", "psnr": float(value)}
        for name, each, value in zip(wanted.names, label, psnr(images_found, wanted.stored), strict=True)
    ]
    about: dict[str, Any] = {"seed": seed, "steps": steps, "rate": rate, "measured_by": distance, "unit": reach}
    before = psnr(subject.made(begin, label), wanted.stored)
    about["psnr"] = {"mean": mean(rows, "psnr"), "start": float(before.mean())}
    if wanted.latents is not None:
        again = psnr(subject.made(wanted.latents, label), wanted.stored)
        gaps, firsts = ((each - wanted.latents).norm(dim=-1).mean(1) / reach for each in (latents, begin))
        for row, gap in zip(rows, gaps.tolist(), strict=True):
            row["distance"] = gap
        about["psnr"]["in_other_noise"] = float(again.mean())
        about["distance"] = {"mean": mean(rows, "distance"), "median": float(gaps.median())}
        about["distance"]["start"] = float(firsts.mean())
    columns = min(COLUMNS, len(rows))
    gap = torch.zeros_like(wanted.stored[:1]).expand(-len(rows) % columns, -1, -1, -1)  # of the last row
    sides = [list(torch.cat([each, gap]).split(1)) for each in (wanted.stored, images_found)]
    folder.picture(subject, one_under_the_other(sides, columns), columns)
    folder.latents(subject, latents, label, wanted.names)
    folder.table(rows)
    folder.numbers(subject.generator, subject.space, about)
    folder.told(sentence(about, len(rows), subject.space))


def mean(rows: list[dict[str, Any]], key: str) -> float:
    return sum(row[key] for row in rows) / len(rows)


def sentence(about: dict[str, Any], count: int, space: Space) -> str:
    """What came out."""
    told = f"{count} image{'s' * (count != 1)} in {space}: PSNR {about['psnr']['mean']:.2f} dB"
    told += f", at the start {about['psnr']['start']:.2f}"
    if "distance" in about:
        told += f", the very latents in other noise {about['psnr']['in_other_noise']:.2f}"
        told += f"; distance {about['distance']['mean']:.3f} of a unit, at the start {about['distance']['start']:.3f}"
    return told + ","


def made_by(subject: Subject, count: int, seed: int) -> Wanted:
    """The model's own images, in other noise than that in which they are looked for."""
    numbers = range(count)
    label = subject.labels(numbers)
    latents = subject.latents(subject.z(numbers, seed), label)
    names = [f"{number:06}" for number in numbers]
    return Wanted(subject.made(latents, label, noise=OTHER_NOISE), label.cpu(), names, latents)


def brought(subject: Subject, images: str, count: int | None, classes: str | None, options: dict[str, Any]) -> Wanted:
    """Images from anywhere, in the form of the run's data.

    Raises:
        UserError: there are none, or one does not fit.
    """
    data, kind = setting(subject.run).data, subject.kind
    given = given_options(kind, "bring", options)
    asks = subject.known > 0 and classes is None
    found = kind.bring(existing(images), data.form_of("item"), asks, False, **given)
    total = len(found) if count is None else min(count, len(found))
    within(f"the number of images in {images}", total, least=1, most=MOST)
    label: Tensor | None = None
    if classes is not None:
        turn = turns(subject.module, classes, subject.run)
        label = torch.tensor([turn[place % len(turn)] for place in range(total)])
    elif subject.known == 0:
        label = torch.zeros(total, dtype=torch.int64)
    elif found.classes:
        names = data_of(subject.run).reference.classes
        label = numbered(found, names, images, subject.run, kind.item)[:total]
    return Wanted(found[0:total], label, found.paths[:total])


def starts(sample: Tensor, of: Tensor, label: Tensor | None, count: int) -> Tensor:
    """The means [N, L, d] of the latents of each class; without classes that of all."""
    if label is None:
        return sample.mean(0).expand(count, -1, -1).clone()
    means = {each: sample[of == each].mean(0) for each in label.unique().tolist() if bool((of == each).any())}
    return torch.stack([means.get(each, sample.mean(0)) for each in label.tolist()])


def measured(subject: Subject, distance: str, example: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """The sum over items of their distances, of outputs and targets [B, C, H, W] of [-1, 1].

    Raises:
        UserError: there is no such extractor, or it cannot see such images.
    """
    if distance == PIXELS:
        return lambda output, target: (output - target).square().flatten(1).mean(1).sum()
    if example.shape[1] not in (1, 3):
        raise UserError(f"--distance {distance}: these images have {example.shape[1]} channels: take pixels.")
    criterion = Perceptual(distance)

    def far(output: Tensor, target: Tensor) -> Tensor:
        attempt = Attempt(target, Verdict(lambda items: items, target, output))
        return criterion(attempt) * len(output)

    one = subject.kind.to_network(example.to(subject.device))
    far(one, one)  # which refuses what cannot be seen
    return far
