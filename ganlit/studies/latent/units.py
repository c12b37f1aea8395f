"""Units of a generator: the channels of one of its layers, which can be looked at, and switched off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ganlit.errors import UserError, nearest
from ganlit.studies.latent.hooks import meanwhile


class Layer(NamedTuple):
    """A module of a generator that gives maps."""

    name: str
    units: int  # maps
    side: int  # of each


@contextmanager
def mapped(network: nn.Module) -> Iterator[dict[str, Layer]]:
    """Notes by their names the modules that give maps [B, C, H, W], as they do so; of one in another both."""
    found: dict[str, Layer] = {}

    def noting(name: str) -> Callable[..., None]:
        def note(layer: nn.Module, given: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1:
                found[name] = Layer(name, output.shape[1], output.shape[2])

        return note

    with meanwhile(part.register_forward_hook(noting(name)) for name, part in network.named_modules() if name):
        yield found


def chosen_layer(layers: Sequence[Layer], asked: str | None, who: str, channels: int) -> Layer:
    """The layer of a name; by default the last of the outermost ones of a quarter of the final side.

    There GAN dissection (Bau et al., arXiv 1811.10597, section 4.1) finds units that are about objects and parts.

    Raises:
        UserError: there is none of that name, or none at all.
    """
    names = {each.name: each for each in layers}
    if asked is not None and asked not in names:
        raise UserError(f"--layer {asked}: {who} has no such layer of maps{nearest(asked, names) or told(layers)}")
    if asked is not None:
        return names[asked]
    many = [each for each in layers if each.units > channels]  # more than an image has
    outer = [each for each in many if not any(inside(each.name, other.name) for other in many)]
    if not outer:
        raise UserError(f"{who} has no layer that gives maps, and dissection is about these: name another run.")
    wanted = max(each.side for each in layers) / 4
    side = min((each.side for each in outer), key=lambda side: abs(side - wanted))
    return [each for each in outer if each.side == side][-1]


def inside(name: str, other: str) -> bool:
    return name.startswith(f"{other}.")


def told(layers: Sequence[Layer]) -> str:
    return f"; there are {', '.join(each.name for each in layers)}."


@contextmanager
def off(network: nn.Module, layer: Layer, units: Sequence[int] | Tensor) -> Iterator[None]:
    """Sets maps of a layer to 0, whatever is made meanwhile: the ablation of section 3.2."""
    places = torch.as_tensor(units)

    def silence(part: nn.Module, given: Any, output: Tensor) -> Tensor:
        return output.index_fill(1, places.to(output.device), 0)

    with network.get_submodule(layer.name).register_forward_hook(silence):
        yield


@contextmanager
def heard(network: nn.Module, layer: Layer) -> Iterator[list[Tensor]]:
    """Notes the mean over places of each map, [B, units] for each batch that is made meanwhile."""
    found: list[Tensor] = []

    def note(part: nn.Module, given: Any, output: Tensor) -> None:
        found.append(output.detach().float().mean((2, 3)).cpu())

    with network.get_submodule(layer.name).register_forward_hook(note):
        yield found


def separation(values: Tensor, member: Tensor) -> Tensor:
    """For each unit the chance that it is higher in a member than in another item, ties counting half: its AUC.

    Args:
        values: [N, units].
        member: [N] bool.

    Returns:
        [units] float64; one half where there is no member, or nothing else.
    """
    inside, outside = values[member].T.contiguous(), values[~member].T.contiguous().sort(1).values
    if not inside.numel() or not outside.numel():
        return torch.full((values.shape[1],), 0.5, dtype=torch.float64)
    below, at_most = (torch.searchsorted(outside, inside, right=ties) for ties in (False, True))
    return (below + at_most).sum(1).double() / (2 * inside.shape[1] * outside.shape[1])
