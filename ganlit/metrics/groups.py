"""Metrics as they are asked for by name, and which of them look at the same items in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from ganlit.contracts import Modality, Reference
from ganlit.errors import UserError, nearest
from ganlit.metrics import plain
from ganlit.metrics.extractors import ALIASES
from ganlit.metrics.measure import METRICS
from ganlit.metrics.paired import alone, split, understood
from ganlit.metrics.paired import names as paired
from ganlit.metrics.protocol import BACK, PRIOR
from ganlit.metrics.reality import subset
from ganlit.metrics.rooms import rooms

Kind = Literal["sets", "plain", "pairs", "alone", "codes", "bounds", "nll", "paths"]
"""Two sets of items, as an extractor sees them, or as they are; items beside those that they should be; items alone;
what a codebook, a likelihood, or a generator that says symbol by symbol how probable they are, says of them; what an
extractor sees on short ways through the latent space."""

INSIDE: dict[str, Kind] = {"codes": "codes", "elbo": "bounds", "iwae": "bounds", "nll": "nll", "pathlength": "paths"}
"""Metrics that ask the generator itself."""

ASIDE: dict[str, tuple[Kind, ...]] = {PRIOR: ("sets", "plain", "alone"), BACK: ("sets", "plain", "pairs", "alone")}
"""Behind a colon: metrics of other items than of what a generator makes of data, and which metrics may be had of these.

