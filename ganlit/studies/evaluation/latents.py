"""Files of latents or codes: whose they are, of which items, and what they hold."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple, get_args

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from ganlit.errors import UserError
from ganlit.records.durable import replacing
from ganlit.records.media import named

SUFFIX = ".safetensors"
LARGEST = 2**31  # bytes of a file: twice as many are in memory while it is written

Kind = Literal["latents", "codes"]


class About(NamedTuple):
    """What a file says of itself.

    Args:
        kind: which of both its tensor [N, ...] is called; there are also `labels` [N] int64.
        paths: of the N items, without their suffixes.
        run: that they are of.
        weights: the digest of its averaged generator.
    """

    kind: Kind
    paths: list[str]
    run: str
    weights: str


def file_of(path: Path) -> Path:
    """The file that is meant, with or without its suffix."""
    return named(path.with_name(path.name.removesuffix(SUFFIX)), SUFFIX)


def write(about: About, values: Tensor, labels: Tensor, path: Path) -> None:
    """Writes N latents or codes [N, ...]."""
    told = {"kind": about.kind, "paths": json.dumps(about.paths), "run": about.run, "weights": about.weights}
    content = to_bytes({about.kind: values.contiguous(), "labels": labels.contiguous()}, told)
    with replacing(path) as partial:
        partial.write_bytes(content)


class Latents:
    """What a file holds, of which memory takes a piece at a time.

    Attributes:
        about: what it says of itself.
    """

    def __init__(self, file: safe_open, path: Path) -> None:
        self._file = file
        self.about = _about(file.metadata() or {}, path)
        self.labels: Tensor = file.get_tensor("labels")
        self._values = file.get_slice(self.about.kind)
        if not self._values.get_shape()[0] == len(self.labels) == len(self.about.paths):
            raise ValueError("not as many paths as items")

    def __len__(self) -> int:
        return len(self.about.paths)

    def __getitem__(self, places: slice) -> Tensor:
        """[B, ...]."""
        return self._values[places]


def read(path: Path) -> Latents:
    """What `write` has written.

    Raises:
        UserError: there is no such file, it is damaged, or somebody else has written it.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist: name a file that encode has written.")
    try:
        return Latents(safe_open(path, "pt"), path)
    except UserError:
        raise
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} is damaged or no safetensors file ({reason}): get it anew.") from None
    except (KeyError, ValueError, TypeError, RecursionError):
        raise UserError(f"{path} does not hold what encode writes: name a file that it has written.") from None


def _about(told: dict[str, str], path: Path) -> About:
    kind, paths = told["kind"], json.loads(told["paths"])
    if kind not in get_args(Kind) or not isinstance(paths, list) or not all(isinstance(one, str) for one in paths):
        raise ValueError(kind)
    for each in paths:
        if not each or PurePosixPath(each).is_absolute() or ".." in PurePosixPath(each).parts:
            raise UserError(f"{path} has an item of the path {each!r}, which leads out of any folder: rename it.")
    if len(set(paths)) < len(paths):
        raise ValueError("two items of one path")
    return About(kind, paths, told["run"], told["weights"])
