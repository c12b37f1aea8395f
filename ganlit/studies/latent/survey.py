"""A survey of a latent space: directions found in several ways, and judged beside random ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganlit.compute.console import say
from ganlit.errors import UserError
from ganlit.studies.latent.channels import FAR, TRIED, channels, some, strongest
from ganlit.studies.latent.eye import Eye, Seen
from ganlit.studies.latent.find import Direction, at_random, ganspace, matrices_of, of_classes, sefa
from ganlit.studies.latent.score import SHARES, Score, holm, p_value, score
from ganlit.studies.latent.subject import KNOWN, Subject, spread

CHANNELS = "channels"
"""The kind of directions that there is in s, and nowhere else."""

UNSEEN = ("sefa", "ganspace")
"""Kinds of directions that are found before any item is seen."""

Counted = Callable[[str, int], Callable[[float], None]]
"""Of a title and a total what is to be told of how many are done, as `Bars.counted`."""


class Asked(NamedTuple):
    """How a space is surveyed."""

    keep: int = 5  # directions of sefa and of ganspace, or channels
    extent: float = 1.0  # how far items are moved to either side, in units
    count: int = 32  # items that are moved
    random: int = 16  # directions to compare with
    fitted: int = 1000  # samples by which directions of classes are found
    seed: int = 0


class Survey(NamedTuple):
    """What was found, the direction that changes most first."""

    found: list[Direction]
    rows: list[dict[str, Any]]  # of each its numbers
    unit: float  # the typical distance of a latent to the mean of its class
    chance: float  # what a unit of a random direction changes
    told: dict[str, Any]  # what else was seen on the way


def survey(subject: Subject, eye: Eye, kinds: list[str], asked: Asked, counted: Counted) -> Survey:
    """Looks for directions of these kinds, see `possible`, and judges them."""
    sample, of = subject.sample(KNOWN, asked.seed)
    unit = spread(sample, of)
    if kinds == [CHANNELS]:
        found, drawn, told = tried(subject, eye, channels(subject, sample, of), asked, counted)
    else:
        found, told = search(subject, eye, kinds, sample[:, 0], of, asked, counted)
        drawn = [Direction("random", each) for each in at_random(asked.random, sample.shape[-1], asked.seed)]
    found, drawn = ([each._replace(unit=each.unit or unit) for each in some] for some in (found, drawn))
    latents, label = subject.sample(asked.count, asked.seed + 1)  # others than those by which they were found
    start = eye.see(subject.made(latents, label))
    advance = counted("directions", len(found + drawn) * len(SHARES) * asked.count)
    scores = [
        score(subject, latents, label, each.vector, asked.extent, each.unit, eye, start, advance)
        for each in found + drawn
    ]
    rows = judged(found, scores, eye)
    order = sorted(range(len(found)), key=lambda place: -rows[place]["effect"])
    chance = float(torch.stack([each.effect.mean() for each in scores[len(found) :]]).mean())
    told |= {"extractor": eye.extractor.protocol, "against": eye.against, "effect_is": what_is_changed(start)}
    if eye.probe is not None:
        told["probe_accuracy"] = eye.probe.accuracy
    return Survey([found[place] for place in order], [rows[place] for place in order], unit, chance, told)


def possible(subject: Subject, eye: Eye, asked: list[str], named: bool) -> list[str]:
    """Those kinds that can be had; of others it is said why not.

    Raises:
        UserError: one of these was asked for by name, or nothing is left.
    """
    reasons = hindered(subject, asked)
    if subject.space == "s":
        reasons |= {kind: "in s, directions are single channels" for kind in asked if kind != CHANNELS}
    elif CHANNELS in asked:
        reasons[CHANNELS] = "single channels lie in s: add --space s, or"
    if eye.probe is None:
        reasons["classes"] = f"{eye.against} has no classes that directions could lead to"
    left = [kind for kind in asked if kind not in reasons]
    for kind in asked:
        if kind in reasons:
            if named or not left:
                raise UserError(f"--kinds {kind}: {reasons[kind]}: leave it out.")
            say(f"not looked for: {reasons[kind]}")
    return left


def hindered(subject: Subject, asked: Sequence[str] = UNSEEN) -> dict[str, str]:
    """Which of those kinds that no item is seen for cannot be had, and why."""
    reasons = {}
    if subject.space == "z":
        reasons["ganspace"] = "in z, latents lie alike in all directions, so that ganspace has nothing to find"
    if "sefa" in asked:
        try:
            matrices_of(subject)
        except UserError as error:
            reasons["sefa"] = str(error)
    return reasons


def unseen(subject: Subject, kinds: Sequence[str], sample: Tensor, keep: int) -> list[Direction]:
    """Directions of those kinds that no item is seen for: from the weights, and from latents [N, d]."""
    found = dict[str, Tensor]()
    if "sefa" in kinds:
        found["sefa"] = sefa(matrices_of(subject), keep)
    if "ganspace" in kinds:
        found["ganspace"] = ganspace(sample, keep)
    return [Direction(f"{kind}-{n}", each) for kind, vectors in found.items() for n, each in enumerate(vectors)]


def search(
    subject: Subject,
    eye: Eye,
    kinds: list[str],
    sample: Tensor,
    label: Tensor,
    how: Asked,
    counted: Counted,
) -> tuple[list[Direction], dict[str, Any]]:
    """Directions of these kinds, from latents [N, d] and labels [N], and what was seen on the way."""
    found, told = unseen(subject, kinds, sample, how.keep), dict[str, Any]()
    if "classes" in kinds:
        few, of = sample[: how.fitted], label[: how.fitted]
        seen = eye.see(subject.made(few[:, None], of), counted("samples", len(few)))
        vectors, accuracy = of_classes(few, seen.shares.argmax(1), len(eye.classes))
        found += [Direction(f"class-{name}", each) for name, each in zip(eye.classes, vectors, strict=True)]
        told["class_of_latent_accuracy"] = accuracy
    return found, told


def tried(
    subject: Subject, eye: Eye, among: list[Direction], how: Asked, counted: Counted
) -> tuple[list[Direction], list[Direction], dict[str, Any]]:
    """The channels that change most, some at random to compare them with, and what was seen on the way."""
    found = strongest(subject, eye, among, how.keep, how.seed + 2, counted("channels", len(among) * TRIED))
    return found, some(among, how.random, how.seed), {"channels": len(among), "unit_in_deviations": FAR}


def judged(found: list[Direction], scores: list[Score], eye: Eye) -> list[dict[str, Any]]:
    """A row of numbers for each direction; the scores of random ones are behind those of the found ones."""
    mean = torch.stack([each.effect for each in scores[len(found) :]]).mean(0)
    values = [p_value(each.effect - mean) for each in scores[: len(found)]]
    names = dict(enumerate(eye.classes))
    return [
        {
            "name": direction.name,
            "unit": direction.unit,
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
