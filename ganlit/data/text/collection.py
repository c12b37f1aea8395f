"""Texts as they lie in files: of any length, and written nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from ganlit.contracts import Collection, Modality
from ganlit.data.source import BadItem
from ganlit.data.text.form import row
from ganlit.data.text.source import Source, Text
from ganlit.data.text.vocabulary import Vocabulary
from ganlit.errors import UserError

TOGETHER = 256  # texts at a time,
NUMBERS = 2**24  # unless they are so long


class Written(Collection):
    """Texts in the numbers of a vocabulary; among others, a shorter one ends before the longest of all.

    Args:
        name: of the whole.
        texts: that there are.
        classes: their names; empty without labels.
        kind: of them, which knows the vocabulary.
        vocabulary: that one.
        every: all texts, of which these may be some.
    """

    def __init__(
        self,
        name: str,
        texts: Sequence[Text],
        classes: tuple[str, ...],
        kind: Modality,
        vocabulary: Vocabulary,
        every: Sequence[Text] | None = None,
    ) -> None:
        self.title = name
        self.found = list(texts)
        self.every = self.found if every is None else list(every)
        self.kind = kind
        self.vocabulary = vocabulary
        self.numbers = [vocabulary.encode(text.text) for text in self.found]
        self.length = max(1, max(map(len, self.numbers)))
        labelled = all(text.label is not None for text in self.every)
        self.names = classes if labelled else ()

    @classmethod
    def of(cls, source: Source, kind: Modality, vocabulary: Vocabulary) -> Written:
        """All texts of a source.

        Raises:
            UserError: one cannot be used.
        """
        return cls(source.name, [*sound(source)], source.classes, kind, vocabulary)

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, places: slice | Tensor) -> Tensor:
        """int32 [B, L]."""
        wanted = torch.arange(len(self))[places].tolist()
        rows = [row(self.numbers[place], self.length) for place in wanted]
        return torch.from_numpy(np.stack(rows)) if rows else torch.empty(0, self.length, dtype=torch.int32)

    @property
    def name(self) -> str:
        whole = len(self) == len(self.every)
        return self.title if whole else f"{self.title}-{len(self)}"

    @property
    def digest(self) -> str:
        """A hash of the texts and their labels, wherever they lie and whatever their numbers are."""
        told = [(text.text, text.label if self.names else None) for text in self.found]
        return blake2b(repr(told).encode(), digest_size=16).hexdigest()

    @property
    def modality(self) -> Modality:
        return self.kind

    @property
    def labels(self) -> Tensor:
        return torch.tensor([text.label if self.names and text.label is not None else 0 for text in self.found])

    @property
    def classes(self) -> tuple[str, ...]:
        return self.names

    @property
    def paths(self) -> list[str]:
        return [text.stem for text in self.found]

    @property
    def together(self) -> int:
        return max(1, min(TOGETHER, NUMBERS // self.length))

    @property
    def whole(self) -> Written:
        return self if len(self) == len(self.every) else self._of(self.every)

    def chosen(self, places: Sequence[int]) -> Written:
        return self._of([self.found[place] for place in places])

    def _of(self, texts: Sequence[Text]) -> Written:
        return Written(self.title, texts, self.names, self.kind, self.vocabulary, self.every)


def sound(source: Source) -> Iterator[Text]:
    """The texts of a source, empty ones among them where each has its own place.

    Raises:
        UserError: one cannot be read, told in a sentence that says nothing of a training's options.
    """
    for found in source.texts(blank=True):
        if isinstance(found, BadItem):
            raise UserError(f"{found.title} {found.reason}: {found.remedy}.")
        yield found
