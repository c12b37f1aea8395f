"""Directions of a latent space, found in three ways and scored."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from rich.table import Table
from torch import Tensor

from ganlit.compute.console import print_table, say
from ganlit.contracts import Space
from ganlit.errors import UserError, nearest, within
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.options import SEEDS
from ganlit.studies.evaluation.trained import Checkpoint
from ganlit.studies.latent.eye import Eye, Seen, eye_of
from ganlit.studies.latent.find import at_random, ganspace, matrices_of, of_classes, sefa
from ganlit.studies.latent.folder import Folder
from ganlit.studies.latent.score import SHARES, Score, holm, p_value, score
from ganlit.studies.latent.subject import KNOWN, Subject, spread

KINDS = ("sefa", "ganspace", "classes")
COLUMNS = 7  # of a strip


class Direction(NamedTuple):
    """One that was found."""

    name: str  # sefa-0, class-3
    vector: Tensor  # [d] of length one


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
            samples; by default all that the generator and its data allow
        keep: directions of sefa and of ganspace
        extent: how far items are moved to either side; a unit is the typical distance of a latent to the mean of its
            class
        count: items that are moved
        random: directions to compare with
        fitted: samples by which directions of classes are found
        shown: directions in the picture, the best first, each with two items
        space: z, or w, where a generator has styles, which is the default there
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
    asked = understood(kinds)
    if space == "w+":
        raise UserError("--space w+: a direction is one of all layers: write --space w, or leave it out.")
    folder = Folder(run, "directions", out)
    subject = Subject(run, checkpoint, space, classes)
    with Bars() as bars:
        eye = eye_of(run, extractor, bars)
        wanted = possible(subject, eye, asked, named=kinds is not None)
        folder.make()
        sample, of = subject.sample(KNOWN, seed)
        step = spread(sample, of)
        found, told = search(subject, eye, wanted, sample[:, 0], of, keep, fitted, seed, bars)
        latents, label = subject.sample(count, seed + 1)  # others than those by which they were found
        start = eye.see(subject.made(latents, label))
        others = [Direction(f"random-{n}", each) for n, each in enumerate(at_random(random, sample.shape[-1], seed))]
        advance = bars.counted("directions", (len(found) + len(others)) * len(SHARES) * count)
        scores = [
            score(subject, latents, label, each.vector, extent, step, eye, start, advance) for each in (*found, *others)
        ]
    rows = judged(found, scores, eye)
    order = sorted(range(len(found)), key=lambda place: -rows[place]["effect"])
    rows = [rows[place] for place in order]
    strips(folder, subject, [found[place] for place in order[:shown]], latents[:2], label[:2], extent * step)
    vectors = torch.stack([found[place].vector for place in order])[:, None]
    folder.latents(subject, vectors, torch.zeros(len(found), dtype=torch.int64), [row["name"] for row in rows])
    folder.table(rows, "directions")
    about = {"seed": seed, "extent": extent, "unit": step, "count": count, "random": random, **told}
    seen = {"extractor": eye.extractor.protocol, "against": eye.against, "effect_is": what_is_changed(start)}
    accuracy = {"probe_accuracy": eye.probe.accuracy} if eye.probe is not None else {}
    chance = {"random_effect": float(torch.stack([each.effect.mean() for each in scores[len(found) :]]).mean())}
    folder.numbers(subject, {**about, **seen, **accuracy, **chance, "directions": rows})
    print_table(table_of(rows, chance["random_effect"]))
    folder.told(f"{len(found)} directions in {subject.space}")


def understood(kinds: str | None) -> list[str]:
    """Kinds of directions as they were typed."""
    asked = list(KINDS) if kinds is None else [word.strip() for word in kinds.split(",") if word.strip()]
    for word in asked:
        if word not in KINDS:
            raise UserError(f"--kinds {word}: there are {', '.join(KINDS)}{nearest(word, KINDS) or '.'}")
    if not asked:
        raise UserError(f"--kinds names nothing: give some of {', '.join(KINDS)}, or leave it out.")
    return list(dict.fromkeys(asked))


def possible(subject: Subject, eye: Eye, asked: list[str], named: bool) -> list[str]:
    """Those kinds that can be had; of others it is said why not.

    Raises:
        UserError: one of these was asked for by name, or nothing is left.
    """
    reasons = {}
    if subject.space == "z":
        reasons["ganspace"] = "in z, latents lie alike in all directions, so that ganspace has nothing to find"
    if eye.probe is None:
        reasons["classes"] = f"{eye.against} has no classes that directions could lead to"
    if "sefa" in asked:
        try:
            matrices_of(subject)
        except UserError as error:
            reasons["sefa"] = str(error).removesuffix(": leave sefa out.")
    left = [kind for kind in asked if kind not in reasons]
    for kind in asked:
        if kind in reasons:
            if named or not left:
                raise UserError(f"--kinds {kind}: {reasons[kind]}: leave it out.")
            say(f"not looked for: {reasons[kind]}")
    return left


def search(
    subject: Subject,
    eye: Eye,
    kinds: list[str],
    sample: Tensor,
    label: Tensor,
    keep: int,
    fitted: int,
    seed: int,
    bars: Bars,
) -> tuple[list[Direction], dict[str, Any]]:
    """Directions of these kinds, from latents [N, d] and labels [N], and what was seen on the way."""
    found, told = list[Direction](), dict[str, Any]()
    if "sefa" in kinds:
        found += [Direction(f"sefa-{n}", each) for n, each in enumerate(sefa(matrices_of(subject), keep))]
    if "ganspace" in kinds:
        found += [Direction(f"ganspace-{n}", each) for n, each in enumerate(ganspace(sample, keep))]
    if "classes" in kinds:
        few, of = sample[:fitted], label[:fitted]
        seen = eye.see(subject.made(few[:, None], of), bars.counted("samples", len(few)))
        vectors, accuracy = of_classes(few, seen.shares.argmax(1), len(eye.classes))
        found += [Direction(f"class-{name}", each) for name, each in zip(eye.classes, vectors, strict=True)]
        told["class_of_latent_accuracy"] = accuracy
    return found, told


def judged(found: list[Direction], scores: list[Score], eye: Eye) -> list[dict[str, Any]]:
    """A row of numbers for each direction; the scores of random ones are behind those of the found ones."""
    mean = torch.stack([each.effect for each in scores[len(found) :]]).mean(0)
    values = [p_value(each.effect - mean) for each in scores[: len(found)]]
    names = dict(enumerate(eye.classes))
    return [
        {
            "name": direction.name,
            "effect": float(each.effect.mean()),
            "times_random": float(each.effect.mean() / mean.mean().clamp(min=1e-12)),
            "p": value,
            "identity": each.identity,
            "moved": each.moved,
            "linearity": each.linearity,
            "towards": names.get(each.towards, ""),
            "away": names.get(each.away, ""),
            "shift": each.shift,
        }
        for direction, each, value in zip(found, scores, holm(values), strict=False)
    ]


def what_is_changed(start: Seen) -> str:
    return "features" if start.shares is None else "total variation of the class probe"


def strips(
    folder: Folder, subject: Subject, found: list[Direction], latents: Tensor, label: Tensor, reach: float
) -> None:
    """A row for each item [n, L, d] along each direction, from minus to plus the reach."""
    rows = []
    for direction in found:
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
