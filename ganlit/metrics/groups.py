"""Metrics as they are asked for by name, and which of them look at the same items in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from ganlit.contracts import Modality
from ganlit.errors import UserError, nearest
from ganlit.metrics.extractors import ALIASES
from ganlit.metrics.measure import METRICS
from ganlit.metrics.paired import PAIRED

Kind = Literal["sets", "pairs", "codes", "bounds"]
"""Two sets of items; items beside those that they should be; what a codebook, or a likelihood, says of them."""

INSIDE: dict[str, Kind] = {"codes": "codes", "elbo": "bounds", "iwae": "bounds"}
"""Metrics that ask the generator itself."""

PRIOR = "prior"
"""Behind a colon: of items from the generator's prior, not of what it makes of data."""


class Group(NamedTuple):
    """Metrics that look at the same items in the same way."""

    kind: Kind
    metrics: list[str]
    extractor: str = ""  # of sets; empty where it is not known yet
    prior: bool = False

    def name(self, metric: str) -> str:
        """As it is asked for, but for the extractor."""
        return f"{metric}:{PRIOR}" if self.prior else metric


def kinds(modality: Modality | None = None) -> dict[str, Kind]:
    """All metrics by name, of a modality or of any."""
    paired = PAIRED.get(modality.name, {}) if modality else [name for each in PAIRED.values() for name in each]
    return dict.fromkeys(METRICS, "sets") | dict.fromkeys(paired, "pairs") | INSIDE


def grouped(names: Sequence[str], key: str, modality: Modality | None = None) -> list[Group]:
    """Metrics by what they share, in the order of the first of each.

    "fid@dinov2" asks for another extractor than the modality's own, "fid:prior" for items from the generator's prior.

    Args:
        names: as they are given.
        key: where they are given, for the error.
        modality: of the items, where it is known.

    Raises:
        UserError: a name is unknown or given twice, or there is none.
    """
    known, default = kinds(modality), modality.extractor if modality else ""
    if not names:
        raise UserError(f"{key} is empty: name some of {', '.join(known)}.")
    groups: dict[tuple[str, str, str], Group] = {}
    for name in names:
        word, _, extractor = name.partition("@")
        metric, _, making = word.partition(":")
        if metric not in known:
            of = f" of {modality.name}" if modality else ""
            there = nearest(metric, known) or f"; there are {', '.join(known)}."
            raise UserError(f"{key}: there is no metric {metric or repr(name)}{of}{there}")
        kind = known[metric]
        if kind != "sets" and name != metric:
            raise UserError(f"{key}: {name}: {metric} knows neither extractors nor a prior: write {metric} alone.")
        if name.count("@") > 1 or name.endswith("@"):
            what = "two extractors" if extractor.strip("@") else "no extractor"
            raise UserError(f"{key}: {name} names {what}: name one behind the @, or leave it out.")
        if making != (PRIOR if ":" in word else ""):
            what = making or "nothing"
            raise UserError(f"{key}: {name} asks for items of {what}: write {metric}:{PRIOR}, or {metric} alone.")
        through = ALIASES.get(extractor, extractor) or default if kind == "sets" else ""
        group = groups.setdefault((kind, through, making), Group(kind, [], through, bool(making)))
        if metric in group.metrics:
            raise UserError(f"{key}: {name} is named twice.")
        group.metrics.append(metric)
    return list(groups.values())


def refuse(groups: Sequence[Group], generator: object, takes_data: bool, key: str) -> None:
    """Refuses what a generator cannot be asked.

    Args:
        groups: the metrics.
        generator: its average, too, is such a one.
        takes_data: whether it makes items from others, and not from noise.
        key: where the metrics are given, for the error.

    Raises:
        UserError: it has no codebook, no likelihood or no prior; or there is nothing that its items should be.
    """
    who = type(generator).__name__
    lacks: dict[str, str] = {}
    if not takes_data:
        lacks = dict.fromkeys(("pairs", "codes", "bounds", PRIOR), f"{who} makes items from noise, not from others")
    else:
        lacks |= {} if getattr(generator, "codes", 0) else {"codes": f"{who} has no codebook"}
        lacks |= {} if hasattr(generator, "likelihood") else {"bounds": f"{who} says no likelihood, as VAEs do"}
        lacks |= {} if hasattr(generator, "prior") else {PRIOR: f"{who} knows no prior over its latents"}
    for group in groups:
        if reason := lacks.get(PRIOR if group.prior else group.kind):
            raise UserError(f"{key} asks for {group.name(group.metrics[0])}, but {reason}: leave it out.")
