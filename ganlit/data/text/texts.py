"""Texts with or without classes, from files of many kinds: in rows of one length, by a vocabulary of their own."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganlit.contracts import Labelled, Reference
from ganlit.data.draws import Draws
from ganlit.data.held import HELD_OUT, chosen, parted, rest, understood
from ganlit.data.mapped import MappedDataModule
from ganlit.data.source import Labels
from ganlit.data.store import Stored
from ganlit.data.text.catalogue import open_source
from ganlit.data.text.decoding import decoded, vocabulary_of
from ganlit.data.text.form import Form, form_of, of_vocabulary
from ganlit.data.text.modality import TextModality
from ganlit.data.text.source import Each
from ganlit.data.text.table import KEY
from ganlit.data.text.vocabulary import FILE, Unit, Vocabulary
from ganlit.errors import UserError


class Texts(MappedDataModule):
    """Texts in the numbers of a vocabulary, int32 [N, L]; a text is over at its first 0.

    The vocabulary is made of the texts that are trained on, unless another one is given. A run keeps it as
    vocabulary.json in its directory.

    Args:
        source: a text file of a text in each line, JSON lines, a CSV file, a folder whose files are texts and whose
            sub-folders are their classes, a zip, moby_dick, sotu, image_coco or emnlp_news.
        length: symbols of a text; shorter ones end before.
        unit: of the symbols: words (and the signs between them), characters, or bpe, parts of words that byte-pair
            encoding finds.
        symbols: of the vocabulary, the end and the unknown among them: so many as networks have. The most frequent are
            taken, and what is left out is unknown; by default all of them, which bpe has no notion of.
        each: what counts as a text: lines, files (or entries of a table), or windows of the length, which begin
            anywhere in each pass of the training; by default the lines of a file, and else files.
        shorten: keep the beginning of texts that are longer than the length instead of refusing them.
        lower: bring all into lower case.
        key: of the texts in JSON lines, or their column in CSV.
        vocabulary: of another run, its directory or its vocabulary.json, to be used instead of one's own: symbols that
            it does not have are unknown.
        split: "train", or what else the source has.
        skip_bad: count, list and leave out texts that cannot be used instead of refusing the dataset.
        labels: false does without labels and does not look at them; renumber numbers the classes of dataset.json anew.
        held_out: texts that are never trained on, and measured instead of the others: a share of these, such as 0.1,
            chosen once for all seeds; another split of the source, such as test; or a path.
        root: where sets known by name lie.
        stage: a folder on a disk of each machine itself, as in `Images`.
        loading: batch, tick, val_images, test_images and seed, as in `GanDataModule`.

    Raises:
        UserError: the source cannot be used as it is; the sentence names the file and the option that helps.
    """

    def __init__(
        self,
        source: str,
        length: int,
        unit: Unit = "words",
        symbols: int | None = None,
        each: Each | None = None,
        shorten: bool = False,
        lower: bool = False,
        key: str = KEY,
        vocabulary: Path | None = None,
        split: str = "train",
        skip_bad: bool = False,
        labels: Labels = True,
        held_out: float | str | None = None,
        root: Path = Path("datasets"),
        stage: Path | None = None,
        **loading: Any,
    ) -> None:
        super().__init__(source, stage, **loading)
        self.form = form_of(Form(length, unit, symbols, each, shorten, lower))
        self.key = key
        self.given = None if vocabulary is None else Path(vocabulary)
        self.split = split
        self.skip_bad = skip_bad
        self.labels = labels
        self.held_out = understood(held_out)
        self.root = Path(root)
        self.recalled: tuple[Path, Vocabulary] | None = None

    @property
    def modality(self) -> TextModality:
        return TextModality(self.vocabulary)

    @property
    def vocabulary(self) -> Vocabulary | None:
        """What numbers stand for, as the data say once they are ready, or else a run's record; None before."""
        if "_stores" in self.__dict__:
            return self._own
        return None if self.recalled is None else self.recalled[1]

    @cached_property
    def _own(self) -> Vocabulary:
        return vocabulary_of(self.stored)

    def decoded(self) -> Stored:
        share = self.held_out if isinstance(self.held_out, float) else 0.0
        given = None if self.given is None else Vocabulary.read(self.given.expanduser())
        return self._decoded(self.source, self.split, share, given)

    def others(self) -> dict[str, Stored]:
        if not isinstance(self.held_out, str):
            return {}
        elsewhere = Path(self.held_out).expanduser().exists()
        source, split = (self.held_out, "train") if elsewhere else (self.source, self.held_out)
        return {HELD_OUT: self._decoded(source, split, 0.0, vocabulary_of(self.decoded()))}

    def _decoded(self, source: str, split: str, share: float, vocabulary: Vocabulary | None) -> Stored:
        opened = open_source(source, split, self.root, self.labels, self.key)
        form = self.form if vocabulary is None else of_vocabulary(self.form, vocabulary)
        form = form._replace(each=form.each or opened.usual)
        return decoded(opened, form, share, vocabulary, self.skip_bad)

    def prepare_data(self) -> None:
        super().prepare_data()
        if self.recalled is not None and self.recalled[1].digest != self._own.digest:
            raise UserError(
                f"{self.recalled[0]} is not the vocabulary of {self.source} as it is here: bring its texts back, or "
                f"name the vocabulary by data.init_args.vocabulary."
            )

    def keep(self, folder: Path) -> None:
        """Writes the vocabulary into a run directory.

        Raises:
            UserError: one that is not the same is there.
        """
        file = folder / FILE
        if file.exists() and Vocabulary.read(file).digest != self._own.digest:
            raise UserError(
                f"{file} is another vocabulary than that of {self.source}: give another --name, or go on by "
                f"--data.init_args.vocabulary {file}."
            )
        self._own.write(file)

    def recall(self, folder: Path) -> None:
        """Reads the vocabulary that a run has kept, where it has."""
        if (file := folder / FILE).is_file():
            self.recalled = file, Vocabulary.read(file)

    @property
    def reference(self) -> Reference:
        return self._measured

    @cached_property
    def _measured(self) -> Reference:
        if self.held_out is None:
            return self.stored.reference
        if isinstance(self.held_out, str):
            return self.other(HELD_OUT).reference
        return chosen(self.stored.reference, self._parts[1])

    @cached_property
    def _parts(self) -> tuple[Tensor, Tensor]:
        """Places to train on, and those held out, where a share is."""
        return parted(len(self.stored.reference.items), self.held_out)

    @property
    def trained(self) -> Tensor:
        """The places [N] int64 of what is trained on among all that is decoded."""
        whole = not isinstance(self.held_out, float)
        return torch.arange(len(self.stored.reference.items)) if whole else self._parts[0]

    def trained_of(self, field: str) -> Reference:
        whole = self.stored.reference
        return rest(whole, self._parts[0]) if isinstance(self.held_out, float) else whole

    @property
    def dataset(self) -> Dataset[Labelled]:
        reference = self.stored.reference
        if self.form.each != "windows":
            return Rows(reference.items, reference.labels, self.trained)
        return Shifted(reference.items, reference.labels, self.trained, self._documents, self.seed)

    @cached_property
    def _documents(self) -> Tensor:
        return torch.tensor(self.stored.about["documents"])

    @property
    def measured(self) -> Rows:
        return every(self._measured)


