"""The latent of a picture that somebody sends."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.configuration.rebuild import setting
from ganlit.data.images.received import received
from ganlit.metrics.images.paired import psnr
from ganlit.studies.explore.job import Job
from ganlit.studies.explore.state import State
from ganlit.studies.explore.studio import Studio
from ganlit.studies.latent.distance import measured
from ganlit.studies.latent.invert import Schedule, invert
from ganlit.studies.latent.project import starts

READING = Lock()  # pictures may be large: memory holds one of them at a time


class Found(NamedTuple):
    """What came out."""

    latent: Tensor  # [1, L, d]
    stored: Tensor  # [1, C, H, W] what was looked for
    psnr: float  # of what the latent makes, in dB


def find(
    studio: Studio, content: bytes, state: State, job: Job[Found], show: Callable[[Tensor], None] = lambda stored: None
) -> Found:
    """Looks for a latent: in w+ where the generator has styles, else in z, there of the class that is shown.

    Args:
        content: of the file of a picture.
        show: is given that picture as the generator would have made it, [1, C, H, W], before the search begins.

    Raises:
        UserError: it is no picture, or one that cannot be taken.
        Cancelled: the job was.
    """
    subject = studio.subject
    with READING:
        stored = received(content, setting(subject.run).data.form_of("item"))
    show(stored)
    measure = measured(subject, studio.distance, stored)
    target, label = subject.kind.to_network(stored.to(subject.device)), studio.label(state)
    begin = starts(studio.sample, studio.of, None if subject.styled else label.cpu(), 1)
    if subject.styled:
        begin = begin.expand(-1, len(subject.layers), -1).clone()
    latent = invert(
        lambda latent: subject.render(latent, label),
        lambda output: measure(output, target),
        begin,
        studio.unit,
        Schedule(studio.steps),
        studio.seed,
        job.counted("Looking for its latent", studio.steps),
    )
    with torch.no_grad():
        return Found(latent, stored, float(psnr(subject.made(latent, label), stored)))
