"""Measures of a run, or of items from anywhere, against a dataset, other items or the data of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ganlit.compute.console import print_table, say
from ganlit.contracts import Collection, Modality, Reference
from ganlit.errors import UserError
from ganlit.metrics.asked import lacking, require, require_real
from ganlit.metrics.features import Precision, Resize
from ganlit.metrics.manifold import nearest
from ganlit.metrics.measure import Measured, Question, measure
from ganlit.metrics.passes import Options, Pass, passes
from ganlit.metrics.portrait import Collector, Portrait
from ganlit.metrics.reality import subset
from ganlit.studies.evaluation import scores
from ganlit.studies.evaluation.bars import Bars, device_of
from ganlit.studies.evaluation.options import (
    DATASETS,
    Sides,
    refuse_idle_options,
    refuse_numbers,
    sorted_out,
)
from ganlit.studies.evaluation.outputs import apart, make_room, new, picture_of, writing
from ganlit.studies.evaluation.pairs import compare
from ganlit.studies.evaluation.subject import (
    Collected,
    Generated,
    Subject,
    collection_of,
    is_run,
    modality_of,
    reachable,
    reference_for,
)
from ganlit.studies.evaluation.trained import Checkpoint, Weights

ROWS, NEAREST = 10, 8  # of the picture of neighbours


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
    checkpoint: Checkpoint = "last",
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
    """Measure a run, or items from anywhere, against real ones.

    Args:
        subject: a run directory, the .safetensors file of a run, a folder or zip of items, or a dataset by name
        against: the same, where a run stands for its training data, which is also the default for a run
        metrics: any of fid, kid, is, prdc, probe, class-fid and memorisation with commas between them; fid@dinov2 asks
            for another extractor than the FID's own Inception; psnr, ssim and lpips compare items of one path
        count: items; by default as many as a run's own tests, so that the numbers can be compared with its record,
            and all items of a folder; fewer of these are a fixed random choice
        split: of the subject, where it is a dataset
        against_split: of what it is measured against
        root: where torchvision's datasets lie or are downloaded to
        weights: of a run, the averaged generator or the one trained last
        truncation: of a run, psi; below one, fewer failures and less variety
        checkpoint: of a run directory, the last, or the best
        seed: of latents and labels, by default the run's own, and of the bootstrap
        precision: of the features; bf16 is another protocol; by default that of a run's own measures, else fp32
        resize: what brings items to an extractor's size, legacy as in the papers, or clean; by default that of a
            run's own measures, else legacy
        weights_file: of the default extractor; by default they are looked for
        bootstrap: resamples for the standard error of FID; 0 for none
        device: cpu, cuda, cuda:1, ...; auto takes a GPU where there is one
        json: a new file for the numbers, {metric: {id: {value, spread, of}}}
        baseline: such a file of before, to compare with
        neighbours: a new picture of the items most like a training item, each beside its nearest ones

    Raises:
        UserError: one of these is not there, does not fit the others, or would overwrite a file.
    """
    before = scores.read(baseline) if baseline is not None else None
    refuse_numbers(count, truncation, seed, bootstrap)
    picture = None if neighbours is None else picture_of(neighbours)
    for option, path in (("--json", json), ("--neighbours", neighbours), ("--neighbours", picture)):
        if path is not None:
            new(path, option)
    sorted_out(metrics, picture is not None)  # which refuses what nobody knows, of any modality
    place = device_of(device)
    sides = [subject] if against is None else [subject, against]
    for word in sides:
        reachable(word)
    refuse_idle_options(Sides(subject, against, split, against_split, root, weights, truncation, checkpoint))
    if picture is not None:
        apart(json, picture, "--neighbours", [word for word in sides if not is_run(word)])
    modality = modality_of(subject, against)
    asked, paired = sorted_out(metrics, picture is not None, modality)
    names = [name for group in asked.values() for name in group]
    if weights_file is not None and modality.extractor not in asked:
        raise UserError(f"--weights_file is of {modality.extractor}, which no metric asks for: leave the option out.")
    if is_run(subject):
        measured: Subject = Generated(subject, count, weights, truncation, seed, checkpoint, place)
    else:
        found = collection_of(subject, modality, split, root, count)
        measured = Collected(found, modality.name, labelled="class-fid" in names)
    few = f"There are {len(measured)} {modality.item}s of {measured.name}" if count is None else f"--count is {count}"
    require(names, len(measured), few, len(measured.classes))
    reference = reference_for(against or subject, modality, against_split, root)
    own = measured.fidelity
    if own.get("reference_images") is not None and Path(against or subject).resolve() == Path(subject).resolve():
        reference = subset(reference, own["reference_images"])
    require_real(names, reference)
    for option, path in {"--json": json, "--neighbours": picture}.items():
        if path is not None:
            make_room(path.parent, path, option)

    precision, resize = precision or own.get("precision", "fp32"), resize or own.get("resize", "legacy")
    with Bars() as bars:
        options, total = Options(weights_file, precision, resize), len(reference.items)
        each = passes(asked, reference, modality, options, place, say, lambda name: bars.replacing_lines(name, total))
        missing = lacking(each, measured.classes == reference.classes, "--metrics", say, beside=bool(paired))
        beside = (
            compare(paired, collection_in(measured), collection_in(reference), modality.name, place, bars)
            if paired
            else []
        )
        for one in each:
            one.real.prepare(one.rows)
        portraits = portray(measured, modality, each, bars, bootstrap > 1) if each else []
        found = answers(each, portraits, missing, measured.made, bootstrap, seed or 0) + beside

    drawn: list[Path] = []
    try:  # files first: whoever reads what is said may be gone
        if json is not None:
            with writing("--json", json):
                scores.write(found, json)
        if picture is not None:
            drawn = draw_neighbours(measured, modality, each, portraits, picture)
    finally:
        say(f"{len(measured):,} {modality.item}s of {measured.name} against {total:,} of {reference.name}")
        print_table(scores.table(found, before))
    if json is not None:
        say(f"numbers  {json}")
    for file in drawn:
        say(f"picture  {file}")


def collection_in(side: Subject | Reference) -> Collection:
    """The items that have paths.

    Raises:
        UserError: these are a run's.
    """
    items = getattr(side, "items", None)
    if not isinstance(items, Collection):
        raise UserError(
            f"psnr, ssim and lpips pair items by their paths, and {side.name} is of a run: give two folders."
        )
    return items


def portray(subject: Subject, modality: Modality, each: Sequence[Pass], bars: Bars, rows: bool) -> list[Portrait]:
    """The items as every extractor sees them; they are made or decoded once.

    Args:
        rows: keep them also where no metric asks for them.
    """
    advance = bars.counted(subject.name, len(subject) * len(each))
    collectors = [Collector(one.real.extractor, len(subject), rows or one.rows, advance) for one in each]
    for turn, places in enumerate(subject.turns):
        items, labels = subject.show(turn)
        for collector in collectors:
            collector.add(modality.for_extractor(items), places, labels)
    return [collector.finish() for collector in collectors]


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


def draw_neighbours(
    subject: Subject, modality: Modality, each: Sequence[Pass], portraits: Sequence[Portrait], path: Path
) -> list[Path]:
    """Rows of an item and the training items nearest to it, the closest first; the files that were written."""
    real, portrait = next(
        (one.real, portrait) for one, portrait in zip(each, portraits, strict=True) if "memorisation" in one.metrics
    )
    distances, indices = nearest(portrait.rows, real.rows, min(NEAREST, len(real.rows)))
    closest = distances[:, 0].argsort()[:ROWS]
    items = subject.at(portrait.places[closest]).cpu()
    rows = []
    for item, places in zip(items, real.places[indices[closest]], strict=True):
        rows += [item[None], real.reference.items[places]]
    with writing("--neighbours", path):
        return modality.show(rows, 1 + indices.shape[1], path.with_suffix(""))
