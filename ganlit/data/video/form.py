"""The form that every clip of a dataset is brought into."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ganlit.data.images.fitting import LARGEST, objection, render
from ganlit.data.images.form import AnyFit
from ganlit.data.images.form import Form as PictureForm
from ganlit.data.objections import Objection
from ganlit.data.video.reading import Frame
from ganlit.data.video.tempo import NEAR, Tempo
from ganlit.errors import within

FASTEST = 1000.0  # frames a second
LONGEST = 2**16  # frames of a window
SHORTEST = 2  # frames: less is a picture


class Form(NamedTuple):
    """The form that every clip of a dataset is brought into, uint8 [T, C, R, R].

    With `fps`, frames are those that are shown at even times, so many a second; a lower rate is refused. Without it
    they are taken as they are, and are to be even. Those of numbered pictures, which have no times, always are.
    """

    picture: PictureForm  # of each frame
    fps: float | None = None
    cut: int | None = None  # frames of the pieces that longer ones are cut into
    uneven: bool = False  # whether frames may be taken as they are that are not


class Trained(NamedTuple):
    """What a data module says of the clips that networks are trained on."""

    form: Form
    frames: int  # of a window
    stride: int  # every so-many-th frame
    end: bool = False  # whether of a longer clip the last ones are meant


def form_of(
    resolution: int,
    channels: int,
    fit: AnyFit,
    convert: bool,
    fps: float | None,
    cut: int | None,
    key: str = "data.init_args.",
) -> Form:
    """The same, where it means something.

    Args:
        resolution: side of the frames in pixels; 0 where it is not known yet.
        channels: 3 for RGB, 1 for grey; 0 likewise.
        fit: how frames of another size are treated, as pictures are.
        convert: whether those of another kind may be turned into that of `channels`.
        fps: frames a second.
        cut: frames.
        key: before the name of each.

    Raises:
        UserError: it does not.
    """
    within(f"{key}resolution", resolution, least=1, most=LARGEST)
    within(f"{key}channels", channels, least=1, most=3)
    within(f"{key}fps", fps, above=0, most=FASTEST, optional=True)
    within(f"{key}cut", cut, least=SHORTEST, most=LONGEST, optional=True)
    return Form(PictureForm(resolution, channels, fit, convert), fps, cut)


def reach(frames: int, stride: int) -> int:
    """From the first frame of a window to behind the last."""
    return (frames - 1) * stride + 1


def wrong_frame(frame: Frame, form: Form) -> Objection | None:
    """What keeps a frame from a form, if anything does."""
    return objection(frame.size, frame.kind, form.picture, frame.depth)


def wrong_tempo(tempo: Tempo, form: Form) -> Objection | None:
    """What keeps a clip from a form, by when its frames are shown."""
    if tempo.frames < SHORTEST:
        return Objection("one frame", "has one frame, and is a picture", "remove it")
    if form.fps is None:
        if tempo.steady or form.uneven:
            return None
        reason = f"has frames that are {tempo.shortest:.3g} to {tempo.longest:.3g} s apart"
        return Objection(
            "variable rate", reason, f"set fps: {tempo.rate:.3g} or less to take them at even times", spare=False
        )
    if tempo.rate is None or tempo.rate >= form.fps * (1 - NEAR):
        return None
    reason = f"has {tempo.rate:.4g} frames a second, fewer than the {form.fps:g} that are wanted"
    return Objection("rate", reason, f"set fps: {tempo.rate:.4g} or less", spare=False)


def stored(frame: Frame, form: Form) -> np.ndarray:
    """A frame without objections as it is kept, uint8 [C, R, R]."""
    return render(frame.picture(), form.picture)
