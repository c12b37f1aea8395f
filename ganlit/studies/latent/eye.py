"""How generated items are seen: by features that real ones have a mean and a deviation of, and by their classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.compute.console import say
from ganlit.configuration.rebuild import setting
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.groups import sides
from ganlit.metrics.passes import Options, passes
from ganlit.metrics.portrait import Advance
from ganlit.metrics.probe import Probe
from ganlit.metrics.reality import Reality
from ganlit.studies.evaluation.options import sorted_out
from ganlit.studies.evaluation.subject import data_of
from ganlit.studies.evaluation.trained import place


class Seen(NamedTuple):
    """What is known of items."""

    features: Tensor  # [N, d], standardised by the real ones
    shares: Tensor | None  # [N, K] float64: p(class | item), where the real ones have classes


class Eye(NamedTuple):
    """An extractor, and what the real items look like to it.

    Attributes:
        view: what the extractor is given of stored items.
        mean, scale: [d] of the real items' features.
        probe: tells their classes apart; None where there are less than two.
        classes: their names.
        against: dataset, split and content.
    """

    extractor: FeatureExtractor
    view: Callable[[Tensor], Tensor]
    mean: Tensor
    scale: Tensor
    probe: Probe | None
    classes: tuple[str, ...]
    against: str

    def see(self, stored: Tensor, advance: Callable[[int], None] = lambda count: None) -> Seen:
        """Stored items [N, ...] on the CPU."""
        with torch.inference_mode():
            found = self.extractor.extract(self.view(stored), advance)["pool"]
            shares = None if self.probe is None else self.probe.probabilities(found)
        return Seen((found - self.mean) / self.scale, shares)


def eye_of(
    run: str, extractor: str | None, counted: Callable[[str, int], Advance | None], most: int | None = None
) -> Eye:
    """The eye by which a run's items are compared with what it was trained on.

    Args:
        run: the run directory.
        extractor: its name; by default that of its own measures.
        counted: what is told how far it is, where the real items have to be seen first, by a title and their number.
        most: of the real items, where the run's own measures take more; a fixed random choice of them.

    Raises:
        UserError: the data, or the extractor's weights, are not there.
    """
    seen = reality_of(run, extractor, counted, most)
    rows = seen.rows
    scale = rows.std(0)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return Eye(seen.extractor, seen.view, rows.mean(0), scale, seen.probe, seen.reference.classes, seen.name)


def reality_of(
    run: str, extractor: str | None, counted: Callable[[str, int], Advance | None], most: int | None = None
) -> Reality:
    """What a run is measured against, as an extractor sees it; it has seen it then."""
    data, own = data_of(run), setting(run).fidelity
    groups = sorted_out(f"probe@{extractor}" if extractor else "probe", False, data.modality)
    count = own.get("reference_images")
    if most is not None and (count or len(data.reference.items)) > most:
        count = most
    real = {side: each.subset(count) for side, each in sides(groups, data).items()}
    options = Options(own.get("weights"), own.get("precision", "fp32"), own.get("resize", "legacy"))
    if extractor:
        options = options._replace(weights=None)
    [one] = passes(groups, real, options, place(), say, counted)
    one.real.prepare()
    return one.real
