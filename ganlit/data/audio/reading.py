"""Recordings out of files, by libraries: soundfile, and PyAV for what it does not know."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import IO, Any, NamedTuple

import numpy as np

from ganlit.data import films
from ganlit.data.films import FILMS, closing, container
from ganlit.data.objections import Objected, Objection

PLAIN = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64"}
PLAIN |= {".rf64", ".sph", ".nist", ".voc"}
"""Suffixes of files that soundfile reads."""

RAW = {".g722": "g722"}
"""Suffixes of files that do not say themselves what they are, and what FFmpeg calls that."""

OTHERS = {*RAW, ".aac", ".m4a", ".mp2", ".ac3", ".amr", ".ape", ".mka", ".wma", ".wv"}
"""Suffixes of what PyAV reads, beside films, whose sound is taken."""

SOUNDS = PLAIN | OTHERS | FILMS

KNOWN = "aac,ac3,aiff,amr,ape,asf,avi,caf,flac,flv,g722,matroska,mov,mp3,mpeg,mpegts,ogg,w64,wav,wv"
"""What FFmpeg may take a file for: others of its formats, such as playlists, would have it open further ones."""

LONGEST = 2**30  # numbers in a recording
STREAMED = 2**31 - 2**16  # bytes from which on a WAV says that its writer did not know its size
STRANGER = Objection("no recording", "is no recording", "remove it")


class Sound(NamedTuple):
    """What a recording holds."""

    samples: np.ndarray  # [T, C] float32, from -1 to 1 where nothing is wrong with them
    rate: int  # samples a second

    @property
    def channels(self) -> int:
        return self.samples.shape[1]

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


class Header(NamedTuple):
    """What a file says of a recording, without decoding it."""

    rate: int
    channels: int
    length: int | None  # samples of each channel; None where it does not say


class Span(NamedTuple):
    """A part of a recording, in seconds."""

    start: float = 0.0
    end: float | None = None  # None for that of the recording

    def places(self, rate: int) -> slice:
        return slice(round(self.start * rate), None if self.end is None else round(self.end * rate))


WHOLE = Span()


def library(name: str) -> ModuleType:
    """A package that only sound needs.

    Raises:
        UserError: it is not installed.
    """
    return films.library(name, "Sound", "audio")


def read(file: Path | IO[bytes], suffix: str, span: Span = WHOLE) -> Sound:
    """A recording, decoded.

    Args:
        file: where it can be read; a file that was opened is closed.
        suffix: of its name, in lower case.
        span: that is wanted of it.

    Raises:
        Objected: nothing can be made of it.
        OSError, ValueError, ...: whatever the libraries make of damaged data.
        UserError: the package is missing that reads it.
    """
    with closing(file):
        opened = None if suffix in OTHERS | FILMS else _plain(file)
        if opened is None:
            return _by_av(file, suffix, span)
        with opened:
            return _by_soundfile(opened, file, span)


def header(file: Path | IO[bytes], suffix: str) -> Header:
    """What a file says of itself; as for `read`."""
    with closing(file):
        opened = None if suffix in OTHERS | FILMS else _plain(file)
        if opened is not None:
            with opened:
                return Header(opened.samplerate, opened.channels, opened.frames)
        with _av(file, suffix) as container:
            return Header(container.streams.audio[0].rate, container.streams.audio[0].channels, None)


def _plain(file: Path | IO[bytes]) -> Any | None:
    """A file that soundfile has opened; None where it is of another kind."""
    soundfile = library("soundfile")
    try:
        return soundfile.SoundFile(file)
    except soundfile.LibsndfileError:
        if not isinstance(file, Path):
            file.seek(0)
        return None


def _by_soundfile(opened: Any, file: Path | IO[bytes], span: Span) -> Sound:
    places = span.places(opened.samplerate)
    _refuse_long(opened.frames * opened.channels)
    _refuse_cut(file)
    start = min(places.start, opened.frames)
    if start:
        opened.seek(start)
    stop = opened.frames if places.stop is None else min(places.stop, opened.frames)
    samples = opened.read(max(stop - start, 0), dtype="float32", always_2d=True)
    if len(samples) < stop - start:
        raise Objected(_cut(f"{len(samples):,} of {stop - start:,} samples are there"))
    return Sound(samples, opened.samplerate)


def _refuse_cut(file: Path | IO[bytes]) -> None:
    """A WAV that says that it has more bytes than there are: soundfile reads what is left of it without a word."""
    with file.open("rb") if isinstance(file, Path) else _as_it_was(file) as content:
        content.seek(0)
        first = content.read(8)
        said, there = 8 + int.from_bytes(first[4:], "little"), content.seek(0, os.SEEK_END)
    if first[:4] == b"RIFF" and there + 1 < said < STREAMED:  # of an odd number, the last may be missing
        raise Objected(_cut(f"{there:,} of {said:,} bytes are there"))


@contextmanager
def _as_it_was(file: IO[bytes]) -> Iterator[IO[bytes]]:
    place = file.tell()
    try:
        yield file
    finally:
        file.seek(place)


def _by_av(file: Path | IO[bytes], suffix: str, span: Span) -> Sound:
    av = library("av")
    with _av(file, suffix) as container:
        stream = container.streams.audio[0]
        alike = av.AudioResampler(format="fltp")  # of floats, whatever they were; their rate and channels stay
        pieces, total, rate = [], 0, stream.rate
        for frame in chain(container.decode(stream), [None]):
            for each in alike.resample(frame):
                pieces.append(each.to_ndarray())
                total, rate = total + pieces[-1].size, each.sample_rate  # of some AAC, only its frames know it
                _refuse_long(total)
        if not pieces:
            raise Objected(_unknown("nothing in it can be decoded"))
        samples = np.concatenate(pieces, axis=1).T[span.places(rate)]
        return Sound(np.ascontiguousarray(samples, np.float32), rate)


@contextmanager
def _av(file: Path | IO[bytes], suffix: str) -> Iterator[Any]:
    """A file that PyAV has opened, in which there is sound."""
    with container(library("av"), file, KNOWN, _unread, RAW.get(suffix)) as opened:
        if not opened.streams.audio:
            what = "is a film without sound" if opened.streams.video else "has no sound in it"
            raise Objected(Objection("no sound", what, "remove it"))
        yield opened


def _unread(what: str) -> Objected:
    return Objected(_unknown(what))


def _unknown(what: str) -> Objection:
    return STRANGER._replace(reason=f"is no recording that can be read ({what})")


def _cut(what: str) -> Objection:
    return Objection("damaged", f"is truncated or damaged ({what})", "replace it")


def _refuse_long(numbers: int) -> None:
    if numbers > LONGEST:
        reason = f"has {numbers:,} samples, more than the {LONGEST:,} that are read at once"
        raise Objected(Objection("too long", reason, "cut it into shorter ones", spare=False))
