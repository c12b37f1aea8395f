"""The parts of a training step that are functions of their arguments alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganlit.errors import UserError


def stateless_seed(*key: int) -> int:
    """A seed that is a pure function of its key, such as (seed, rank, images seen): nothing to save or to lose.

    A key of up to four small numbers means the same with zeros behind it.
    """
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0])


def reseed(seed: int) -> None:
    """As torch.manual_seed, without its look at every kind of device, which takes up to a millisecond."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    elif torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)


def micro_batches(batch: Any, count: int) -> Iterator[Any]:
    """A named tuple of tensors [B, ...], or None where it has no such part, cut into `count` equal ones.

    Raises:
        UserError: it cannot be.
    """
    if len(batch[0]) % count:
        raise UserError(f"model.init_args.accumulate is {count}: it does not divide a batch of {len(batch[0])}.")
    parts = [[None] * count if part is None else part.chunk(count) for part in batch]
    return (type(batch)(*tensors) for tensors in zip(*parts, strict=True))


def labels(items: Tensor, label: Tensor | None) -> Tensor:
    """The classes [B] of items [B, ...]; zeros where there are none."""
    return items.new_zeros(len(items), dtype=torch.int64) if label is None else label


def channels_last(network: nn.Module) -> nn.Module:
    """The same network, channels of two-dimensional convolutions last: so they are fastest, on the CPU by far."""
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.dim() == 4:
            tensor.data = tensor.data.to(memory_format=torch.channels_last)
    return network


def fused(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """The same optimizer; Adam goes over all parameters in one call, unless its settings say how it shall do that.

    The step is the same up to rounding, and takes less than half the time on the CPU.
    """
    for group in optimizer.param_groups if isinstance(optimizer, torch.optim.Adam | torch.optim.AdamW) else ():
        free = group["fused"] is None and not (group["foreach"] or group["differentiable"])
        if free and all(parameter.device.type in FUSED for parameter in group["params"]):
            group["fused"] = True
    return optimizer


FUSED = "cpu", "cuda"
"""Devices on which Adam has a single call for all parameters; there are more, on which nobody has tried it."""


def first_not_finite(values: dict[str, float]) -> str | None:
    """The name of the first value that is infinite or no number."""
    return next((name for name, value in values.items() if not math.isfinite(value)), None)


def remembered(module: nn.Module) -> list[Tensor]:
    """The buffers that a checkpoint holds, without those of the average, which copies them.

    Batch statistics, the mean style, path length's mean, ADA's strength: each rank moves them by its own images, and
    their average over ranks stands for the whole batch (the mean style of a class weighs ranks, not images).
    """
    parameters = dict(module.named_parameters())
    return [
        tensor
        for name, tensor in module.state_dict(keep_vars=True).items()
        if name not in parameters and not name.startswith("ema.")
    ]
