"""Discriminators side by side, which are one player: what each says is a part of what all say."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from ganlit.contracts import Judgement
from ganlit.errors import UserError


def together(answers: Iterable[Tensor | list[Tensor] | Judgement]) -> Judgement:
    """What several discriminators say, one entry for each network; features only where all hand them out."""
    found = [Judgement.of(answer) for answer in answers]
    features = [inside for each in found for inside in each.features] if all(each.features for each in found) else []
    return Judgement([logits for each in found for logits in each.logits], features)


class Several(nn.Module):
    """A discriminator made of discriminators that see the same items, such as HiFi-GAN's by periods and by rates.

    Args:
        networks: of one network or several each.

    Raises:
        UserError: there is none, or they know other classes.
    """

    def __init__(self, networks: list[nn.Module]) -> None:
        super().__init__()
        if not networks:
            raise UserError("Several.networks is empty: name the discriminators that it joins.")
        known = [each.classes for each in networks if getattr(each, "classes", 0)]
        if len(set(known)) > 1:
            told = " and ".join(map(str, dict.fromkeys(known)))
            raise UserError(f"Several.networks know {told} classes: set all alike, or to 0.")
        self.networks = nn.ModuleList(networks)
        self.classes = known[0] if known else 0

    def forward(self, item: Tensor, label: Tensor) -> Judgement:
        """Items [B, ...] and labels [B] to what each network says of them, in their order."""
        return together(network(item, label) for network in self.networks)
