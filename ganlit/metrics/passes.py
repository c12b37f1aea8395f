"""Which metrics share which extractor."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

from ganlit.compute.precision import native_bf16
from ganlit.contracts import Reference
from ganlit.metrics.images.backbones import NAMES, extractor
from ganlit.metrics.images.inception import Precision
from ganlit.metrics.images.resize import Resize
from ganlit.metrics.measure import METRICS
from ganlit.metrics.portrait import Advance
from ganlit.metrics.reality import Reality
from ganlit.records.cache import Say, alone, room


class Pass(NamedTuple):
    """One extractor, the real images as it sees them, and the metrics that share it."""

    real: Reality
    metrics: list[str]

    @property
    def rows(self) -> bool:
        """Whether a metric asks for features one by one."""
        return any(METRICS[metric].rows for metric in self.metrics)


def passes(
    asked: dict[str, list[str]],
    reference: Reference,
    weights: Path | None,
    precision: Precision,
    resize: Resize,
    device: torch.device,
    say: Say,
    counted: Callable[[str], Advance | None] = lambda name: None,
) -> list[Pass]:
    """One for each extractor.

    Args:
        asked: metrics by the name of their extractor, as `by_extractor` groups them.
        reference: the real images.
        weights: file of the Inception's weights; None looks for them.
        precision: of the features; bf16 is used where the processor has it natively.
        resize: of the images, for extractors that know more than one.
        device: where the extractors are.
        say: told what takes time and what is not as it was asked for.
        counted: what is to be told of the real images that an extractor has seen, by its name.
    """
    if precision == "bf16" and not native_bf16(device):
        precision = "fp32"
        say("precision: bf16 is not native to this processor, features are in fp32.")
    made = []
    for name, metrics in asked.items():
        options = {"precision": precision}
        if name == "inception":
            options["weights"] = weights
        if name in NAMES or ":" not in name:  # models of torchvision and timm have resizes of their own
            options["resize"] = resize
        with alone(room("weights") / re.sub(r"[^\w.-]", "_", name), say):  # which may have to be downloaded
            seen_by = extractor(name, **options).to(device)
        made.append(Pass(Reality(reference, seen_by, say, counted(name)), metrics))
    return made
