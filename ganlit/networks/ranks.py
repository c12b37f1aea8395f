"""What the ranks of a training tell each other inside a network; one process alone is a world of one."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


def world() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


@torch.no_grad()
def total(tensor: Tensor) -> Tensor:
    """The sum over all ranks, on every rank."""
    if world() == 1:
        return tensor
    summed = tensor.clone()
    dist.all_reduce(summed)
    return summed


@torch.no_grad()
def everyone(items: Tensor) -> Tensor:
    """All ranks' items [B, ...], on every rank, in their order in the batch of all: [ranks * B, ...].

    Item i of rank r of R is item i * R + r of that batch.
    """
    if world() == 1:
        return items
    parts = [torch.empty_like(items, memory_format=torch.contiguous_format) for _ in range(world())]
    dist.all_gather(parts, items.contiguous())
    return torch.stack(parts, dim=1).flatten(0, 1)
