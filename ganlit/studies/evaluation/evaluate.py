"""Measures of a run, or of items from anywhere, against a dataset, other items or the data of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ganlit.compute.console import print_table, say
from ganlit.contracts import Modality, Reference
from ganlit.errors import UserError
from ganlit.metrics.asked import lacking, require, require_real
from ganlit.metrics.features import Precision, Resize
from ganlit.metrics.gauges import Gauge, Pairs, Sets, comparisons, plains
from ganlit.metrics.groups import refuse
from ganlit.metrics.inside import DRAWS, Others
from ganlit.metrics.manifold import nearest
from ganlit.metrics.measure import Measured
from ganlit.metrics.passes import Options, passes
from ganlit.studies.evaluation import scores
from ganlit.studies.evaluation.bars import Bars, device_of
from ganlit.studies.evaluation.levels import tell_levels
from ganlit.studies.evaluation.options import (
    DATASETS,
    Sides,
    refuse_idle_options,
    refuse_numbers,
    refuse_unanswerable,
    same,
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
    real_of,
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
    temperature: float = 1.0,
    checkpoint: Checkpoint = "last",
    seed: int | None = None,
    precision: Precision | None = None,
    resize: Resize | None = None,
    weights_file: Path | None = None,
    bootstrap: int = 20,
    draws: int | None = None,
    device: str = "auto",
    json: Path | None = None,
    baseline: Path | None = None,
    neighbours: Path | None = None,
    levels: int | None = None,
) -> None:
    """Measure a run, or items from anywhere, against real ones.

    Args:
        subject: a run directory, the .safetensors file of a run, a folder or zip of items, or a dataset by name
        against: the same, where a run stands for its training data, which is also the default for a run
        metrics: any of fid, kid, is, prdc, probe, kept, class-fid and memorisation with commas between them, fid being
            called fad of sound; fid@dinov2 and fad@vggish ask for another extractor than the FID's own Inception or
            that of sound; others compare items of one path: of images psnr, ssim, lpips and matched, psnr-y-crop4 by Y
            alone and without a border; of sound mel, stft, sisdr, snr, pesq, stoi, estoi, pitch, periodicity and vuv,
            beside dnsmos, which asks for no others; of a run that takes data they compare what it makes with its
            targets; fid:prior is of its prior, fid:back of its other direction, codes of its codebook, elbo and iwae
            are its bounds in bits per dimension, pathlength how much its images change on a short way in z and in w,
            as the layers of an extractor see it; of clips fvd, ftd (how frames change), motion and steady; of texts
            bleu4, selfbleu4 and corpusbleu4 (and others than 4), distinct2, copies (of the training), known (words),
            valid (to a model of the real ones), ppl, ppl-smollm2 (to a language model that has read much else), rppl,
            oracle-nll, nll (of real ones), and fed, which is fid by embeddings of sentences; bleu4-characters counts
            characters instead of words; of what has modes that are known, modes (reached), rkl (how unevenly) and, in
            the plane, quality (percent near one)
        count: items; by default as many as a run's own tests, so that the numbers can be compared with its record,
            and all items of a folder; fewer of these are a fixed random choice
        split: of the subject, where it is a dataset
        against_split: of what it is measured against
        root: where torchvision's datasets lie or are downloaded to
        weights: of a run, the averaged generator or the one trained last
        truncation: of a run, psi; below one, fewer failures and less variety
        temperature: of a run of texts; below one, likelier symbols and less variety, and 0 takes the likeliest
        checkpoint: of a run directory, the last, or the best
        seed: of latents and labels, by default the run's own, and of the bootstrap
        precision: of the features; bf16 is another protocol; by default that of a run's own measures, else fp32
        resize: what brings items to an extractor's size, legacy as in the papers, or clean; by default that of a
            run's own measures, else legacy
        weights_file: of the default extractor; by default they are looked for
        bootstrap: resamples for the standard error of FID; 0 for none
        draws: of elbo and iwae, from the posterior of each item; by default those of a run's own measures, else 16
        device: cpu, cuda, cuda:1, ...; auto takes a GPU where there is one
        json: a new file for the numbers, {metric: {id: {value, spread, of}}}
        baseline: such a file of before, to compare with
        neighbours: a new picture of the items most like a training item, each beside its nearest ones
        levels: of a run whose codes are in several, the first ones alone; ids say so

    Raises:
        UserError: one of these is not there, does not fit the others, or would overwrite a file.
    """
    before = scores.read(baseline) if baseline is not None else None
    refuse_numbers(count, truncation, seed, bootstrap, draws, temperature)
    picture = None if neighbours is None else picture_of(neighbours)
    for option, path in (("--json", json), ("--neighbours", neighbours), ("--neighbours", picture)):
        if path is not None:
            new(path, option)
    sorted_out(metrics, picture is not None)  # which refuses what nobody knows, of any modality
    place = device_of(device)
    sides = [subject] if against is None else [subject, against]
    for word in sides:
        reachable(word)
    given = Sides(subject, against, split, against_split, root, weights, truncation, checkpoint, levels, temperature)
    refuse_idle_options(given)
    if picture is not None:
        apart(json, picture, "--neighbours", [word for word in sides if not is_run(word)])
    modality = modality_of(subject, against)
    groups = sorted_out(metrics, picture is not None, modality)
    refuse_unanswerable(groups, subject, against, temperature)
    names = [metric for group in groups if group.kind == "sets" for metric in group.metrics]
    if weights_file is not None and modality.extractor not in [group.extractor for group in groups]:
        raise UserError(f"--weights_file is of {modality.extractor}, which no metric asks for: leave the option out.")
    if is_run(subject):
        how = (count, weights, truncation, seed, checkpoint)
        measured: Subject = Generated(subject, *how, place, groups, levels, temperature)
        refuse(groups, measured.generator, measured.takes_data, "--metrics")
    else:
        found = collection_of(subject, modality, split, root, count)
        modality = found.modality or modality  # which knows more of it, such as its rate
        measured = Collected(found, modality.name, labelled=bool({"class-fid", "kept"} & {*names}))
    few = f"There are {len(measured)} {modality.item}s of {measured.name}" if count is None else f"--count is {count}"
    require(names, len(measured), few, len(measured.classes))
    own = measured.fidelity
    if isinstance(measured, Generated) and same(subject, against):
        real = measured.sides
    else:
        real = real_of(against or subject, groups, modality, against_split, root)
    if same(subject, against):
        real = {side: each.subset(own.get("reference_images")) for side, each in real.items()}
    require_real(groups, real)
    for option, path in {"--json": json, "--neighbours": picture}.items():
        if path is not None:
            make_room(path.parent, path, option)

    precision, resize = precision or own.get("precision", "fp32"), resize or own.get("resize", "legacy")
    with Bars() as bars:
        options, reference = Options(weights_file, precision, resize), real["target"].reference
        each = passes(groups, real, options, place, say, bars.replacing_lines)
        mixed = len(each) < len(groups)
        missing = lacking(each, measured.classes == reference.classes, "--metrics", say, beside=mixed)
        own_real = measured.sides if isinstance(measured, Generated) else real
        paired, kept = comparisons(groups, own_real, place), draws or own.get("draws", DRAWS)
        others = Others(paired, plains(groups, real), measured.generator, kept, own_real, place)
        advance = bars.counted(measured.name, len(measured) * len(each))
        sets = [
            Sets(one, without, len(measured), bootstrap > 1, advance, bootstrap, seed or 0)
            for one, without in zip(each, missing, strict=True)
        ]
        rest = iter(sets)
        gauges = [next(rest) if group.kind == "sets" else others.gauge(group) for group in groups]
        found = answers(gauges, measured, reference, bars)

    drawn: list[Path] = []
    try:  # files first: whoever reads what is said may be gone
        if json is not None:
            with writing("--json", json):
                scores.write(found, json)
        if picture is not None:
            drawn = draw_neighbours(measured, modality, sets, picture)
    finally:
        total = len(reference.items)
        say(f"{len(measured):,} {modality.item}s of {measured.name} against {total:,} of {reference.name}")
        if measured.generator is not None:
            tell_levels(measured.generator)
        print_table(scores.table(found, before))
    if json is not None:
        say(f"numbers  {json}")
    for file in drawn:
        say(f"picture  {file}")


def answers(gauges: Sequence[Gauge], measured: Subject, reference: Reference, bars: Bars) -> list[Measured]:
    """All numbers, in the order of the gauges; the items are made or decoded once for all but the pairs of paths."""
    found = {}
    if isinstance(measured, Collected):
        pairs = (gauge for gauge in gauges if isinstance(gauge, Pairs))
        found = {gauge: compare(gauge, measured.items, reference.items, measured.made, bars) for gauge in pairs}
    seeing = [gauge for gauge in gauges if gauge not in found]
    for gauge in seeing:
        if isinstance(gauge, Sets):
            gauge.prepare()
    for turn in range(len(measured.turns)) if seeing else ():
        shown = measured.show(turn)
        for gauge in seeing:
            gauge.add(shown)
    return [each for gauge in gauges for each in (found[gauge] if gauge in found else gauge.finish())]


def draw_neighbours(subject: Subject, modality: Modality, sets: Sequence[Sets], path: Path) -> list[Path]:
    """Rows of an item and the training items nearest to it, the closest first; the files that were written."""
    gauge = next(gauge for gauge in sets if "memorisation" in gauge.metrics)
    real, portrait = gauge.one.held_against("memorisation"), gauge.portrait
    distances, indices = nearest(portrait.rows, real.rows, min(NEAREST, len(real.rows)))
    closest = distances[:, 0].argsort()[:ROWS]
    items = subject.at(portrait.places[closest], gauge.group.making)
    rows = []
    for item, places in zip(items, real.places[indices[closest]], strict=True):
        rows += [item[None], real.reference.items[places]]
    with writing("--neighbours", path):
        return modality.show(rows, 1 + indices.shape[1], path.with_suffix(""))
