"""From the word that a config gives as `source` to a path."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from ganlit.errors import UserError, printable
from ganlit.records.paths import at_home


def existing(source: str, places: str, known: Mapping[str, str], sets: str) -> Path:
    """The path of a folder or a file that is there.

    Args:
        source: as it is given.
        places: what messages ask for: "a folder of images or a zip".
        known: sets that could have been meant, by their names in lower case.
        sets: what messages call all of these.

    Raises:
        UserError: there is no such thing.
    """
    shown = printable(source)
    if not source.strip():
        raise UserError(f"The source is empty: give {places}, or a dataset's name.")
    try:
        source.encode()
    except UnicodeEncodeError:
        raise UserError(f"{shown} is no UTF-8, and no configuration can name it: rename it, or link to it.") from None
    path = at_home(Path(source), "source")
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if os.sep in source or path.suffix:
            missing = f"{shown} does not exist: give {places} as source, or a dataset's name."
        else:
            close = get_close_matches(source.lower(), known, n=1)
            advice = f"did you mean {known[close[0]]}?" if close else f"give {sets}, or a path."
            missing = f"There is no dataset or path {shown}: {advice}"
        raise UserError(missing) from None
    except (OSError, ValueError) as error:  # ValueError: no path has a NUL
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{shown} cannot be read ({reason}): give {places} as source.") from None
    if not (stat.S_ISDIR(kind) or stat.S_ISREG(kind)):
        raise UserError(f"{shown} is neither a folder nor a file: give {places} as source.")
    return path
