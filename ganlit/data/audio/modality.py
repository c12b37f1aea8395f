"""Sound as the house knows it: recordings in files, int16 [B, C, T] when stored, [-1, 1] in networks."""

from __future__ import annotations

import os
import wave
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlit.contracts import Modality
from ganlit.data.archive import members_of
from ganlit.data.audio.catalogue import open_all, open_source
from ganlit.data.audio.check import check
from ganlit.data.audio.collection import Heard
from ganlit.data.audio.form import WHITE, Form, Level, Trained, form_of, resampled
from ganlit.data.audio.manifest import lists_sound
from ganlit.data.audio.published import SETS
from ganlit.data.audio.reading import SOUNDS
from ganlit.data.audio.source import Source, suffix_of
from ganlit.data.audio.spectra import grid
from ganlit.data.audio.tree import Single
from ganlit.data.films import FILMS
from ganlit.data.gathered import without_training
from ganlit.data.source import BadItem, BadLabels, Labels
from ganlit.data.walk import walked
from ganlit.errors import UserError, within
from ganlit.records.durable import replacing
from ganlit.records.media import Place, named, write_picture

GLANCE = 2000  # files of a folder at a first look
SHOWN = 2**18  # samples of a recording that is shown, at most
HEARD = (3, 4)  # rows and columns of a grid whose recordings are beside it to be played: the first ones


