"""What texts are made of: symbols, by numbers."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

from ganlit.data.films import library
from ganlit.errors import UserError, printable
from ganlit.records.durable import replacing

Unit = Literal["characters", "words", "bpe"]

END, UNKNOWN = 0, 1
"""Numbers of the symbols that every vocabulary of texts begins with: with the first END a text is over."""

FIRST = ("", "�")
"""How these two are written."""

FILE = "vocabulary.json"
WORD = re.compile(r"\w+(?:['\u2019-]\w+)*|[^\w\s]")
TOKENIZERS = ("tokenizers", "Byte-pair encoding", "text")
LARGEST = 2**27  # bytes of a file


class Vocabulary:
    """Symbols by numbers.

    Args:
        symbols: as they are written, in the order of their numbers; where texts end, the first two are `FIRST`.
        unit: what each stands for: a character, a word or a sign between words, or a part of a word as byte-pair
            encoding has found it.
        ends: whether a text may be shorter than the others: it is over at its first `END`, and what was never seen is
            `UNKNOWN`; without it every number is a plain symbol.
        lower: whether texts are in lower case.
        pairs: of byte-pair encoding, the tokenizer as its library writes it.
        grows: take in what was never seen, where nobody was trained with these numbers.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        unit: Unit = "words",
        ends: bool = True,
        lower: bool = False,
        pairs: str | None = None,
        grows: bool = False,
    ) -> None:
        self.symbols = list(symbols)
        self.unit = unit
        self.ends = ends
        self.lower = lower
        self.pairs = pairs
        self.grows = grows
        self.numbers = {symbol: number for number, symbol in enumerate(self.symbols)}

    @classmethod
    def growing(cls) -> Vocabulary:
        """One of characters that takes in what it meets: texts come back from it as they were."""
        return cls(FIRST, "characters", grows=True)

    @classmethod
    def of(cls, texts: Iterable[str], unit: Unit, most: int | None = None, lower: bool = False) -> Vocabulary:
        """That of some texts.

        Args:
            texts: to train on.
            unit: of the symbols.
            most: symbols, the two first ones among them: the most frequent are taken; byte-pair encoding needs it.
            lower: as for the class.

        Raises:
            UserError: the library of byte-pair encoding is missing, or it is not said how many symbols there shall be.
        """
        texts = (text.lower() for text in texts) if lower else texts
        if unit == "bpe":
            return cls._of_pairs(texts, most, lower)
        counts = Counter(piece for text in texts for piece in pieces(text, unit))
        counts.pop(FIRST[UNKNOWN], None)
        ordered = sorted(counts, key=lambda symbol: (-counts[symbol], symbol))
        return cls([*FIRST, *ordered[: None if most is None else max(most - len(FIRST), 0)]], unit, lower=lower)

    @classmethod
    def _of_pairs(cls, texts: Iterable[str], most: int | None, lower: bool) -> Vocabulary:
        if most is None:
            raise UserError("Byte-pair encoding finds as many symbols as it is asked for: set symbols, such as 2000.")
        pairs = library(*TOKENIZERS)
        tokenizer = pairs.Tokenizer(pairs.models.BPE())
        tokenizer.pre_tokenizer = pairs.pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = pairs.decoders.ByteLevel()
        first = pairs.pre_tokenizers.ByteLevel.alphabet()
        trainer = pairs.trainers.BpeTrainer(
            vocab_size=most, special_tokens=["<end>", "<unknown>"], initial_alphabet=first, show_progress=False
        )
        tokenizer.train_from_iterator(texts, trainer)
        ordered = [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]
        if len(ordered) > most:
            raise UserError(
                f"symbols is {most}, and byte-pair encoding begins with {len(first) + len(FIRST)}: raise it."
            )
        return cls([*FIRST, *ordered[len(FIRST) :]], "bpe", lower=lower, pairs=tokenizer.to_str())

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, text: str) -> list[int]:
        """The numbers of a text's symbols, without an end; what is not known is `UNKNOWN`."""
        text = text.lower() if self.lower else text
        if self.pairs is not None:
            return self._tokenizer.encode(text).ids
        found = pieces(text, self.unit)
        if self.grows:
            for piece in found:
                if piece not in self.numbers:
                    self.numbers[piece] = len(self.symbols)
                    self.symbols.append(piece)
        return [self.numbers.get(piece, UNKNOWN) for piece in found]

    def decode(self, numbers: Iterable[int]) -> str:
        """The text of some numbers as far as its first end; what is none of a symbol is unknown."""
        found = []
        for number in numbers:
            if self.ends and number == END:
                break
            found.append(number if 0 <= number < len(self) else UNKNOWN)
        if self.pairs is not None:
            parts = [[]]
            for number in found:
                parts.append([]) if number == UNKNOWN else parts[-1].append(number)
            return FIRST[UNKNOWN].join(self._tokenizer.decode(part) for part in parts)
        return ("" if self.unit == "characters" else " ").join(self.symbols[number] for number in found)

    def unknown(self, text: str) -> list[str]:
        """The pieces of a text that are not known."""
        text = text.lower() if self.lower else text
        return [] if self.pairs is not None else [each for each in pieces(text, self.unit) if each not in self.numbers]

    @cached_property
    def _tokenizer(self) -> Any:
        return library(*TOKENIZERS).Tokenizer.from_str(self.pairs)

    @property
    def document(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        about = {"unit": self.unit, "ends": self.ends, "lower": self.lower, "symbols": self.symbols}
        return about | ({"pairs": self.pairs} if self.pairs is not None else {})

    @property
    def digest(self) -> str:
        """A hash of all that numbers mean."""
        return blake2b(json.dumps(self.document, sort_keys=True).encode(), digest_size=8).hexdigest()

    def write(self, file: Path) -> None:
        """Into a file of JSON."""
        with replacing(file) as partial:
            partial.write_text(json.dumps(self.document, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, place: Path) -> Vocabulary:
        """What was written.

        Args:
            place: the file, or the directory of the run that it is in.

        Raises:
            UserError: it is not there, or something else is in it.
        """
        file = place / FILE if place.is_dir() else place
        shown = printable(str(file))
        try:
            if file.stat().st_size > LARGEST:
                raise ValueError
            return cls.told(json.loads(file.read_text(encoding="utf-8")))
        except OSError as error:
            raise UserError(
                f"{shown} cannot be read ({error.strerror}): name the {FILE} of a run, or the run's directory."
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise UserError(f"{shown} is no vocabulary: name the {FILE} that a run has written.") from None

    @classmethod
    def told(cls, document: dict[str, Any]) -> Vocabulary:
        """That of a document.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it describes none.
        """
        symbols, unit, ends = document["symbols"], document["unit"], document["ends"]
        texts = isinstance(symbols, list) and all(isinstance(each, str) for each in symbols)
        if not texts or unit not in ("characters", "words", "bpe") or (unit == "bpe") != ("pairs" in document):
            raise ValueError("no vocabulary")
        if len({*symbols}) < len(symbols) or (ends and tuple(symbols[:2]) != FIRST):
            raise ValueError("no vocabulary")
        return cls(symbols, unit, bool(ends), bool(document["lower"]), document.get("pairs"))


def pieces(text: str, unit: Unit) -> list[str]:
    """A text in characters, or in words and the signs between them."""
    return list(text) if unit == "characters" else WORD.findall(text)
