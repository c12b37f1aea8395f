"""Which metrics share which extractor."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from ganlit.compute.precision import native_bf16
from ganlit.metrics.extractors import accepted, extractor
from ganlit.metrics.features import FeatureExtractor, Precision, Resize
from ganlit.metrics.groups import Group, Real, Side
from ganlit.metrics.measure import METRICS
from ganlit.metrics.portrait import Advance
from ganlit.metrics.reality import Reality
from ganlit.records.cache import Say, alone, room


class Options(NamedTuple):
    """What extractors are asked for.

    Args:
        weights: file of the default extractor's weights; None looks for them.
        precision: of the features; bf16 is used where the processor has it natively.
        resize: of the items, for extractors that know more than one.
    """

    weights: Path | None = None
    precision: Precision = "fp32"
    resize: Resize = "legacy"


class Pass(NamedTuple):
    """A group of metrics of sets, and the real items as their extractor sees them."""

    group: Group
    real: Reality
    trained: Reality | None = None  # the same of what was trained on, where metrics ask for that and it is other items

    @property
    def metrics(self) -> list[str]:
        """By name."""
        return self.group.metrics

    @property
    def rows(self) -> bool:
        """Whether a metric asks for features one by one."""
        return any(METRICS[metric].rows for metric in self.metrics)

    @property
    def asked(self) -> list[Reality]:
        """The real items that metrics ask for, if they ask for any."""
        return [*dict.fromkeys(self.held_against(metric) for metric in self.metrics if METRICS[metric].real)]

    def held_against(self, metric: str) -> Reality:
        """The real items that a metric asks for."""
        return METRICS[metric].among(self.real, self.trained)


def passes(
    groups: Sequence[Group],
    sides: Mapping[Side, Real],
    options: Options,
    device: torch.device,
    say: Say,
    counted: Callable[[str, int], Advance | None] = lambda name, total: None,
) -> list[Pass]:
    """One for each group of metrics of sets; those of one extractor and one side share what it has seen.

    Args:
        groups: the metrics.
        sides: the real items.
        options: of the extractors.
        device: where the extractors are.
        say: told what takes time and what is not as it was asked for.
        counted: what is to be told of the real items that an extractor has seen, by its name and their number.
    """
    precision = options.precision
    if precision == "bf16" and not native_bf16(device):
        precision = "fp32"
        say("precision: bf16 is not native to this processor, features are in fp32.")
    options = options._replace(precision=precision)
    networks: dict[str, FeatureExtractor] = {}
    seen: dict[tuple[str, Side], list[Reality]] = {}
    sets = [group for group in groups if group.kind == "sets"]
    for name, side in dict.fromkeys((group.extractor, group.side) for group in sets):
        real = sides[side]
        networks[name] = networks.get(name) or _network(name, real, options, say).to(device)
        view = partial(real.modality.for_extractor, wanted=networks[name].wants)
        seen[name, side] = [
            Reality(each, networks[name], say, counted(name, len(each.items)), view)
            for each in (real.reference, real.trained)
            if each is not None
        ]
    return [Pass(group, *seen[group.extractor, group.side]) for group in sets]


def _network(name: str, real: Real, options: Options, say: Say) -> FeatureExtractor:
    """The extractor of a name, with those of the options that it takes."""
    given = {"precision": options.precision, "example": partial(real.modality.for_extractor, real.reference.items[:1])}
    if name == real.modality.extractor and options.weights is not None:
        given["weights"] = options.weights
    if "resize" in accepted(name):
        given["resize"] = options.resize
    with alone(room("weights") / re.sub(r"[^\w.-]", "_", name), say):  # which may have to be downloaded
        network = extractor(name, **given)
    network.learn(real.reference, partial(real.modality.for_extractor, wanted=network.wants))
    return network
