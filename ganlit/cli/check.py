"""The command that looks through data before anything is trained on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganlit.configuration.names import given_options, kind_of
from ganlit.data.base import MOST
from ganlit.errors import UserError, within


def check(
    source: str,
    split: str = "train",
    root: Path = Path("datasets"),
    batch: int = 32,
    config: str | None = None,
    picture: Path | None = None,
    **options: Any,
) -> None:
    """Read all of a source, then print what it holds, what would stop a training, and what would work.

    Args:
        source: a folder or a zip of images, recordings or clips, digits, a class of torchvision.datasets, a list of
            recordings in CSV or JSON lines, sc09, speech_commands, ljspeech, vctk, libritts, ucf101, sky_timelapse,
            faceforensics, a text file, texts in a folder, CSV or JSON lines, moby_dick, sotu, image_coco or emnlp_news.
            With --config that of the configuration, which need not be given.
        split: "train", or what else the source has.
        root: where datasets known by name lie or are downloaded to.
        batch: items in a step.
        config: a configuration, with whatever `fit` takes beside it: its data are prepared as for a training, and a
            page of what that would be given is drawn.
        picture: of that page, a new file; by default NAME-data.png.
        options: of the kind of data that it is.

    Raises:
        UserError: an option means nothing.
        SystemExit: with status 1, where anything would stop a training.
    """
    if picture is not None:
        raise UserError("--picture shows what a configuration makes of its data: give --config, too, or leave it out.")
    within("--batch", batch, least=1, most=MOST)
    try:
        kind = kind_of(source)
    except UserError as empty:
        print(empty)
        raise SystemExit(1) from None
    kind.check(source, split, Path(root), batch, **given_options(kind, "check", options))
