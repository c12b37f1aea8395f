"""Files that people look at or listen to: what they are, how pictures are written, how pages take them in."""

from __future__ import annotations

import glob
import io
import mimetypes
import re
import wave
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np
from PIL import Image

from ganlit.records.durable import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

Kind = Literal["image", "audio", "video", "text"]
"""What a file is shown as: by a picture, a player, a film, which a GIF is, or by its words or numbers."""

PICTURE = ".png"
"""Suffix of every picture that is written."""

FILM = ".gif"
"""Suffix of a picture that moves, and so is a film."""

LINES = ".txt"
"""Suffix of texts, one in each line."""

PLACE = re.compile(r"(.+)-(\d)(\d)")

LARGE = 700_000  # bytes of a picture that a page takes in as it is; a larger one is scaled down
LARGEST = 3_000_000  # of another file; a larger one is left out
ACROSS = 1400  # pixels, then


def kind_of(path: Path) -> Kind | None:
    """What a file is, by its suffix; None where it is nothing to look at."""
    if path.suffix.lower() == FILM:
        return "video"
    kind = (mimetypes.guess_type(path.name)[0] or "").partition("/")[0]
    return kind if kind in get_args(Kind) else None


def named(path: Path, suffix: str) -> Path:
    """A path with a suffix behind its whole name, which may have dots."""
    return path.with_name(path.name + suffix)


class Place(NamedTuple):
    """Where something is in the grid of a picture that is written with it."""

    picture: str  # its name without the suffix
    row: int  # from 0 on, and below ten, as the column
    column: int

    def path(self, folder: Path, suffix: str) -> Path:
        """The file of what is there."""
        return folder / f"{self.picture}-{self.row}{self.column}{suffix}"

    @classmethod
    def of(cls, file: Path) -> Place | None:
        """The same of a file that has such a name."""
        match = PLACE.fullmatch(file.stem)
        return None if match is None else cls(match[1], int(match[2]), int(match[3]))


def companions(picture: Path) -> list[Path]:
    """Sounds, films and texts that have a picture's name, and would be replaced by those written with it."""
    stem = picture.name.removesuffix(picture.suffix)
    near = picture.parent.glob(f"{glob.escape(stem)}*")
    return sorted(path for path in near if kind_of(path) not in (None, "image"))


def one_under_the_other(parts: Sequence[Sequence[Tensor]], columns: int) -> list[Tensor]:
    """What belongs together in one column, row under row, as `Modality.show` takes it.

    Args:
        parts: as many items [1, ...] each: of sources, of what was made of them, perhaps of targets.
        columns: items in a row; those that fill none are left out.
    """
    firsts = range(0, len(parts[0]) - columns + 1, columns)
    return [item for first in firsts for part in parts for item in part[first : first + columns]]


def write_picture(image: Image.Image, path: Path) -> Path:
    """Writes a picture under another name first, so that nobody meets half of it.

    Args:
        image: 8-bit.
        path: without the suffix.

    Returns:
        The file.
    """
    file = named(path, PICTURE)
    with replacing(file, flush=False) as partial:
        image.save(partial, format=PICTURE.removeprefix("."))
    return file


def write_film(pictures: Sequence[Path], path: Path, seconds: float = 0.25, across: int = 640) -> Path:
    """Writes pictures one after the other as a film that begins anew, each brought to the size of the first.

    Args:
        pictures: of files, one or more.
        path: without the suffix.
        seconds: that each is seen; the last, which the eye shall rest on, eight times as long.
        across: pixels of the longer side, at most.

    Returns:
        The file.
    """
    frames = []
    for each in pictures:
        with Image.open(each) as image:
            frame = image.convert("RGB")
        by = min(1, across / max(frame.size))
        size = frames[0].size if frames else (max(1, round(frame.width * by)), max(1, round(frame.height * by)))
        frames.append(frame if frame.size == size else frame.resize(size))
    shown = [round(1000 * seconds)] * (len(frames) - 1) + [round(8000 * seconds)]
    file = named(path, FILM)
    with replacing(file, flush=False) as partial:
        first, *others = frames
        first.save(partial, format=FILM.removeprefix("."), save_all=True, append_images=others, duration=shown, loop=0)
    return file


def drawn(figure: Figure, dpi: int = 150, **metadata: str) -> bytes:
    """The content of a picture's file, of a figure."""
    content = io.BytesIO()
    figure.savefig(content, format=PICTURE.removeprefix("."), dpi=dpi, metadata=metadata or None)
    return content.getvalue()


class Sound(NamedTuple):
    """Channels averaged."""

    samples: np.ndarray  # [1, T] in [-1, 1]
    rate: int  # samples a second


def sound_of(path: Path) -> Sound | None:
    """A WAV file of 16 bits; None of others."""
    try:
        with wave.open(str(path)) as file:
            if file.getsampwidth() != 2:
                return None
            frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
            return Sound(frames.mean(1)[None] / 2**15, file.getframerate())
    except (wave.Error, EOFError):
        return None


class Film(NamedTuple):
    """A GIF."""

    content: bytes
    sides: dict[str, int]  # height and width in pixels


def film_of(path: Path) -> Film | None:
    """A GIF's file; None of others."""
    if path.suffix.lower() != FILM:
        return None
    with Image.open(path) as film:
        return Film(path.read_bytes(), {"height": film.height, "width": film.width})


class Embedded(NamedTuple):
    """A file inside a page."""

    kind: Kind
    source: str  # a data URI; of text the text
    across: int = 0  # pixels of a picture
    scaled: bool = False  # down


def embedded(path: Path) -> Embedded | None:
    """A file as a page takes it in; None where it is too large, or cannot be read or shown: it is not worth a page."""
    kind, mime = kind_of(path), mimetypes.guess_type(path.name)[0]
    try:
        if kind is None or (kind != "image" and path.stat().st_size > LARGEST):
            return None
        if kind == "text":
            return Embedded(kind, path.read_text(encoding="utf-8"))
        content = path.read_bytes()
        if kind == "image":
            with Image.open(io.BytesIO(content)) as image:
                if len(content) <= LARGE:
                    return Embedded(kind, data_uri(content, mime), image.width)
                small = image.convert("RGB")
            small.thumbnail((ACROSS, ACROSS))
            written = io.BytesIO()
            small.save(written, "JPEG", quality=90)
            return Embedded(kind, data_uri(written.getvalue(), "image/jpeg"), small.width, scaled=True)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    return Embedded(kind, data_uri(content, mime))


def data_uri(content: bytes, mime: str = f"image/{PICTURE.removeprefix('.')}") -> str:
    """Content as an address that holds it."""
    return f"data:{mime};base64,{b64encode(content).decode()}"
