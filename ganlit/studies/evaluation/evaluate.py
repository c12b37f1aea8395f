"""Measures of a run, or of pictures from anywhere, against a dataset, pictures or the data of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import rich
import torch
from rich.console import Console
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.transforms.functional import to_pil_image
from torchvision.utils import make_grid

from ganlit.callbacks.samples import write_picture
from ganlit.compute.console import say
from ganlit.contracts import Reference
from ganlit.data.images.pictures import Pictures
from ganlit.errors import UserError
from ganlit.metrics.images.inception import Precision
from ganlit.metrics.images.resize import Resize
from ganlit.metrics.manifold import nearest
from ganlit.metrics.measure import Measured, Question, measure, require, unavailable
from ganlit.metrics.passes import Pass, passes
from ganlit.metrics.portrait import Collector, Portrait
from ganlit.metrics.reality import subset
from ganlit.studies.evaluation import scores
from ganlit.studies.evaluation.bars import Bars, device_of
from ganlit.studies.evaluation.options import (
    DATASETS,
    Sides,
    make_room,
    refuse_idle_options,
    refuse_numbers,
    sorted_out,
)
from ganlit.studies.evaluation.pairs import compare
from ganlit.studies.evaluation.subject import Generated, Shown, Subject, Weights, is_run, pictures_of, reference_for

ROWS, NEAREST = 10, 8  # of the picture of neighbours
WIDEST = 500  # a line of the table where nobody's screen folds it


def evaluate(
    subject: str,
    against: str | None = None,
    metrics: str = "fid,kid,is,prdc",
    count: int | None = None,
    split: str = "train",
    against_split: str = "train",
    root: Path = DATASETS,
    weights: Weights = "ema",
    truncation: float = 1.0,
    checkpoint: Literal["last", "best"] = "last",
    seed: int | None = None,
    precision: Precision | None = None,
    resize: Resize | None = None,
    weights_file: Path | None = None,
    bootstrap: int = 20,
    device: str = "auto",
    json: Path | None = None,
    baseline: Path | None = None,
    neighbours: Path | None = None,
) -> None:
    """Measure a run, or pictures from anywhere, against real ones.

    Args:
        subject: a run directory, the .safetensors file of a run, a folder or zip of images, or a dataset by name
        against: the same, where a run stands for its training data, which is also the default for a run
        metrics: any of fid, kid, is, prdc, probe, class-fid and memorisation with commas between them; fid@dinov2 asks
            for another extractor than the FID's own Inception; psnr, ssim and lpips compare pictures of one path
        count: images; by default as many as a run's own tests, so that the numbers can be compared with its record,
            and all pictures of a folder; fewer of these are a fixed random choice
        split: of the subject, where it is a dataset
        against_split: of what it is measured against
        root: where torchvision's datasets lie or are downloaded to
        weights: of a run, the averaged generator or the one trained last
        truncation: of a run, psi; below one, fewer failures and less variety
        checkpoint: of a run directory, the last, or the best
        seed: of latents and labels, by default the run's own, and of the bootstrap
        precision: of the features; bf16 is another protocol; by default that of a run's own measures, else fp32
        resize: what brings images to the Inception's size, legacy as in the papers, or clean; by default that of a
            run's own measures, else legacy
        weights_file: of the Inception; by default they are looked for
        bootstrap: resamples for the standard error of FID; 0 for none
        device: cpu, cuda, cuda:1, ...; auto takes a GPU where there is one
        json: a new file for the numbers, {metric: {id: {value, spread, of}}}
        baseline: such a file of before, to compare with
        neighbours: a new PNG of the images most like a training image, each beside its nearest ones

    Raises:
        UserError: one of these is not there, does not fit the others, or would overwrite a file.
    """
    before = scores.read(baseline) if baseline is not None else None
    refuse_numbers(count, truncation, seed, bootstrap)
    for option, path in {"json": json, "neighbours": neighbours}.items():
        if path is not None and path.exists():
            raise UserError(f"--{option} {path} exists already: name a new file.")
    asked, paired = sorted_out(metrics, neighbours is not None)
    names = [name for group in asked.values() for name in group]
    place = device_of(device)
    refuse_idle_options(Sides(subject, against, split, against_split, root, weights, truncation, checkpoint))
    if is_run(subject):
        measured: Subject = Generated(subject, count, weights, truncation, seed, checkpoint, place)
    else:
        measured = Shown(pictures_of(subject, split, root, count), labelled="class-fid" in names)
    require(names, len(measured), "--count")
    reference = reference_for(against or subject, against_split, root)
    own = measured.fidelity
    if own.get("reference_images") is not None and Path(against or subject).resolve() == Path(subject).resolve():
        reference = subset(reference, own["reference_images"])
    for option, path in {"json": json, "neighbours": neighbours}.items():
        if path is not None:
            make_room(path, option)

    precision, resize = precision or own.get("precision", "fp32"), resize or own.get("resize", "legacy")
    with Bars() as bars:
        options = weights_file, precision, resize, place, say
        each = passes(asked, reference, *options, lambda name: bars.replacing_lines(name, len(reference.images)))
        missing = [unavailable(one.metrics, one.real, measured.classes == reference.classes) for one in each]
        tell(each, missing, alone=not paired)
        beside = compare(paired, pictures_in(measured), pictures_in(reference), place, bars) if paired else []
        for one in each:
            one.real.prepare(one.rows)
        portraits = portray(measured, each, bars, bootstrap > 1) if each else []
        found = answers(each, portraits, missing, measured.made, bootstrap, seed or 0) + beside

    say(f"{len(measured):,} images of {measured.name} against {len(reference.images):,} of {reference.name}")
    show(found, before)
    if json is not None:
        scores.write(found, json)
        say(f"numbers  {json}")
    if neighbours is not None:
        draw_neighbours(measured, each, portraits, neighbours)
        say(f"picture  {neighbours}")


def pictures_in(images: Subject | Reference) -> Pictures:
    """The pictures that have paths.

    Raises:
        UserError: these are a run's.
    """
    pictures = images.pictures if isinstance(images, Shown) else getattr(images, "images", None)
    if not isinstance(pictures, Pictures):
        raise UserError(
            f"psnr, ssim and lpips pair pictures by their paths, and {images.name} is of a run: give two folders."
        )
    return pictures


def portray(subject: Subject, each: Sequence[Pass], bars: Bars, rows: bool) -> list[Portrait]:
    """The images as every extractor sees them; they are made or decoded once.

    Args:
        rows: keep them also where no metric asks for them.
    """
    advance = bars.counted(subject.name, len(subject) * len(each))
    collectors = [Collector(one.real.extractor, len(subject), rows or one.rows, advance) for one in each]
    for turn, places in enumerate(subject.turns):
        images, labels = subject.show(turn)
        for collector in collectors:
            collector.add(images, places, labels)
    return [collector.finish() for collector in collectors]


def tell(each: Sequence[Pass], missing: Sequence[dict[str, str]], alone: bool) -> None:
    """Says what cannot be had, by pass and metric.

    Args:
        alone: whether nothing else was asked for.

    Raises:
        UserError: that is all.
    """
    reasons = [f"{metric} is unavailable: {reason}" for some in missing for metric, reason in some.items()]
    if alone and len(reasons) == sum(len(one.metrics) for one in each):
        raise UserError(f"There is nothing to measure, for {', and '.join(reasons)}: ask for other --metrics.")
    for reason in reasons:
        say(f"{reason}.")


def answers(
    each: Sequence[Pass],
    portraits: Sequence[Portrait],
    missing: Sequence[dict[str, str]],
    made: str,
    replicates: int,
    seed: int,
) -> list[Measured]:
    """All numbers that can be had."""
    found = []
    for (real, metrics), portrait, without in zip(each, portraits, missing, strict=True):
        possible = [metric for metric in metrics if metric not in without]
        found += measure(possible, Question(portrait, real, made, replicates, seed))
    return found


def show(found: Sequence[Measured], before: scores.Scores | None) -> None:
    """Prints the table: folded to a terminal, in full lines elsewhere."""
    console = rich.get_console()
    if not console.is_terminal:
        console = Console(width=WIDEST)
    console.print(scores.table(found, before), highlight=False)


def draw_neighbours(subject: Subject, each: Sequence[Pass], portraits: Sequence[Portrait], path: Path) -> None:
    """Rows of an image and the training images nearest to it, the closest image first."""
    real, portrait = next(
        (one.real, portrait) for one, portrait in zip(each, portraits, strict=True) if "memorisation" in one.metrics
    )
    distances, indices = nearest(portrait.rows, real.rows, min(NEAREST, len(real.rows)))
    closest = distances[:, 0].argsort()[:ROWS]
    images = subject.at(portrait.places[closest]).cpu()
    rows = []
    for image, places in zip(images, real.places[indices[closest]], strict=True):
        rows += [of_size(image[None], images.shape), of_size(real.reference.images[places], images.shape)]
    write_picture(to_pil_image(make_grid(torch.cat(rows), nrow=1 + indices.shape[1])), path)


def of_size(images: Tensor, shape: Sequence[int]) -> Tensor:
    """uint8 images [B, 1 or 3, h, w] as [B, 3, H, W]."""
    images = images.expand(-1, 3, -1, -1)
    if images.shape[-2:] == tuple(shape[-2:]):
        return images
    return interpolate(images.float(), tuple(shape[-2:]), mode="bilinear", antialias=True).round().to(torch.uint8)
