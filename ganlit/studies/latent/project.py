"""Images to latents: a model's own, which it should find again, and any others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ganlit.contracts import Space
from ganlit.errors import UserError, within
from ganlit.metrics.images.paired import psnr
from ganlit.records.media import one_under_the_other
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.options import SEEDS
from ganlit.studies.evaluation.trained import Checkpoint
from ganlit.studies.latent.distance import PIXELS, Distance, measured, squares
from ganlit.studies.latent.encoded import encoded
from ganlit.studies.latent.folder import Folder
from ganlit.studies.latent.invert import RATE, Schedule, invert
from ganlit.studies.latent.subject import KNOWN, Subject, spread
from ganlit.studies.latent.survey import hindered, unseen
from ganlit.studies.latent.tune import LOCALITY, Tuning, tuned_for
from ganlit.studies.latent.wanted import MOST, brought, made_by

COLUMNS = 16  # of the picture
ELSEWHERE = 64  # items by which it is seen what tuning did to others
TUNED = "tuned"


def project(
    run: str,
    images: str | None = None,
    own: int = 0,
    space: Space | None = None,
    steps: int = 1000,
    rate: float = RATE,
    distance: str = PIXELS,
    encoder: str | None = None,
    tune: int = 0,
    locality: float = LOCALITY,
    count: int | None = None,
    classes: str | None = None,
    together: int = 16,
    seed: int = 0,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
    **options: Any,
) -> None:
    """Find the latents of images by optimisation, by the schedule of StyleGAN2, and draw what these make below them.

    Pivotal tuning then moves the weights of a copy of the generator, whatever generator it is, until these latents make
    the images. It is written as tuned.safetensors, a run to all tools that take one's averaged generator; two more rows
    of the picture are what it makes of the latents, and of these moved by a unit along the strongest direction of SeFa.

    Args:
        run: the run directory, such as runs/stylegan_lite, or the .safetensors file of an averaged generator
        images: a folder with its sub-folders, a file or a zip of them; they are brought to the form of the run's data
        own: instead, so many of the model's own: whether it finds again what it has made, in other noise
        space: z, w, w+, in which every layer has a style of its own, or s, what layers make of these for their
            channels; by default w where a generator has styles
        steps: of the optimisation; with an encoder also none, for what it finds by itself
        rate: of learning; it rises in the first 5 % of the steps and falls in the last 25 %
        distance: pixels, or an extractor by whose layers images are compared, such as efficientnet-lite0
        encoder: a run of configs/inversion.yaml by whose answer the search begins, instead of at the mean
        tune: steps of pivotal tuning afterwards, such as 350; none by default
        locality: how much counts in it that other latents keep their images
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
    within("--steps", steps, least=1 if encoder is None else 0, most=10**6)
    within("--rate", rate, above=0, most=1000)
    within("--tune", tune, least=0, most=10**6)
    within("--locality", locality, least=0, most=1000)
    within("--together", together, least=1, most=2**12)
    within("--own", own, least=0, most=MOST)
    within("--count", count, least=1, most=MOST, optional=True)
    if (images is None) == (own == 0):
        what = "neither --images nor --own" if images is None else f"--images {images} and --own {own}"
        raise UserError(
            f"project was given {what}: name a folder of images, or say --own N, for so many of the model's own."
        )
    folder = Folder(run, "project", out)
    subject = Subject(run, checkpoint, space, classes, together)
    wanted = made_by(subject, own, seed) if images is None else brought(subject, images, count, classes, options)
    if wanted.label is None and subject.space == "z":
        raise UserError(f"--space z: {run} makes something else of each class: say which by --classes, or take w.")
    measure = measured(subject, distance, wanted.stored[:1])
    target = subject.kind.to_network(wanted.stored.to(subject.device))
    answer = None if encoder is None else encoded(subject, encoder, target)
    folder.make()
    sample, of = subject.sample(KNOWN, seed)
    reach = spread(sample, of)
    begin = starts(sample, of, wanted.label, len(target)) if answer is None else answer
    label = torch.zeros(len(begin), dtype=torch.int64) if wanted.label is None else wanted.label
    label = label.to(subject.device)
    with Bars() as bars:
        advance = bars.counted("steps", steps * -(-len(begin) // together))
        latents = looked_for(subject, begin, label, target, measure, reach, Schedule(steps, rate), seed, advance)
        tuned = subject
        if tune:
            near = measure if distance == PIXELS else both(measure, squares)
            how, advance = Tuning(tune, locality=locality), bars.counted("steps of tuning", tune)
            tuned = tuned_for(subject, latents, label, target, near, sample, reach, how, seed, advance)
    made = [subject.made(latents, label)]
    rows: list[dict[str, Any]] = [
        {"name": name, "class": int(each) if wanted.label is not None else "", "psnr": float(value)}
        for name, each, value in zip(wanted.names, label, psnr(made[0], wanted.stored), strict=True)
    ]
    about: dict[str, Any] = {"seed": seed, "steps": steps, "rate": rate, "measured_by": distance, "unit": reach}
    about["begins_at"] = encoder or "the mean"
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
    if tune:
        made += [tuned.made(latents, label), *edited(tuned, latents, label, sample, reach)]
        for row, value in zip(rows, psnr(made[1], wanted.stored).tolist(), strict=True):
            row["psnr_tuned"] = value
        about["tuned"] = {**how._asdict(), "psnr": mean(rows, "psnr_tuned"), "elsewhere": kept(subject, tuned, seed)}
    columns = min(COLUMNS, len(rows))
    gap = torch.zeros_like(wanted.stored[:1]).expand(-len(rows) % columns, -1, -1, -1)  # of the last row
    sides = [list(torch.cat([each, gap]).split(1)) for each in (wanted.stored, *made)]
    folder.picture(subject, one_under_the_other(sides, columns), columns)
    folder.latents(tuned, latents, label, wanted.names)
    if tune:
        folder.weights(tuned, TUNED)
    folder.table(rows)
    folder.numbers(subject.generator, subject.space, about)
    folder.told(sentence(about, len(rows), subject.space))


def looked_for(
    subject: Subject,
    begin: Tensor,
    label: Tensor,
    target: Tensor,
    measure: Distance,
    reach: float,
    schedule: Schedule,
    seed: int,
    advance: Callable[[int], None],
) -> Tensor:
    """Latents [N, L, d] of the images [N, ...] that are wanted, so many at a time as the subject makes."""
    found = []
    for first in range(0, len(begin), subject.together):
        part = slice(first, first + subject.together)
        found.append(
            invert(
                lambda latent, of=label[part]: subject.render(latent, of),
                lambda output, wanted=target[part]: measure(output, wanted),
                begin[part],
                reach,
                schedule,
                seed,
                advance,
            )
        )
    return torch.cat(found)


def edited(subject: Subject, latents: Tensor, label: Tensor, sample: Tensor, reach: float) -> list[Tensor]:
    """What latents [N, L, d] make [N, C, H, W] once moved along the strongest direction, where there is one."""
    if "sefa" in hindered(subject):
        return []
    [direction] = unseen(subject, ["sefa"], sample[:, 0], 1)
    return [subject.made(latents + reach * direction.vector.to(latents), label)]


def kept(subject: Subject, tuned: Subject, seed: int) -> float:
    """The PSNR of what other weights make of latents from anywhere, in dB: how much they have kept of these images."""
    latents, label = subject.sample(ELSEWHERE, seed + 1)
    return float(psnr(tuned.made(latents, label), subject.made(latents, label)).mean())


def both(*distances: Distance) -> Distance:
    """Their sum."""
    return lambda output, target: sum(each(output, target) for each in distances)


def mean(rows: list[dict[str, Any]], key: str) -> float:
    return sum(row[key] for row in rows) / len(rows)


def sentence(about: dict[str, Any], count: int, space: Space) -> str:
    """What came out."""
    told = f"{count} image{'s' * (count != 1)} in {space}: PSNR {about['psnr']['mean']:.2f} dB"
    told += f", at the start {about['psnr']['start']:.2f}"
    if "distance" in about:
        told += f", the very latents in other noise {about['psnr']['in_other_noise']:.2f}"
        told += f"; distance {about['distance']['mean']:.3f} of a unit, at the start {about['distance']['start']:.3f}"
    if "tuned" in about:
        told += f"; with weights tuned for them {about['tuned']['psnr']:.2f} dB"
        told += f", and {about['tuned']['elsewhere']:.2f} dB of other images kept"
    return told + ","


def starts(sample: Tensor, of: Tensor, label: Tensor | None, count: int) -> Tensor:
    """The means [N, L, d] of the latents of each class; without classes that of all."""
    if label is None:
        return sample.mean(0).expand(count, -1, -1).clone()
    means = {each: sample[of == each].mean(0) for each in label.unique().tolist() if bool((of == each).any())}
    return torch.stack([means.get(each, sample.mean(0)) for each in label.tolist()])
