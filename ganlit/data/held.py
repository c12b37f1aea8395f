"""Items that are measured and never trained on."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.errors import UserError


def parted(count: int, share: float) -> tuple[Tensor, Tensor]:
    """The places [N] int64 to train on and those held out, in order: the same choice for every seed.

    Raises:
        UserError: either has none.
    """
    held = round(count * share)
    if not 0 < held < count:
        raise UserError(
            f"data.init_args.held_out is {share:g}, which of {count} items are {held}: neither to train on nor to "
            "measure can there be none, so change it."
        )
    order = torch.from_numpy(np.random.default_rng(0).permutation(count))
    return order[held:].sort().values, order[:held].sort().values


def chosen(reference: Reference, places: Tensor) -> Reference:
    """Some of the real items, under a name and a digest of their own."""
    digest = blake2b(reference.digest.encode() + places.numpy().tobytes(), digest_size=16).hexdigest()
    return reference._replace(
        name=f"{reference.name}-held{len(places)}",
        digest=digest,
        items=reference.items[places],
        labels=reference.labels[places],
    )
