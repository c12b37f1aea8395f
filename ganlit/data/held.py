"""Items that are measured and never trained on."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.errors import UserError


def parted(count: int, share: float, groups: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The places [N] int64 to train on and those held out, in order: the same choice for every seed.

    Args:
        count: of all items.
        share: that is held out, at least.
        groups: [count] int64: what belongs together, such as pieces of one picture, and stays so; all apart by default.

    Raises:
        UserError: either has none.
    """
    groups = torch.arange(count) if groups is None else groups
    order = torch.from_numpy(np.random.default_rng(0).permutation(int(groups.max()) + 1))
    taken = groups.bincount()[order].cumsum(0)
    chosen = order[: int((taken < round(count * share)).sum()) + 1] if share > 0 else order[:0]
    held = torch.isin(groups, chosen)
    if not 0 < held.sum() < count:
        raise UserError(
            f"data.init_args.held_out is {share:g}, which of {count} items are {int(held.sum())}: neither to train on "
            "nor to measure can there be none, so change it."
        )
    return (~held).nonzero().flatten(), held.nonzero().flatten()


def chosen(reference: Reference, places: Tensor) -> Reference:
    """Some of the real items, under a name and a digest of their own."""
    digest = blake2b(reference.digest.encode() + places.numpy().tobytes(), digest_size=16).hexdigest()
    return reference._replace(
        name=f"{reference.name}-held{len(places)}",
        digest=digest,
        items=reference.items[places],
        labels=reference.labels[places],
    )
