"""Images that latents are looked for: a model's own, which it should find again, and any others."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganlit.configuration.names import given_options
from ganlit.configuration.rebuild import setting
from ganlit.errors import within
from ganlit.studies.evaluation.generate import turns
from ganlit.studies.evaluation.inputs import existing, numbered
from ganlit.studies.evaluation.subject import data_of
from ganlit.studies.latent.subject import Subject

MOST = 2**14  # images
OTHER_NOISE = 1  # of what is to be found again; it is looked for in noise 0


class Wanted(NamedTuple):
    """Images that latents are looked for."""

    stored: Tensor  # [N, C, H, W]
    label: Tensor | None  # [N] int64; None where nobody knows them
    names: list[str]
    latents: Tensor | None = None  # [N, L, d] where these are known


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
