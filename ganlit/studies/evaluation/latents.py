"""Files of latents or codes: whose they are, of which items, and what they hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple, get_args

import torch
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


class Values(NamedTuple):
    """Latents or codes of N items.

    Of items that last, one after the other, they may be of unequal length: `flat` is then [sum of the lengths, ...].
    """

    flat: Tensor  # [N, ...]
    labels: Tensor  # [N] int64
    lengths: Tensor | None = None  # [N] int64 of the latents, where these are unequal
    ends: Tensor | None = None  # [N] int64: where such an item ends; what is beyond was added for the network


def write(about: About, values: Values, path: Path) -> None:
    """Writes N latents or codes."""
    told = {"kind": about.kind, "paths": json.dumps(about.paths), "run": about.run, "weights": about.weights}
    named = {about.kind if name == "flat" else name: each for name, each in values._asdict().items()}
    content = to_bytes({name: each.contiguous() for name, each in named.items() if each is not None}, told)
    with replacing(path) as partial:
        partial.write_bytes(content)


class Latents:
    """What a file holds, of which memory takes a piece at a time.

    Attributes:
        about: what it says of itself.
        labels: [N] int64.
        ends: [N] int64, if it holds them, see `Values`; and so are the lengths.
    """

    def __init__(self, file: safe_open, path: Path) -> None:
        self._file = file
        self.about = _about(file.metadata() or {}, path)
        self.labels: Tensor = file.get_tensor("labels")
        there = {*file.keys()}
        self.lengths, self.ends = (
            file.get_tensor(name).long() if name in there else None for name in ("lengths", "ends")
        )
        self._values = file.get_slice(self.about.kind)
        total, counts = self._values.get_shape()[0], [len(self.labels), len(self.about.paths)]
        for each in (self.lengths, self.ends):
            if each is not None:
                counts.append(len(each))
                if len(each) and int(each.min()) < 1:
                    raise ValueError("an item of nothing")
        if self.lengths is not None and int(self.lengths.sum()) != total:
            raise ValueError("not as many latents as their lengths say")
        if {*counts} != {counts[0] if self.lengths is not None else total}:
            raise ValueError("not as many paths as items")

    def __len__(self) -> int:
        return len(self.about.paths)

    def pieces(self, together: int) -> Iterator[tuple[slice, Tensor]]:
        """The places of items that come together, and their values [B, ...]; one at a time if their lengths differ."""
        if self.lengths is None:
            for first in range(0, len(self), together):
                yield (places := slice(first, min(first + together, len(self)))), self._values[places]
            return
        for place, end in enumerate(self.lengths.cumsum(0).tolist()):
            yield slice(place, place + 1), self._values[end - int(self.lengths[place]) : end].movedim(0, -1)[None]


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


class Gathered:
    """Values of items as they come, one batch after another.

    Args:
        count: of the items, at most.
        source: what messages call the place that these are of.
        ragged: whether they may differ along their last side.
    """

    def __init__(self, count: int, source: str, ragged: bool) -> None:
        self.count, self.source, self.ragged = count, source, ragged
        self.parts: list[Tensor] = []
        self.size = 0

    def add(self, values: Tensor, item: str) -> None:
        """Takes [B, ...].

        Args:
            values: of items.
            item: what messages call the first of them.

        Raises:
            UserError: a file cannot hold them together with the others.
        """
        own, first = values.shape[1:], (self.parts or [values])[0].shape[1:]
        if own != first and not (self.ragged and own[:-1] == first[:-1]):
            raise UserError(
                f"{item} has a latent of {[*own]} while the first has one of {[*first]}, and a file holds those of one "
                "shape: bring all items to one size."
            )
        self.parts.append(values)
        self.size += values.nbytes
        expected = self.size if self.ragged else values[0].nbytes * self.count
        if max(self.size, expected) > LARGEST:
            raise UserError(
                f"{self.source} has {self.count:,} items, whose latents take {expected / 1e9:,.1f} GB"
                f"{' and more' * self.ragged}, and a file holds {LARGEST / 1e9:,.1f} at most: encode it in parts, such "
                "as its sub-folders."
            )

    def joined(self) -> tuple[Tensor, Tensor | None]:
        """All of them, [N, ...], and None; where they differ, [sum of the lengths, ...] and the lengths [N]."""
        parts, self.parts = self.parts, []  # so that memory holds them no longer than they are needed
        if len({part.shape[1:] for part in parts}) <= 1:
            return torch.cat(parts), None
        items = [item.movedim(-1, 0) for part in parts for item in part]
        return torch.cat(items), torch.tensor([len(item) for item in items])