class Rows(Dataset[Labelled]):
    """Texts as they are.

    Args:
        items: [M, L].
        labels: [M] int64.
        places: [N] int64, of those among them.
    """

    def __init__(self, items: Tensor, labels: Tensor, places: Tensor) -> None:
        self.items, self.labels, self.places = items, labels, places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, indices: Tensor) -> Labelled:
        places = self.places[indices]
        return Labelled(self.items[places], self.labels[places])


def every(reference: Reference) -> Rows:
    """All texts of a reference."""
    return Rows(reference.items, reference.labels, torch.arange(len(reference.items)))


class Shifted(Rows):
    """Windows that lie one after the other, each drawn anew in each pass from its beginning to that of the next one.

    It stays where it is when no next one is trained on that goes on with its document. Item i of pass e is i + N * e.

    Args:
        items: [M, L], and so are the next two as for `Rows`.
        labels: [M].
        places: [N].
        documents: [M] int64, in which these are.
        seed: of the draws.
    """

    endless = True

    def __init__(self, items: Tensor, labels: Tensor, places: Tensor, documents: Tensor, seed: int) -> None:
        super().__init__(items, labels, places)
        self.seed = seed
        there = torch.zeros(len(items) + 1, dtype=torch.bool)
        there[places] = True
        same = torch.cat([documents[1:] == documents[:-1], torch.tensor([False])])
        self.goes_on = there[1:] & same

    def __getitem__(self, indices: Tensor) -> Labelled:
        places = self.places[indices % len(self)]
        length = self.items.shape[1]
        shifts = Draws(indices, self.seed).integers(length) * self.goes_on[places]
        starts = places * length + shifts
        found = self.items.reshape(-1)[starts[:, None] + torch.arange(length)]
        return Labelled(found, self.labels[places])
