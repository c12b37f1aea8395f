"""What sees clips for the metrics, by name."""

from __future__ import annotations

from typing import Any

from ganlit.errors import UserError, nearest
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.images import backbones as images
from ganlit.metrics.video import i3d, trajectory, votes
from ganlit.metrics.video.frames import Frame, Transition

BY_FRAMES = {each.name: each for each in (Frame, Transition)}
OWN = {trajectory.NAME: trajectory.Trajectory, votes.NAME: votes.Votes}
DEFAULT = "inception"  # that frames are seen by

NAMES = (*BY_FRAMES, i3d.NAME, *OWN)
ALIASES: dict[str, str] = {}
FAMILIES = (*(f"{name}:IMAGES" for name in BY_FRAMES), f"{i3d.NAME}:FRAMES")


def takes(name: str) -> tuple[str, ...] | None:
    """The options that the extractor of a name has, those of the one of images behind it; None where there is none."""
    family, colon, rest = name.partition(":")
    if family in BY_FRAMES:
        return images.takes(rest if colon else DEFAULT) or ()
    return () if name in OWN or family == i3d.NAME else None


def network(name: str, **options: Any) -> FeatureExtractor:
    """The extractor of a name.

    Args:
        name: "frame" or "transition", a frame of each clip, or one and its change to the next, as the Inception sees
            them, or "frame:efficientnet-lite0" and so on, as other extractors of images do; "i3d", the published
            network of FVD, of the first 16 frames, or "i3d:128" of as many; "trajectory" and "votes" of things that
            move on dark ground.
        options: those of an extractor of images.

    Raises:
        UserError: there is no such extractor of images, weights are missing and cannot be downloaded, or a number of
            frames is none.
    """
    family, colon, rest = name.partition(":")
    if name in OWN:
        return OWN[name]()
    if family == i3d.NAME:
        if colon and not (rest.isascii() and rest.isdigit()):
            raise UserError(f"extractor {name}: write the frames that it shall see, as in {i3d.NAME}:{i3d.FRAMES}.")
        return i3d.I3D(int(rest)) if colon else i3d.I3D()
    inner = rest if colon else DEFAULT
    if images.takes(inner) is None:
        hint = nearest(inner, images.NAMES) or f"; known are {', '.join((*images.NAMES, *images.FAMILIES))}."
        raise UserError(f"extractor {name}: there is no extractor {inner or repr(inner)} of images{hint}")
    return BY_FRAMES[family](images.network(inner, **options))
