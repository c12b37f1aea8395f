"""The command that looks through data before anything is trained on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from ganlit.configuration.names import modalities, recognised
from ganlit.data.images.fitting import Fit


def check(
    source: str,
    resolution: int | None = None,
    channels: Literal[1, 3] | None = None,
    split: str = "train",
    fit: Fit = "exact",
    convert: bool = False,
    root: Path = Path("datasets"),
    batch: int = 32,
) -> None:
    """Read all of a source, then print what it holds, what would stop a training, and what would work.

    Args:
        source: digits, a class of torchvision.datasets, a folder or a zip.
        resolution: side of the images in pixels; by default that of most pictures.
        channels: of images 3 for RGB, 1 for grey; by default what most pictures are.
        split: "train", or what else the source has.
        fit: how pictures of another size are treated.
        convert: turn pictures of another kind into that of `channels`.
        root: where torchvision's datasets lie or are downloaded to.
        batch: items in a step.

    Raises:
        SystemExit: with status 1, where anything would stop a training.
    """
    options: dict[str, Any] = {"resolution": resolution, "channels": channels, "fit": fit, "convert": convert}
    untouched = {"resolution": None, "channels": None, "fit": "exact", "convert": False}
    given = {name: value for name, value in options.items() if value != untouched[name]}
    kind = recognised(source) or modalities()[0]  # which says what it makes of it
    kind.check(source, split, Path(root), batch, **given)
