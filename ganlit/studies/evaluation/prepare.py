"""What a training needs from elsewhere, brought here ahead of it: data, weights, real statistics."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from ganlit.callbacks.fidelity import Fidelity
from ganlit.compute.console import clock, say
from ganlit.data.base import GanDataModule
from ganlit.metrics.asked import lacking
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.measure import METRICS
from ganlit.metrics.passes import Pass
from ganlit.studies.evaluation.bars import Bars


def prepare(data: GanDataModule, fidelity: Fidelity | None, device: torch.device) -> None:
    """Downloads and decodes the data, finds or downloads the extractors' weights, and fills the cache of statistics.

    What is there already is left as it is.

    Args:
        data: what would be trained on.
        fidelity: what would be measured; None prepares the data alone.
        device: for the statistics.

    Raises:
        UserError: something is neither here nor to be had.
    """
    began = time.monotonic()
    data.prepare_data()
    reference = data.reference
    size = megabytes(reference.items[:1].nbytes * len(reference.items))
    say(
        f"data     {reference.name}: {len(reference.items):,} {data.modality.item}s, {size} in {data.place or 'memory'}"
    )
    if fidelity is not None:
        with Bars() as bars:
            each = fidelity.prepared(data, True, device, bars.replacing_lines)
            lacking(each, True, "fidelity.metrics", say, beside=len(each) < len(fidelity.groups))
            for real, those in {one.real: [other for other in each if other.real is one.real] for one in each}.items():
                seen_by = real.extractor
                say(f"weights  {seen_by.protocol}: {megabytes(size_of(seen_by))} in {seen_by.home}")
                for one in those:
                    complete(one)
                for asked in dict.fromkeys(asked for one in those for asked in one.asked):
                    say(f"real     {asked.name}: {megabytes(size_below(asked.folder))} in {asked.folder}")
    say(f"all is here ({clock(time.monotonic() - began)}): fit needs no network")


def complete(one: Pass) -> None:
    """Has everything computed that the metrics will ask of the real items, rows included, as a test's floor does."""
    for real in one.asked:
        real.prepare()
    for metric in one.metrics:
        METRICS[metric].derived(one.held_against(metric))


def size_of(extractor: FeatureExtractor) -> int:
    """Bytes in memory."""
    return sum(tensor.nbytes for tensor in extractor.state_dict().values())


def size_below(folder: Path) -> int:
    """Bytes in a folder's files."""
    return sum(path.stat().st_size for path in folder.glob("*") if path.is_file())


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
