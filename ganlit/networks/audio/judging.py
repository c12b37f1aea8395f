"""What discriminators of sound share: layers whose answers they hand out."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.contracts import Judgement
from ganlit.networks.layers import wide

SLOPE = 0.1


def activation(x: Tensor) -> Tensor:
    return F.leaky_relu(x, SLOPE)


def seen(layers: Iterable[nn.Module], x: Tensor) -> list[Tensor]:
    """What each of some layers gives, one after the other."""
    found: list[Tensor] = []
    for layer in layers:
        x = activation(layer(x))
        found.append(x)
    return found


def judged(logits: Tensor, features: list[Tensor]) -> Judgement:
    """Of one network: a logit for each place [B, ...], which is the last of its features as well, as in HiFi-GAN."""
    return Judgement([wide(logits.flatten(1))], [[*features, logits]])