They are those from its prior, and those that a generator of two directions makes in the other one.
"""

Side = Literal["target", "source"]
"""Of the data."""


class Real(NamedTuple):
    """The real items of a side."""

    reference: Reference
    modality: Modality
    trained: Reference | None = None  # what was trained on, where metrics ask for that and it is something else

    def subset(self, count: int | None) -> Real:
        """A fixed random choice of them; all, where none is asked for.

        Raises:
            UserError: there are not as many.
        """
        if count is None:
            return self
        trained = None if self.trained is None else subset(self.trained, count)
        return self._replace(reference=subset(self.reference, count), trained=trained)

    def held_against(self, metric: str) -> Reference:
        """Those that a metric of sets asks for."""
        return METRICS[metric].among(self.reference, self.trained)


class Group(NamedTuple):
    """Metrics that look at the same items in the same way."""

    kind: Kind
    metrics: list[str]  # as they are asked for, with the options behind their names
    extractor: str = ""  # of sets and paths; empty where it is not known yet
    making: str = ""  # of `ASIDE`, where it is not the usual one

    @property
    def side(self) -> Side:
        """Whose real items these are held against."""
        return "source" if self.making == BACK else "target"

    def name(self, metric: str) -> str:
        """As it is asked for, but for the extractor."""
        return f"{metric}:{self.making}" if self.making else metric


def kinds(modality: Modality | None = None) -> dict[str, Kind]:
    """All metrics by name, of a modality or of any."""
    of = modality.name if modality else None
    sets = [name for name, metric in METRICS.items() if of is None or metric.modality in ("", of)]
    single = dict.fromkeys(paired(of), "pairs") | dict.fromkeys(alone(of), "alone")
    return dict.fromkeys(sets, "sets") | dict.fromkeys(plain.names(of), "plain") | single | INSIDE


def grouped(names: Sequence[str], key: str, modality: Modality | None = None) -> list[Group]:
    """Metrics by what they share, in the order of the first of each.

    "fid@dinov2" asks for another extractor than the modality's own, "fid:prior" for items from the generator's prior,
    "fid:back" for those of its other direction; "psnr-y-crop4" looks at items in a way of the modality's own, and "fad"
    is what its papers call the "fid" of sound.

    Args:
        names: as they are given.
        key: where they are given, for the error.
        modality: of the items, where it is known.

    Raises:
        UserError: a name is unknown or given twice, or there is none.
    """
    known, default = kinds(modality), modality.extractor if modality else ""
    published = called(modality)
    if not names:
        raise UserError(f"{key} is empty: name some of {', '.join(known)}.")
    groups: dict[tuple[str, str, str], Group] = {}
    for name in names:
        word, _, extractor = name.partition("@")
        asked, _, making = word.partition(":")
        head, hyphen, rest = asked.partition("-")
        asked, _, own = f"{published.get(head, head)}{hyphen}{rest}".partition("@")
        extractor = extractor or own
        metric, options = split(asked, known)
        if metric not in known:
            of = f" of {modality.name}" if modality else ""
            there = nearest(metric, known) or f"; there are {', '.join(known)}."
            raise UserError(f"{key}: there is no metric {metric or repr(name)}{of}{there}")
        kind = known[metric]
        if options and kind not in ("plain", "pairs", "alone"):
            raise UserError(f"{key}: {name}: {metric} is asked for by its name alone: write {metric}.")
        if options:
            _understood(metric, options, key)
        others = ", ".join(f"{asked}:{each}" for each, those in ASIDE.items() if kind in those)
        ways = f"{others} or {asked} alone" if others else f"{asked} alone"
        if kind not in ("sets", "paths") and "@" in name:
            raise UserError(f"{key}: {name}: {metric} knows no extractors: write {ways}.")
        if name.count("@") > 1 or name.endswith("@"):
            what = "two extractors" if extractor.strip("@") else "no extractor"
            raise UserError(f"{key}: {name} names {what}: name one behind the @, or leave it out.")
        if ":" in word and kind not in ASIDE.get(making, ()):
            raise UserError(f"{key}: {name} asks for items of {making or 'nothing'}: write {ways}.")
        own = METRICS[asked].extractor if kind == "sets" else ""
        if own and extractor.partition(":")[0] not in ("", own):
            raise UserError(f"{key}: {name}: {asked} is seen by {own} alone: write {asked}, or {asked}@{own}.")
        through = ALIASES.get(extractor, extractor) or own or default if kind in ("sets", "paths") else ""
        group = groups.setdefault((kind, through, making), Group(kind, [], through, making))
        if asked in group.metrics:
            raise UserError(f"{key}: {name} is named twice.")
        group.metrics.append(asked)
    return list(groups.values())


def called(modality: Modality | None = None) -> dict[str, str]:
    """What metrics are called where they are published, of a modality or of any, and what they are called here."""
    words: dict[str, str] = {}
    for name, room in [*rooms("backbones").items(), *rooms("called").items()]:
        words |= getattr(room, "CALLED", {}) if modality is None or modality.name == name else {}
    return words


def _understood(metric: str, options: str, key: str) -> None:
    """Refuses options that mean nothing, and says where they stand."""
    try:
        understood(metric, options)
    except UserError as error:
        raise UserError(f"{key}: {error}") from None


def sides(groups: Sequence[Group], data: Any) -> dict[Side, Real]:
    """The real items of the target's side, and of the source's where metrics ask for it.

    Args:
        groups: the metrics.
        data: a data module.

    Raises:
        UserError: pairs are to be compared where nobody knows the target of a source.
    """
    pairs = next((group for group in groups if group.kind == "pairs"), None)
    if pairs is not None and not data.in_pairs:
        raise UserError(
            f"{pairs.name(pairs.metrics[0])} compares what is made of a source with its own target, which nobody knows "
            f"of {data.reference.name}: leave it out, and measure by fid."
        )
    found: dict[Side, Real] = {"target": Real(data.reference, data.modality)}
    if any(group.side == "source" for group in groups):
        found["source"] = Real(data.reference_of("source"), data.modality_of("source"))
    for side in {group.side for group in groups if any(asks_for_trained(metric) for metric in group.metrics)}:
        trained = data.trained_of(side)
        if trained.digest != found[side].reference.digest:
            found[side] = found[side]._replace(trained=trained)
    return found


def asks_for_trained(metric: str) -> bool:
    """Whether a metric, as it is asked for, is about what was trained on, also where something else is measured."""
    return METRICS[metric].trained if metric in METRICS else plain.trained(metric)


def refuse(groups: Sequence[Group], generator: object, takes_data: bool, key: str) -> None:
    """Refuses what a generator cannot be asked.

    Args:
        groups: the metrics.
        generator: its average, too, is such a one.
        takes_data: whether it makes items from others, and not from noise.
        key: where the metrics are given, for the error.

    Raises:
        UserError: it has no codebook, no likelihood, no prior or no way back; or there is nothing that its items should
            be.
    """
    who = type(generator).__name__
    lacks: dict[str, str] = {}
    if not takes_data:
        from_noise = f"{who} makes items from noise, not from others"
        lacks = dict.fromkeys(("pairs", "codes", "bounds", *ASIDE), from_noise)
    else:
        lacks |= {} if getattr(generator, "codes", 0) else {"codes": f"{who} has no codebook"}
        lacks |= {} if hasattr(generator, "likelihood") else {"bounds": f"{who} says no likelihood, as VAEs do"}
        lacks |= {} if hasattr(generator, "prior") else {PRIOR: f"{who} knows no prior over its latents"}
        lacks |= {} if hasattr(generator, "back") else {BACK: f"{who} makes nothing in the other direction"}
    if takes_data or not hasattr(generator, "z_dim"):
        lacks["paths"] = f"{who} makes nothing from noise alone"
    if not hasattr(generator, "begin"):
        lacks["nll"] = f"{who} does not say symbol by symbol how probable items are"
    for group in groups:
        if reason := lacks.get(group.making or group.kind):
            raise UserError(f"{key} asks for {group.name(group.metrics[0])}, but {reason}: leave it out.")
