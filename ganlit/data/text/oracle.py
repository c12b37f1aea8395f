"""Sequences of which all is known: an LSTM with random weights that writes them, Yu et al., arXiv 1609.05473, 5.1."""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset

from ganlit.contracts import Labelled, Reference
from ganlit.data.held import HELD_OUT
from ganlit.data.mapped import MappedDataModule
from ganlit.data.store import Stored, stored
from ganlit.data.text.modality import TextModality
from ganlit.data.text.texts import every
from ganlit.data.text.vocabulary import Vocabulary
from ganlit.errors import within

VERSION = 1  # of the weights and of how sequences are drawn
SYMBOLS, LENGTH, HIDDEN = 5000, 20, 32
COUNT = 10_000
BEGIN = 0  # the symbol that every sequence is begun after, which is a plain one
BLOCK = 1000  # sequences that are drawn or judged together


class Oracle(nn.Module):
    """Knows how probable each sequence is: an LSTM whose weights are all drawn from N(0, 1).

    Args:
        symbols: of the vocabulary, none of which is an end.
        hidden: units of the LSTM, and numbers of an embedding.
        seed: of the weights.
    """

    def __init__(self, symbols: int = SYMBOLS, hidden: int = HIDDEN, seed: int = 0) -> None:
        super().__init__()
        self.symbols = symbols
        self.embedding = nn.Embedding(symbols, hidden)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.output = nn.Linear(hidden, symbols)
        stream = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, weight in self.named_parameters():
                weight.copy_(torch.randn(weight.shape, generator=stream))
                if name == "lstm.bias_hh_l0":  # there is one bias: the sum of two would be wider
                    weight.zero_()
        self.requires_grad_(False)

    @torch.no_grad()
    def nll(self, tokens: Tensor) -> Tensor:
        """Of sequences [B, T], the mean [B] over their symbols of -log p, in nats and float32."""
        parts = []
        for part in tokens.long().split(BLOCK):
            before = torch.cat([torch.full_like(part[:, :1], BEGIN), part[:, :-1]], 1)
            logits = self.output(self.lstm(self.embedding(before))[0])
            parts.append(cross_entropy(logits.mT, part, reduction="none").mean(1))
        return torch.cat(parts) if parts else torch.empty(0)

    @torch.no_grad()
    def draw(self, count: int, length: int, seed: int) -> Tensor:
        """Sequences [count, length] int32."""
        stream, parts = torch.Generator().manual_seed(seed), []
        for first in range(0, count, BLOCK):
            rows = min(BLOCK, count - first)
            symbol, state, found = torch.full([rows], BEGIN), None, []
            for _ in range(length):
                hidden, state = self.lstm(self.embedding(symbol)[:, None], state)
                chances = self.output(hidden[:, 0]).softmax(1)
                symbol = torch.multinomial(chances, 1, generator=stream)[:, 0]
                found.append(symbol)
            parts.append(torch.stack(found, 1))
        return torch.cat(parts).int()


class OracleModality(TextModality):
    """Sequences of symbols that mean nothing, and of which an oracle tells how probable they are.

    Args:
        vocabulary: of the plain symbols.
        oracle: that one; None of sequences from elsewhere.
    """

    def __init__(self, vocabulary: Vocabulary | None = None, oracle: Oracle | None = None) -> None:
        super().__init__(vocabulary)
        self.oracle = oracle

    def recognises(self, place: str) -> float:
        """Files are texts to whoever does not know the oracle."""
        return 0.0


class OracleTexts(MappedDataModule):
    """Sequences drawn from an LSTM with random weights, to train on, and as many others to be measured against.

    The protocol of SeqGAN, but for the weights, which are those of a seed of one's own.

    Args:
        count: sequences to train on.
        symbols: of the vocabulary; none is an end, and none unknown.
        length: symbols of a sequence.
        hidden: units of the oracle.
        oracle: seed of its weights.
        loading: batch, tick, val_images, test_images and seed, as in `GanDataModule`.
    """

    def __init__(
        self,
        count: int = COUNT,
        symbols: int = SYMBOLS,
        length: int = LENGTH,
        hidden: int = HIDDEN,
        oracle: int = 0,
        stage: Path | None = None,
        **loading: Any,
    ) -> None:
        super().__init__("the oracle", stage, **loading)
        for key, value, least in (("count", count, 2), ("symbols", symbols, 2), ("length", length, 1)):
            within(f"data.init_args.{key}", value, least=least, most=10**7)
        within("data.init_args.hidden", hidden, least=1, most=4096)
        within("data.init_args.oracle", oracle, least=0, below=2**32)
        self.count, self.symbols, self.length, self.hidden, self.weights = count, symbols, length, hidden, oracle

    @cached_property
    def modality(self) -> OracleModality:
        vocabulary = Vocabulary([str(number) for number in range(self.symbols)], "words", ends=False)
        return OracleModality(vocabulary, self.oracle)

    @cached_property
    def oracle(self) -> Oracle:
        return Oracle(self.symbols, self.hidden, self.weights)

    def decoded(self) -> Stored:
        return self._drawn("train", 2 * self.weights + 2)

    def others(self) -> dict[str, Stored]:
        return {HELD_OUT: self._drawn("test", 2 * self.weights + 3)}

    def _drawn(self, split: str, seed: int) -> Stored:
        name = f"oracle{self.weights}-{split}"
        asked = (VERSION, self.count, self.symbols, self.length, self.hidden, self.weights, split)
        key = blake2b(repr(asked).encode(), digest_size=8).hexdigest()

        def write(file: Path) -> dict[str, Any]:
            rows = self.oracle.draw(self.count, self.length, seed).numpy()
            rows.tofile(file)
            digest = blake2b(rows.tobytes(), digest_size=16).hexdigest()
            about = {"name": name, "shape": list(rows.shape), "dtype": "int32", "digest": digest}
            return about | {"classes": (), "labels": None, "skipped": []}

        return stored("text", name, key, write)

    @property
    def reference(self) -> Reference:
        return self.other(HELD_OUT).reference

    def trained_of(self, field: str) -> Reference:
        return self.stored.reference

    @property
    def dataset(self) -> Dataset[Labelled]:
        return every(self.stored.reference)

    @property
    def measured(self) -> Dataset[Labelled]:
        return every(self.reference)
