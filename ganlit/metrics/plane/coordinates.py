"""Points as they are."""

from __future__ import annotations

from torch import Tensor

from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor

NAME = "coordinates"


class Coordinates(FeatureExtractor):
    """The two coordinates of a point, which is all that there is of it."""

    name, dim, batch = NAME, 2, 4096
    protocol = f"{NAME}@none/plane"

    def encode(self, items: Tensor) -> dict[str, Tensor]:
        if items.ndim != 2 or items.shape[1] != self.dim:
            raise UserError(f"extractor {NAME} takes points [B, 2], not {list(items.shape)}.")
        return {"pool": items.float()}
