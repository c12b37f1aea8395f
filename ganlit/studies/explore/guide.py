"""The directions that sliders go along, and what is known of each: as `latent directions` has written them, or anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from ganlit.errors import UserError
from ganlit.studies.evaluation.latents import SUFFIX, read
from ganlit.studies.evaluation.subject import data_of
from ganlit.studies.evaluation.trained import digest_of
from ganlit.studies.explore.job import Job
from ganlit.studies.latent.directions import KINDS
from ganlit.studies.latent.eye import eye_of
from ganlit.studies.latent.find import Direction
from ganlit.studies.latent.folder import NUMBERS
from ganlit.studies.latent.subject import Subject
from ganlit.studies.latent.survey import UNSEEN, Asked, hindered, possible, survey, unseen

KEEP = 5  # of each way of finding them
SURE = 0.05  # of a p-value
BRIEFLY = Asked(KEEP, count=16, random=8, fitted=300)
REAL = 5_000  # items that the generated ones are compared with, at most
LARGEST = 2**24  # bytes of numbers.json


class Guide(NamedTuple):
    """Directions, the strongest first.

    Attributes:
        notes: what is known of each, by its name; empty before they are scored.
        told: where they are from, or why they have no scores.
    """

    directions: list[Direction]
    notes: Mapping[str, str]
    told: str


def recorded(folder: Path, subject: Subject) -> Guide:
    """What `latent directions` has written into a folder.

    Raises:
        UserError: there is none, it is damaged, or it is of another generator or space.
    """
    latents = read(folder / f"latents{SUFFIX}")
    if latents.about.weights != digest_of(subject.generator):
        raise UserError(f"{folder} holds directions of other weights than those of {subject.run}: find them anew.")
    try:
        about = json.loads((folder / NUMBERS).read_bytes()[:LARGEST])
        rows = {str(row["name"]): note(row) for row in about["directions"]}
        space = about["space"]
        [(_, vectors)] = latents.pieces(max(len(latents), 1))
        names = latents.about.paths
        whole = vectors.ndim == 3 and vectors.is_floating_point() and bool(vectors.isfinite().all())
        if not whole or {*rows} != {*names}:
            raise ValueError("other names than in numbers.json")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise UserError(f"{folder} does not hold what `latent directions` writes: find them anew.") from None
    if space != subject.space or vectors.shape[1:] != (1, size_of(subject)):
        raise UserError(f"{folder} holds directions in {space}, and sliders go along {subject.space}: find them anew.")
    return Guide(
        [Direction(*each) for each in zip(names, vectors[:, 0].double(), strict=True)], rows, f"From {folder}."
    )


def unscored(subject: Subject, sample: Tensor) -> Guide:
    """What is there at once: SeFa's from the weights, and GANSpace's from where latents [N, L, d] lie, styles alone."""
    reasons = hindered(subject)
    found = unseen(subject, [kind for kind in UNSEEN if kind not in reasons], sample[:, 0], KEEP)
    return Guide(found, {}, f"{reasons['sefa']}." if "sefa" in reasons else "")


def scored(subject: Subject, extractor: str | None, seed: int, job: Job[Any]) -> Guide:
    """The same with directions of classes, judged by few items.

    Raises:
        UserError: the data or the extractor are not there.
        Cancelled: the job was.
    """

    def counted(title: str, total: int) -> Callable[[float], None]:
        return job.counted(f"Scoring directions: {title}", total)

    eye = eye_of(subject.run, extractor, counted, most=REAL)
    kinds = possible(subject, eye, list(KINDS), named=False)
    found = survey(subject, eye, kinds, BRIEFLY._replace(seed=seed), counted)
    return Guide(found.found, {row["name"]: note(row) for row in found.rows}, f"Scored by {BRIEFLY.count} items.")


def note(row: Mapping[str, Any]) -> str:
    """A direction's score in a few words."""
    times, chance = float(row["times_random"]), float(row["p"])
    way = f" · {row['away']} to {row['towards']}" if row.get("towards") else ""
    return f"{times:.1f} x random{'' if chance < SURE else ', may be chance'}{way}"


def names_of(subject: Subject) -> tuple[str, ...]:
    """The names of the classes, if the data are there to tell them."""
    try:
        return data_of(subject.run).reference.classes
    except UserError:
        return ()


def size_of(subject: Subject) -> int:
    """Numbers of a latent's row."""
    return subject.sample(1)[0].shape[-1]
