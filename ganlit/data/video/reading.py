"""Frames out of films, by PyAV, and out of numbered pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import IO, Any, NamedTuple

from PIL import Image

from ganlit.data import films
from ganlit.data.films import FILMS, closing, container
from ganlit.data.images.depth import Depth
from ganlit.data.images.fitting import Picture, look
from ganlit.data.images.kind import GREY, RGB, Kind
from ganlit.data.images.opening import opened
from ganlit.data.objections import Objected, Objection

MOVING = FILMS | {".gif"}
"""Suffixes of files that are a clip each."""

FRAMES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
"""Suffixes of pictures that may be the frames of one, where they are numbered."""

KNOWN = "asf,avi,flv,gif,matroska,mov,mpeg,mpegts,mpegvideo,ogg"
"""What FFmpeg may take a file for."""

TURNS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
"""By the degrees, against the clock, by which a film says that its frames are to be turned."""

WHOLE = 0.95  # of the frames that a film says it has: some of them count what no player shows
STRANGER = Objection("no clip", "is no clip", "remove it")


class Frame(NamedTuple):
    """A frame as it passes."""

    size: tuple[int, int]  # width and height, upright
    kind: Kind
    time: float | None  # seconds since some beginning; None where nobody says
    picture: Callable[[], Picture]  # decoded
    depth: Depth | None = None  # where there are more than 8 bits


class Header(NamedTuple):
    """What a file says of a clip, without decoding it."""

    size: tuple[int, int]
    rate: float | None  # frames a second
    frames: int | None  # None where it does not say


def library() -> ModuleType:
    """PyAV.

    Raises:
        UserError: it is not installed.
    """
    return films.library("av", "Video", "video")


def film(file: Path | IO[bytes]) -> Iterator[Frame]:
    """The frames of a film; a file that was opened is closed in the end.

    Raises:
        Objected: nothing can be made of it.
        OSError, ValueError, ...: whatever the libraries make of damaged data.
        UserError: PyAV is missing.
    """
    av = library()
    with closing(file), container(av, file, KNOWN, _unread) as found:
        stream, count = _seen(av, found), 0
        for frame in found.decode(stream):
            yield _frame(frame, _time(frame, stream, count))
            count += 1
        if not count:
            raise _unread("nothing in it can be decoded")
        if count < WHOLE * stream.frames:
            left = f"{count:,} of {stream.frames:,} frames are there"
            raise Objected(Objection("damaged", f"is truncated or damaged ({left})", "replace it"))


def numbered(files: Iterable[Path | IO[bytes]]) -> Iterator[Frame]:
    """Pictures as frames, of whose times nobody says anything; as for `film`."""
    for file in files:
        with closing(file), opened(file) as image:
            seen = look(image)
            yield Frame(seen.image.size, seen.kind, None, lambda seen=seen: seen, seen.depth)


def header_of_film(file: Path | IO[bytes]) -> Header:
    """What a film says of itself; as for `film`."""
    av = library()
    with closing(file), container(av, file, KNOWN, _unread) as found:
        stream = _seen(av, found)
        rate = None if stream.average_rate is None else float(stream.average_rate)
        return Header((stream.width, stream.height), rate, stream.frames or None)


def header_of_numbered(file: Path | IO[bytes], count: int) -> Header:
    """The same of pictures, of which the first is looked at."""
    with closing(file), opened(file) as image:
        return Header(image.size, None, count)


def _seen(av: ModuleType, found: Any) -> Any:
    """The stream of a file that is seen.

    Raises:
        Objected: there is none.
    """
    cover = av.stream.Disposition.attached_pic
    seen = [stream for stream in found.streams.video if not stream.disposition & cover]
    if not seen:
        what = "has sound in it and nothing to see" if found.streams.audio else "has nothing to see in it"
        raise Objected(Objection("nothing to see", what, "remove it"))
    seen[0].thread_type = "AUTO"
    return seen[0]


def _time(frame: Any, stream: Any, count: int) -> float | None:
    if frame.time is not None:
        return float(frame.time)
    return None if stream.average_rate is None else count / float(stream.average_rate)


def _frame(frame: Any, time: float | None) -> Frame:
    turn = frame.rotation % 360
    width, height = (frame.height, frame.width) if turn in (90, 270) else (frame.width, frame.height)
    kind = GREY if frame.format.name.startswith("gray") else RGB

    def picture() -> Picture:
        pixels = frame.to_ndarray(format="gray" if kind == GREY else "rgb24")
        image = Image.fromarray(pixels)
        return Picture(image.transpose(TURNS[turn]) if turn in TURNS else image, kind)

    return Frame((width, height), kind, time, picture)


def _unread(what: str) -> Objected:
    return Objected(STRANGER._replace(reason=f"is no clip that can be read ({what})"))
