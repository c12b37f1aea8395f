"""Texts of a few letters, as small as can be, and networks of float64 that any test can play with."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from ganlit.contracts import Collection, Labelled, Modality, Reference
from ganlit.data.base import GanDataModule
from ganlit.ema import EMA
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.text.policy import PolicyGradient
from ganlit.losses.weight import Weight
from ganlit.networks.text.lstm import LSTMDiscriminator, LSTMGenerator
from ganlit.tasks.sequence import Sequence

LETTERS = "\n?abcdef"
SYMBOLS, LENGTH = len(LETTERS), 6
SIZES = {"symbols": SYMBOLS, "length": LENGTH}


class Alphabet(NamedTuple):
    """What numbers stand for."""

    symbols: int = SYMBOLS
    ends: bool = True

    def __len__(self) -> int:
        return self.symbols


class LetterModality(Modality):
    """Texts: int32 [B, L] symbols, each a file of one line."""

    vocabulary = Alphabet()

    name = "letters"
    item = "text"
    axes = "symbols"
    shaped_by = "length"
    extractor = "letters.None"

    def to_network(self, stored: Tensor) -> Tensor:
        return stored.long()

    def to_stored(self, output: Tensor) -> Tensor:
        return output.int()

    def write(self, stored: Tensor, path: Path, beside: Any = None) -> Path:
        path = path.with_name(f"{path.name}.letters")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(spelled(stored))
        return path

    def show(self, rows: Rows[Tensor], columns: int, path: Path) -> list[Path]:
        picture = path.with_name(f"{path.name}.png")
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(torch.cat([row.cpu() for row in rows]).byte().numpy() * 30).save(picture)
        return [picture]

    def recognises(self, place: str) -> float:
        return 0.0

    def open(self, place: str, split: str, root: Path) -> Collection:
        raise UserError(f"{place} holds no letters: draw some.")

    def check(self, place: str, split: str, root: Path, batch: int) -> None: ...


class Drawn(Dataset[Labelled]):
    def __init__(self, texts: Tensor, labels: Tensor) -> None:
        self.texts, self.labels = texts, labels

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, places: Tensor) -> Labelled:
        return Labelled(self.texts[places], self.labels[places])


class Letters(GanDataModule):
    """Words in the order of the alphabet, that end somewhere."""

    def __init__(
        self, count: int = 240, length: int = LENGTH, symbols: int = SYMBOLS, ends: bool = True, **loading: Any
    ) -> None:
        super().__init__(**loading)
        self.count, self.length, self.symbols, self.ends = count, length, symbols, ends

    @cached_property
    def modality(self) -> LetterModality:
        kind = LetterModality()
        kind.vocabulary = Alphabet(self.symbols, self.ends)
        return kind

    @cached_property
    def reference(self) -> Reference:
        texts = words(self.count, self.length, self.symbols, self.ends).int()
        return Reference("letters-train", "abc", texts, torch.zeros(self.count, dtype=torch.int64), ())

    @property
    def dataset(self) -> Drawn:
        return Drawn(self.reference.items, self.reference.labels)


def words(count: int, length: int = LENGTH, symbols: int = SYMBOLS, ends: bool = True) -> Tensor:
    """[N, L] int64."""
    stream = torch.Generator().manual_seed(0)
    first = torch.randint(symbols - 2, (count, 1), generator=stream)
    texts = 2 + (first + torch.arange(length)) % (symbols - 2)
    last = torch.randint(2, length + 1, (count, 1), generator=stream)
    return texts.masked_fill(torch.arange(length) >= last, 0) if ends else texts


def spelled(text: Tensor) -> str:
    return "".join(LETTERS[min(symbol, SYMBOLS - 1)] for symbol in text.tolist()).rstrip("\n")


def game(kind: type[Sequence] = Sequence, **parts: Any) -> Sequence:
    """A policy gradient with roll-outs beside the likelihood, in float32."""
    torch.manual_seed(0)
    sgd = partial(torch.optim.SGD, lr=0.5)
    given = {
        "generator": LSTMGenerator(**SIZES, width=4, hidden=6),
        "discriminator": LSTMDiscriminator(**SIZES, width=4, hidden=6),
        "estimator": PolicyGradient(rollouts=3),
        "likelihood": Weight(0.5),
        "loss": NonSaturating(),
        "generator_optimizer": sgd,
        "discriminator_optimizer": sgd,
        "ema": partial(EMA, half_life=0.05, rampup=None),
    }
    return kind(**(given | parts))
