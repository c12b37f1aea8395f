"""Text as the house knows it: symbols by numbers, int32 [B, L] when stored, int64 in networks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlit.contracts import Modality
from ganlit.data import listed
from ganlit.data.archive import members_of
from ganlit.data.source import BadLabels, Labels
from ganlit.data.text.catalogue import open_source
from ganlit.data.text.check import check
from ganlit.data.text.collection import Written
from ganlit.data.text.form import Form, form_of
from ganlit.data.text.form import named as of_unit
from ganlit.data.text.page import page
from ganlit.data.text.published import SETS
from ganlit.data.text.source import Each
from ganlit.data.text.table import KEY, lists_texts
from ganlit.data.text.tree import TEXTS, suffix_of
from ganlit.data.text.vocabulary import END, UNKNOWN, Unit, Vocabulary, pieces
from ganlit.data.walk import walked
from ganlit.errors import UserError, printable
from ganlit.records.durable import replacing
from ganlit.records.media import LINES, named, write_picture

GLANCE = 2000  # files of a folder at a first look
SHOWN = 2000  # symbols of a text that is shown, at most
PAIRS = 509  # places for pairs of symbols: a prime, so that few of them meet
LIKELY = 0.5  # of what a table is: its entries may be about something else


class TextModality(Modality):
    """Texts, each a file of UTF-8 where it is written, or a line of one where many are.

    Args:
        vocabulary: what numbers stand for; None where that is not known yet, and what is opened tells it.
    """

    name = "text"
    item = "text"
    axes = "symbols"
    shaped_by = "length and symbols"
    extractor = "ngrams"
    listings = (LINES, *sorted(listed.LINES))  # suffixes of files that hold many

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        self.vocabulary = vocabulary

    def to_network(self, stored: Tensor) -> Tensor:
        return stored.long()

    def to_stored(self, output: Tensor) -> Tensor:
        """Numbers [B, L] as they are, or the likeliest by scores [B, L, symbols]; behind an end is nothing.

        A network may have more symbols than the vocabulary: one of these is unknown.
        """
        numbers = output.argmax(2) if output.ndim == 3 else output.round() if output.is_floating_point() else output
        numbers, vocabulary = numbers.long(), self._known
        numbers = numbers.where((numbers >= 0) & (numbers < len(vocabulary)), UNKNOWN)
        if vocabulary.ends:
            numbers = numbers.where((numbers != END).cummin(1).values, END)
        return numbers.int()

    def for_extractor(self, stored: Tensor, wanted: Any = None) -> Tensor:
        """What an extractor makes of texts, which `wants` to be given them as a list."""
        return stored.long() if wanted is None else wanted(self.texts(stored)).to(stored.device)

    def traits(self, items: Tensor) -> Tensor:
        """How often each pair of neighbours stands in a text; a few pairs share one of the places: [B, PAIRS]."""
        numbers = self.to_stored(items).long()
        before = torch.nn.functional.pad(numbers[:, :-1], (1, 0), value=len(self._known))
        pairs = (before * 31 + numbers) % PAIRS
        return torch.zeros(len(items), PAIRS, device=items.device).scatter_add_(1, pairs, self.counted(numbers).float())

    def texts(self, stored: Tensor) -> list[str]:
        """Stored texts [B, L] as they are written."""
        return [self._known.decode(numbers) for numbers in stored.tolist()]

    def pieces(self, text: str, unit: Unit) -> list[str]:
        """A text in words, or in characters, however its numbers have it: what metrics count."""
        return pieces(text, unit)

    def counted(self, items: Tensor) -> Tensor:
        """Which numbers of texts [B, L] are some: all to the first end, that one included; [B, L] bool."""
        if not self._known.ends:
            return torch.ones_like(items, dtype=torch.bool)
        ended = items == END
        return ended.cumsum(1) - ended.long() == 0

    def write(self, stored: Tensor, path: Path, beside: Any = None) -> Path:
        """A text file, its end as texts have it."""
        file = named(path, LINES)
        with replacing(file, flush=False) as partial:
            partial.write_text(self.texts(stored[None])[0] + "\n", encoding="utf-8")
        return file

    def write_all(self, stored: Iterable[Tensor], file: Path, about: Iterable[Mapping[str, Any]] | None = None) -> Path:
        """Many texts [B, L] in one file: JSON lines where it is called so, else a line each.

        In plain lines, a text's own line breaks become blanks.

        Args:
            stored: batches of them.
            file: with its suffix.
            about: of each text what else its line says, in JSON.
        """
        texts = (text for batch in stored for text in self.texts(batch))
        entries = zip(texts, repeat({}) if about is None else about, strict=about is not None)
        described = file.suffix.lower() in listed.LINES
        with replacing(file, flush=False) as partial, partial.open("w", encoding="utf-8", newline="\n") as content:
            for text, rest in entries:
                line = json.dumps({KEY: text, **rest}, ensure_ascii=False) if described else one_line(text)
                content.write(f"{line}\n")
        return file

    def prefix(self, beginning: str, option: str = "--prefix", length: int | None = None) -> Tensor:
        """The numbers [1, T] int64 of how texts shall begin.

        Args:
            beginning: as it was typed.
            option: that asks for it.
            length: symbols of a text, beyond which it cannot go.

        Raises:
            UserError: it has a symbol that is not known, or too many of them.
        """
        if unknown := self._known.unknown(beginning):
            raise UserError(
                f"{option} has {printable(repr(unknown[0]))}, which is no symbol of the training's vocabulary: write "
                "it otherwise, or leave it out."
            )
        found = torch.tensor([self._known.encode(beginning)], dtype=torch.int64)
        if length is not None and found.shape[1] > length:
            has = f"{found.shape[1]:,} {of_unit(self._known.unit)}"
            raise UserError(f"{option} has {has}, more than the {length:,} of a text: shorten it.")
        return found

    def glance(self, stored: Tensor) -> Tensor:
        """The beginning of long ones."""
        return stored[..., :SHOWN]

    def show(self, rows: Sequence[Tensor], columns: int, path: Path) -> list[Path]:
        """A page of them, and a file of them all, a line each."""
        texts = [text for batch in rows for text in self.texts(batch)]
        picture = write_picture(page(texts, columns), path)
        return [picture, self.write_all((batch for batch in rows), named(path, LINES))]

    def recognises(self, place: str) -> float:
        path = Path(os.path.expanduser(place))
        if place.strip() and os.path.isdir(path):
            return _share([found.path for found in islice(walked(path), GLANCE)])
        if not os.path.isfile(path):
            return float(place.lower() in SETS)
        if suffix_of(path.name) == ".zip":
            return _share(members_of(path, GLANCE))
        return float(suffix_of(path.name) in TEXTS) or LIKELY * lists_texts(path)

    def open(self, place: str, split: str, root: Path, labels: Labels = True) -> Written:
        """The texts of a file, a folder, a zip or a set by name, whole.

        Where no vocabulary is known yet, it is of characters, and grows: texts are what they were.

        Args:
            place: as for `check`, and so are the next two.
            split: "train", or what else there is.
            root: where sets known by name lie.
            labels: false does not look at them.
        """
        source = open_source(place, split, root, labels)
        vocabulary = Vocabulary.growing() if self.vocabulary is None else self.vocabulary
        try:
            len(source)  # for which labels are looked at
            return Written.of(source, TextModality(vocabulary), vocabulary)
        except BadLabels:
            return self.open(place, split, root, labels=False)

    def check(
        self,
        place: str,
        split: str,
        root: Path,
        batch: int,
        length: int | None = None,
        unit: Unit | None = None,
        symbols: int | None = None,
        each: Each | None = None,
        shorten: bool = False,
        lower: bool = False,
        key: str = KEY,
        labels: Labels = True,
    ) -> None:
        """Also judges by the options of `Texts`.

        Args:
            place: a text file, JSON lines, a CSV file, a folder of texts, a zip, moby_dick, sotu, image_coco or
                emnlp_news.
            split: "train", or what else there is.
            root: where sets known by name lie.
            batch: texts in a step.
            length: symbols of each; by default enough for nearly all.
            unit: words, characters or bpe; by default words, or characters where most texts are one word.
            symbols: of the vocabulary, at most.
            each: what counts as a text: lines, files or windows.
            shorten: keep the beginning of longer texts.
            lower: bring texts into lower case.
            key: of the texts in JSON lines or CSV.
            labels: false does without labels, renumber numbers the classes of dataset.json anew.
        """
        form_of(Form(length or 1, unit or "words", symbols, each, shorten, lower), "--")
        check(place, split, root, batch, length, unit, Form(1, "words", symbols, each, shorten, lower), key, labels)

    @property
    def _known(self) -> Vocabulary:
        if self.vocabulary is None:
            raise UserError(
                "Nobody says what the numbers of these texts stand for: prepare the data, or keep vocabulary.json in "
                "the run directory, where the training has written it."
            )
        return self.vocabulary


def one_line(text: str) -> str:
    """A text without line breaks."""
    return " ".join(text.split("\n")).replace("\r", " ")


def _share(paths: Sequence[str]) -> float:
    """How many of some paths are called like texts: less than of anything that texts may be about."""
    return 0.99 * sum(suffix_of(path) in TEXTS for path in paths) / max(len(paths), 1)
