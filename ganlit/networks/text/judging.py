"""What discriminators of text have in common."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.errors import UserError


class Answer(nn.Module):
    """One logit of features; with classes, also by how they fit the class: Miyato and Koyama, arXiv 1802.05637."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.logit = nn.Linear(features, 1)
        self.kinds = nn.Embedding(classes, features) if classes else None

    def forward(self, features: Tensor, label: Tensor) -> Tensor:
        """[B, d] and [B] to [B]."""
        logit = self.logit(features)[:, 0]
        return logit if self.kinds is None else logit + (features * self.kinds(label)).sum(1)


class Highway(nn.Module):
    """Lets a part of its input through as it is: Srivastava et al., arXiv 1505.00387."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.change, self.gate = nn.Linear(features, features), nn.Linear(features, features)

    def forward(self, x: Tensor) -> Tensor:
        return torch.lerp(x, self.change(x).relu(), self.gate(x).sigmoid())


class Windows(nn.Module):
    """How strongly each filter answers where it answers most: Kim, arXiv 1408.5882, with a highway behind it.

    Args:
        network: whose they are, in messages.
        width: of a symbol's vector.
        length: places of a text.
        windows: places that a filter sees, of each group of filters.
        filters: how many are in each group.

    Raises:
        UserError: the lists do not fit one another or the length.
    """

    def __init__(self, network: str, width: int, length: int, windows: Sequence[int], filters: Sequence[int]) -> None:
        super().__init__()
        if not windows or len(windows) != len(filters) or min(*windows, *filters) < 1:
            raise UserError(
                f"{network}.windows is {list(windows)} and {network}.filters {list(filters)}: give one number above 0 "
                "of filters for each window."
            )
        if max(windows) > length:
            raise UserError(f"{network}.windows has {max(windows)}, but a text has {length} places: leave it out.")
        pairs = zip(windows, filters, strict=True)
        self.filters = nn.ModuleList(nn.Conv1d(width, count, window) for window, count in pairs)
        self.features = sum(filters)
        self.highway = Highway(self.features)
        for part in self.filters:  # as SeqGAN's code
            nn.init.trunc_normal_(part.weight, std=0.1, a=-0.2, b=0.2)
            nn.init.constant_(part.bias, 0.1)

    def forward(self, vectors: Tensor) -> Tensor:
        """[B, L, width] to [B, features]."""
        x = vectors.transpose(1, 2)
        most = [F.relu(part(x)).amax(2) for part in self.filters]
        return self.highway(torch.cat(most, dim=1))
