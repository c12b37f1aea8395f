"""What sees points for the metrics, by name."""

from __future__ import annotations

from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.plane import coordinates

NAMES = (coordinates.NAME,)
ALIASES: dict[str, str] = {}
FAMILIES = ()


def takes(name: str) -> tuple[str, ...] | None:
    """The options that the extractor of a name has, which are none; None where there is none of that name."""
    return () if name in NAMES else None


def network(name: str) -> FeatureExtractor:
    """The extractor of a name, "coordinates"."""
    return coordinates.Coordinates()
