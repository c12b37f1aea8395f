"""What runs write at some temperatures, measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch

from ganlit.errors import UserError
from ganlit.metrics.gauges import Shown, comparisons, plains
from ganlit.metrics.groups import Group, Real, Side, grouped, sides
from ganlit.metrics.inside import DRAWS, Others
from ganlit.metrics.measure import BETTER
from ganlit.metrics.paired import split
from ganlit.metrics.portrait import fixed_choice
from ganlit.studies.evaluation.subject import Generated, data_of, modality_of
from ganlit.studies.evaluation.trained import Checkpoint, takes
from ganlit.studies.tradeoff.verdict import Axis

KINDS = ("plain", "alone")
"""Metrics of items as they are, by which a temperature can be judged."""

Numbers = dict[str, float]
"""Values by metric, as groups have it."""


class How(NamedTuple):
    """How every run is measured.

    Args:
        count: of items; None for as many as a run's own tests.
        checkpoint: of a run, the last or the best.
        device: where items are made.
    """

    count: int | None
    checkpoint: Checkpoint
    device: torch.device


class Asked(NamedTuple):
    """Metrics, as they were written and in groups.

    Args:
        names: what each is called in numbers, by how it was written, in that order.
        groups: of metrics that look at the same.
    """

    names: dict[str, str]
    groups: list[Group]

    @classmethod
    def of(cls, metrics: str, run: str) -> Asked:
        """Those of a run's kind of data.

        Raises:
            UserError: one is unknown, or judges something else than items as they are, or there are fewer than two.
        """
        words, kind = [word.strip() for word in metrics.split(",") if word.strip()], modality_of(run)
        groups = grouped(words, "--metrics", kind)
        for group in groups:
            if group.kind not in KINDS:
                raise UserError(
                    f"--metrics: {group.metrics[0]} does not judge items as they are: name others, such as "
                    "bleu3-characters and selfbleu3-characters."
                )
        if len(words) < 2:
            raise UserError(f"--metrics {metrics} is one number: name quality and variety, such as bleu3,selfbleu3.")
        return cls({word: grouped([word], "--metrics", kind)[0].metrics[0] for word in words}, groups)

    def axis(self, word: str) -> Axis:
        """How a metric is written, and whether higher or lower is better."""
        return Axis(word, BETTER[split(self.names[word], BETTER)[0]])


def swept(run: str, groups: Sequence[Group], degrees: Sequence[float], how: How) -> Iterator[tuple[float, Numbers]]:
    """Each temperature, and the numbers there; of a generator that knows none, those of 1 alone.

    Args:
        run: its directory.
        groups: the metrics.
        degrees: temperatures, by which logits are divided.
        how: it is measured.
    """
    opened = Generated(run, how.count, "ema", 1.0, None, how.checkpoint, how.device, groups)
    module, others = opened.module, _others(opened.sides, groups, how)
    averaged = module.averaged
    for temperature in degrees if takes(module, "temperature") else [1.0]:
        module.averaged = averaged if temperature == 1 else partial(averaged, temperature=temperature)
        yield temperature, _finished(map(opened.show, range(len(opened.turns))), groups, others)


def of_real(run: str, groups: Sequence[Group], how: How) -> Numbers | None:
    """The numbers of real items that a run was trained on; None where it is measured against these very items."""
    data = data_of(run)
    trained = data.trained_of("target")
    if trained.digest == data.reference.digest:
        return None
    count = min(how.count or data.test_images, len(trained.items))
    items = torch.as_tensor(trained.items[fixed_choice(len(trained.items), count).sort().values])
    shown = Shown(items, torch.arange(count), None, "real")
    return _finished([shown], groups, _others(sides(groups, data), groups, how))


def _others(real: Mapping[Side, Real], groups: Sequence[Group], how: How) -> Others:
    return Others(comparisons(groups, real, how.device), plains(groups, real), None, DRAWS, real, how.device)


def _finished(shown: Iterable[Shown], groups: Sequence[Group], others: Others) -> Numbers:
    gauges = [others.gauge(group) for group in groups]
    for each in shown:
        for gauge in gauges:
            gauge.add(each)
    pairs = (zip(group.metrics, gauge.finish(), strict=True) for group, gauge in zip(groups, gauges, strict=True))
    return {metric: found.value for some in pairs for metric, found in some}
