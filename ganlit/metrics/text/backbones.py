"""What reads texts for the metrics, by name."""

from __future__ import annotations

from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.text import grams, minilm

CALLED = {"fed": f"fid@{minilm.NAME}"}  # de Masson d'Autume et al., arXiv 1905.09922
ALIASES = {"minilm": minilm.NAME}
BUILD = {grams.NAME: grams.Grams, minilm.NAME: minilm.Sentences}
NAMES = (*BUILD, *ALIASES)
FAMILIES = ()


def takes(name: str) -> tuple[str, ...] | None:
    """The options that the extractor of a name has, which are none; None where there is none of that name."""
    return () if name in NAMES else None


def network(name: str) -> FeatureExtractor:
    """The extractor of a name.

    Args:
        name: "ngrams", counted words and rows of characters, which needs no weights; or "minilm-l6-v2", embeddings of
            sentences, which the package index carries.

    Raises:
        UserError: weights are missing.
    """
    return BUILD[ALIASES.get(name, name)]()
