"""What the ranks of a run tell each other about items; one process alone is a world of one."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.functional import pad


def world() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    return dist.get_rank() if world() > 1 else 0


def total(values: Tensor, device: torch.device) -> Tensor:
    """The sum over all ranks, on every rank.

    Args:
        values: of one shape on all ranks, on the CPU, where the sum comes back to.
        device: on which the ranks can exchange tensors.
    """
    if world() == 1:
        return values
    summed = values.to(device, copy=True)
    dist.all_reduce(summed)
    return summed.to(values.device)


def gathered(rows: Tensor, device: torch.device) -> Tensor:
    """All ranks' rows [n, ...] on rank 0, in the order of ranks; elsewhere none.

    Shares may differ in length: they are filled up for the exchange and cut after it.
    """
    if world() == 1:
        return rows
    lengths = torch.zeros(world(), dtype=torch.int64)
    lengths[rank()] = len(rows)
    lengths = total(lengths, device).tolist()
    filled = pad(rows, (0, 0) * (rows.ndim - 1) + (0, max(lengths) - len(rows))).to(device)
    parts = [torch.empty_like(filled) for _ in lengths] if rank() == 0 else None
    dist.gather(filled, parts)
    if parts is None:
        return rows[:0]
    return torch.cat([part[:length].to(rows.device) for part, length in zip(parts, lengths, strict=True)])


def told(value: bool, device: torch.device) -> bool:
    """What rank 0 says, on every rank."""
    said = torch.tensor(float(value and rank() == 0))
    return bool(total(said, device) > 0)
