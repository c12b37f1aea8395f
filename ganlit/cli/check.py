"""The command that looks through data before anything is trained on them: those of a place, or of a configuration."""

from __future__ import annotations

from argparse import ArgumentError, ArgumentParser
from pathlib import Path
from typing import Any

from ganlit.configuration.names import given_options, kind_of
from ganlit.configuration.resolve import resolved
from ganlit.data.base import MOST
from ganlit.errors import UserError, within
from ganlit.studies.evaluation.page import look


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


def check_configured(words: list[str]) -> None:
    """The same of the data of a configuration.

    Args:
        words: behind the command: perhaps the source, then what `fit` takes, and perhaps --picture.

    Raises:
        UserError: a key is unknown, the data cannot be trained on, or the picture is there.
    """
    options = ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    options.add_argument("--picture", type=Path)
    try:
        asked, rest = options.parse_known_args(words)
    except ArgumentError:
        raise UserError("--picture needs the name of a new file, such as page.png.") from None
    if not rest[0].startswith("-"):
        rest = [*rest[1:], f"--data.init_args.source={rest[0]}"]
    found = resolved(rest)
    picture = asked.picture or Path(f"{found.settings.name}-data")
    look(found.data(), picture, places(found.settings.data.as_dict()))


def places(settings: Any) -> list[str]:
    """What of some settings is a folder."""
    if isinstance(settings, dict):
        return places([*settings.values()])
    if isinstance(settings, list | tuple):
        return [place for each in settings for place in places(each)]
    return [settings] if isinstance(settings, str) and settings and Path(settings).expanduser().is_dir() else []
