"""Counted n-grams: features of text that need no weights."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.text.bleu import ngrams

NAME, DIM = "ngrams", 256
WORDS, CHARACTERS = (1, 2), (2, 3, 4)
"""Sizes of the n-grams."""


class Grams(FeatureExtractor):
    """Of each text which words, pairs of words and rows of 2 to 4 characters are in it, hashed into 256 numbers.

    As Weinberger et al., arXiv 0902.2206, with signs by the hash; a vector has the length one. Texts that share no word
    and no row are nearly at right angles: it knows nothing of what they mean.
    """

    name, dim, batch = NAME, DIM, 1024
    protocol = f"{NAME}@words{WORDS[-1]}-characters{CHARACTERS[-1]}/{DIM}grams"

    def wants(self, texts: Sequence[str]) -> Tensor:
        """Texts as `encode` takes them: [B, 256]."""
        return torch.stack([hashed(text) for text in texts])

    def encode(self, items: Tensor) -> dict[str, Tensor]:
        if not items.is_floating_point() or items.ndim != 2 or items.shape[1] != DIM:
            raise UserError(f"extractor {NAME} takes texts, not {items.dtype} {list(items.shape)}.")
        return {"pool": items}


def hashed(text: str) -> Tensor:
    """[256] of length one; of a text with nothing in it, zeros."""
    counts = torch.zeros(DIM)
    words = text.split()
    spaced = f" {' '.join(words)} " if words else ""
    for kind, pieces, sizes in (("w", words, WORDS), ("c", spaced, CHARACTERS)):
        for size in sizes:
            for gram, times in ngrams(pieces, size).items():
                code = crc32(f"{kind}{chr(0).join(gram)}".encode("utf-8", "surrogatepass"))
                counts[code % DIM] += times if code >> 31 else -times
    return normalize(counts, dim=0)
