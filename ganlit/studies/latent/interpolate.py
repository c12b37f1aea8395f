"""A film of the way from one item to the next."""

from __future__ import annotations

import torch

from ganlit.contracts import Space
from ganlit.errors import UserError, within
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.options import SEEDS
from ganlit.studies.evaluation.trained import Checkpoint, knows
from ganlit.studies.latent.folder import Folder, apart
from ganlit.studies.latent.keys import chosen
from ganlit.studies.latent.paths import How, along, usual
from ganlit.studies.latent.subject import Subject

COLUMNS = 9  # of the strip: the frames from a key to the next, both included
MOST = 2**14  # frames


def interpolate(
    run: str,
    seeds: str = "0-3",
    classes: str | None = None,
    how: How | None = None,
    space: Space | None = None,
    steps: int = 24,
    loop: bool = True,
    fps: float = 25.0,
    truncation: float = 1.0,
    seed: int = 0,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
) -> None:
    """Write a film of the way through the latent space from one item to the next, and back to the first.

    Also a strip of it, the latents of all frames, and how far one frame is from the next.

    Args:
        run: the run directory, such as runs/stylegan_lite, or the .safetensors file of an averaged generator
        seeds: the items on the way, as `generate` numbers them, such as 7,3,5 or 0-3
        classes: of these in turn, such as 3, or 0-9; by default all, and in z, where none lies between two, the first
        how: linear, spherical, or spline, which has no kinks; by default a spline through styles, a great circle in z
        space: z, or w, where a generator has styles, which is the default there
        steps: frames from one item to the next
        loop: end where it began
        fps: frames a second
        truncation: psi of the items, where the generator knows it
        seed: of the latents
        out: an empty or new folder; by default `latent-interpolate` in the run directory
        checkpoint: of a run directory, the last, or the best of the validations

    Raises:
        UserError: the run makes no images from noise, an option does not go with it, or the folder is not empty.
    """
    within("--seed", seed, least=0, below=SEEDS)
    within("--steps", steps, least=1, most=MOST)
    within("--fps", fps, above=0, most=1000)
    numbers = chosen(seeds, "--seeds", least=2)
    if len(numbers) * steps > MOST:
        raise UserError(f"--seeds {seeds} and --steps {steps} make more than {MOST:,} frames: ask for fewer.")
    folder = Folder(run, "interpolate", out)
    subject = Subject(run, checkpoint, space, classes)
    if truncation != 1:
        knows(subject.module, "truncation", run)
    if subject.space == "z" and len(set(subject.turn)) > 1:
        if classes is not None:
            raise UserError(f"--classes {classes}: in z nothing lies between two classes: name one, or take --space w.")
        subject.turn = subject.turn[:1]
    way = how or usual(subject.space)
    folder.make()
    label = subject.labels(numbers)
    keys = subject.latents(subject.z(numbers, seed), label, truncation=truncation)
    path, labels = along(keys, label, steps, loop, way)  # in w, styles know theirs
    frames = []
    with Bars() as bars:
        advance = bars.counted("frames", len(path))
        for latent, of in zip(path.split(1), labels.split(1), strict=True):
            frames += [subject.made(latent, of, alone=True)]
            advance(1)
    film = torch.cat(frames)
    folder.film(film, fps)
    legs = len(keys) if loop else len(keys) - 1
    shown = [
        round(leg * steps + steps * share / (COLUMNS - 1)) % len(film)
        for leg in range(legs)
        for share in range(COLUMNS)
    ]
    folder.picture(subject, [film[shown]], COLUMNS)
    folder.latents(subject, path, labels)
    after = film.roll(-1, 0) if loop else film[1:]
    moved = apart(film if loop else film[:-1], after)
    folder.numbers(
        subject.generator,
        subject.space,
        {"how": way, "seed": seed, "seeds": numbers, "classes": label, "truncation": truncation, "frames": len(film)}
        | {"step_rms": moved, "mean_step_rms": moved.mean(), "largest_step": moved.max() / moved.mean()},
    )
    folder.told(f"{len(film)} frames, {way} in {subject.space}, between {len(keys)} items")