class AudioModality(Modality):
    """Recordings, each a WAV file of 16 bits where it is written.

    Args:
        rate: samples a second; None where that is not known yet, and what is opened tells it.
        channels: 1 of mono, 2 of stereo; None likewise.
    """

    name = "audio"
    item = "recording"
    axes = "channels, samples"
    shaped_by = "rate, segment and channels"
    extractor = "logmel"
    tile = 2**17
    ragged = True

    def __init__(self, rate: int | None = None, channels: int | None = None) -> None:
        self.rate = rate
        self.channels = channels

    def to_network(self, stored: Tensor) -> Tensor:
        return stored.float() / WHITE

    def to_stored(self, output: Tensor) -> Tensor:
        return (output * WHITE).round().clamp(-WHITE, WHITE - 1).to(torch.int16)

    def for_extractor(self, stored: Tensor, wanted: Any = None) -> Tensor:
        """float32 mono [B, T] in [-1, 1], at the rate that the extractor wants."""
        waves = (stored.float() / WHITE).mean(1)
        if wanted is None or wanted == self._known_rate:
            return waves
        found = resampled(waves.cpu().numpy().T, self._known_rate, wanted)
        return torch.from_numpy(np.ascontiguousarray(found.T)).to(stored.device)

    def seconds(self, stored: Tensor) -> float:
        return len(stored) * stored.shape[2] / self._known_rate

    def write(self, stored: Tensor, path: Path, beside: Any = None) -> Path:
        """A WAV file of 16 bits."""
        file, rate = named(path, ".wav"), self._known_rate
        with replacing(file, flush=False) as partial, wave.open(str(partial), "wb") as content:
            content.setnchannels(len(stored))
            content.setsampwidth(2)
            content.setframerate(rate)
            content.writeframes(stored.cpu().T.contiguous().numpy().astype("<i2").tobytes())
        return file

    def glance(self, stored: Tensor) -> Tensor:
        """The beginning of long ones."""
        return stored[..., :SHOWN]

    def show(self, rows: Sequence[Tensor], columns: int, path: Path) -> list[Path]:
        """Their spectrograms in a grid, and a WAV of each of the first ones, called by its row and column there."""
        picture, sounds = write_picture(grid(rows, self._known_rate, columns), path), list[Path]()
        for number, item in enumerate(item for batch in rows for item in batch):
            row, column = divmod(number, columns)
            if row < HEARD[0] and column < HEARD[1]:
                place = Place(path.name, row, column).path(path.parent, "")
                sounds.append(self.write(item, place))
        return [picture, *sounds]

    def recognises(self, place: str) -> float:
        path = Path(os.path.expanduser(place))
        if place.strip() and os.path.isdir(path):
            return _share([found.path for found in islice(walked(path), GLANCE)])
        if not os.path.isfile(path):
            return float(place.lower() in SETS)
        if suffix_of(path.name) == ".zip":
            return _share(members_of(path, GLANCE))
        return _likeness(path.name) or float(lists_sound(path))

    def open(self, place: str, split: str, root: Path, labels: Labels = True) -> Heard:
        """The recordings of a folder, a zip, a list or a set by name, whole.

        Where no rate is known yet, it is the lowest that there is: nothing is raised.

        Args:
            place: as for `check`, and so are the next two.
            split: "train", or what else there is.
            root: where sets known by name lie or are fetched to.
            labels: false does not look at them.
        """
        source = open_source(place, split, root, labels)
        try:
            len(source)  # for which labels are looked at
        except BadLabels:
            return self.open(place, split, root, labels=False)
        kind = self if self.rate is not None else _bound(source, place)
        return Heard(source, Form(kind.rate, kind.channels or 1, mix=True), kind)

    def bring(
        self,
        place: Path,
        form: Trained,
        labelled: bool,
        any_size: bool,
        mix: bool = False,
        upsample: bool = False,
        level: Level = "kept",
        seconds: float | None = None,
    ) -> Heard:
        """The recordings of a folder, a zip, a list or a file, at the rate of a dataset.

        Args:
            place: its path.
            form: of the dataset.
            labelled: whether their classes are wanted.
            any_size: whether they may have any.
            mix: average the channels of recordings that have others than the training's, or repeat the one.
            upsample: raise a lower rate to that of the training, though nothing is above half of it.
            level: how loud they shall be: as they are (kept), their highest sample at 0.95 (peak), or their mean square
                23 dB below 1 (loudness).
            seconds: of each, of which longer ones are cut and shorter ones end in silence; by default all, or, where
                all have to be alike, as much as in training.
        """
        within("--seconds", seconds, above=0, most=24 * 3600, optional=True)
        source, (trained, heard) = open_all(place, labelled), form
        length = round(seconds * trained.rate) if seconds is not None else None if any_size else heard
        mix, upsample = mix or trained.mix, upsample or trained.upsample
        wanted = trained._replace(level=level, mix=mix, upsample=upsample, cut=None)
        kind = AudioModality(trained.rate, trained.channels)
        return Heard(source, wanted, kind, length, uncut=seconds is None, options=True)

    def check(
        self,
        place: str,
        split: str,
        root: Path,
        batch: int,
        rate: int | None = None,
        segment: int | None = None,
        channels: int | None = None,
        mix: bool = False,
        upsample: bool = False,
        level: Level = "kept",
        cut: float | None = None,
        labels: Labels = True,
    ) -> None:
        """Also judges by the options of `Recordings`.

        Args:
            place: a folder, a zip, a list in CSV or JSON lines, sc09, speech_commands, ljspeech, vctk or libritts.
            split: "train", or what else there is.
            root: where sets known by name lie or are fetched to.
            batch: recordings in a step.
            rate: samples a second; by default a rate that nearly all have.
            segment: samples of a training's windows.
            channels: how many; by default as many as most have.
            mix: average the channels of recordings that have others, or repeat the one.
            upsample: raise lower rates.
            level: how loud they shall be: kept, peak or loudness.
            cut: seconds of the pieces that longer recordings are cut into.
            labels: false does without labels, renumber numbers the classes of dataset.json anew.
        """
        within("--segment", segment, least=1, optional=True)
        form = form_of(rate or 16000, channels or 1, level, mix, upsample, cut, "--")
        asked = form._replace(rate=rate or 0, channels=channels or 0)
        check(place, split, root, batch, asked, segment, labels)

    @property
    def _known_rate(self) -> int:
        if self.rate is None:
            raise UserError("Nobody says how many samples a second these recordings have: name their rate.")
        return self.rate


def _bound(source: Source, place: str) -> AudioModality:
    """The kind of what a source holds: the lowest rate, and as many channels as all have, or one."""
    if isinstance(source, Single) and suffix_of(source.files[0]) not in SOUNDS:
        raise UserError(f"{place} is neither a recording, for it has not the suffix of one, nor a zip: name another.")
    headers = []
    for index in range(len(source)):
        try:
            headers.append(source.header(index))
        except BadItem as bad:
            raise without_training(bad) from None
    channels = {header.channels for header in headers}
    return AudioModality(min(header.rate for header in headers), channels.pop() if len(channels) == 1 else 1)


def _share(paths: Sequence[str]) -> float:
    """How many of some paths are called like recordings."""
    return sum(map(_likeness, paths)) / max(len(paths), 1)


def _likeness(path: str) -> float:
    """Films count half: where nobody says what of them is meant, it is rather what one sees."""
    suffix = suffix_of(path)
    return (suffix in SOUNDS) / (1 + (suffix in FILMS))
