"""The command that looks through data before anything is trained on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganlit.configuration.names import by_default, given_options, recognised
from ganlit.data.base import MOST
from ganlit.errors import within


def check(source: str, split: str = "train", root: Path = Path("datasets"), batch: int = 32, **options: Any) -> None:
    """Read all of a source, then print what it holds, what would stop a training, and what would work.

    Args:
        source: a folder, a zip, digits, or a class of torchvision.datasets.
        split: "train", or what else the source has.
        root: where datasets known by name lie or are downloaded to.
        batch: items in a step.
        options: of the kind of data that it is.

    Raises:
        UserError: an option means nothing.
        SystemExit: with status 1, where anything would stop a training.
    """
    within("--batch", batch, least=1, most=MOST)
    kind = recognised(source) or by_default()  # which says what it makes of it
    kind.check(source, split, Path(root), batch, **given_options(kind, "check", options))
