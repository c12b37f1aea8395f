"""The command that looks through data before anything is trained on them."""

from __future__ import annotations

from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from ganlit.configuration.names import by_default, modalities, recognised
from ganlit.contracts import Modality
from ganlit.data.base import MOST
from ganlit.errors import UserError, within


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
    defaults = {name: each.default for one in modalities() for name, each in own_options(one).items()}
    given = {name: value for name, value in options.items() if value != defaults[name]}
    if unknown := given.keys() - own_options(kind).keys():
        raise UserError(f"--{unknown.pop()} is no option of {kind.name}: leave it out.")
    kind.check(source, split, Path(root), batch, **given)


def own_options(kind: Modality) -> dict[str, Parameter]:
    """What the check of a kind of data takes beside what all of them do."""
    parameters = signature(kind.check).parameters.items()
    return {name: each for name, each in parameters if each.default is not Parameter.empty}
