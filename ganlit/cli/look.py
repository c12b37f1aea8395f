"""The same command for the data of a configuration, which are prepared as for a training and drawn."""

from __future__ import annotations

from argparse import ArgumentError, ArgumentParser
from pathlib import Path
from typing import Any

from ganlit.configuration.resolve import resolved
from ganlit.errors import UserError
from ganlit.studies.evaluation.page import look


def check_configured(words: list[str]) -> None:
    """What `data check --config FILE` shows.

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
