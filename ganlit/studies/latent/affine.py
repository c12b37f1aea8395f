"""What layers make of the latent that they are given, and S, in which all of that is one vector.

S is the space of what a generator's affine layers make of its styles: Wu et al., arXiv 2011.12799, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ganlit.contracts import Styled
from ganlit.errors import UserError
from ganlit.studies.latent.hooks import meanwhile


@contextmanager
def taking(network: nn.Module, latent: Tensor, alone: bool = True) -> Iterator[list[tuple[nn.Module, torch.Size]]]:
    """Notes layers that are given the latent [d] of a single item, scaled perhaps, and the form in which it comes.

    Args:
        alone: whether it comes alone; else more may stand behind it, such as a class.
    """
    found: list[tuple[nn.Module, torch.Size]] = []

    def note(layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        first, weights = inputs[0] if inputs else None, getattr(layer, "weight", None)
        if not isinstance(first, Tensor) or not first.is_floating_point() or weights is None or weights.ndim < 2:
            return
        numbers = first.flatten()
        if len(numbers) != len(latent) and (alone or len(numbers) < len(latent) or len(first) > 1):
            return
        if float(torch.cosine_similarity(numbers[: len(latent)], latent, 0)) > 0.9999:
            found.append((layer, first.shape[1:]))

    leaves = [each for each in network.modules() if not any(True for _ in each.children())]
    with meanwhile(each.register_forward_pre_hook(note) for each in leaves):
        yield found


@torch.no_grad()
def matrix_of(layer: nn.Module, shape: torch.Size) -> Tensor:
    """What a layer, which is linear but for its bias, multiplies its input with, [out, d]: however it scales it."""
    weight = next(layer.parameters())
    each = torch.eye(shape.numel(), device=weight.device, dtype=weight.dtype).unflatten(1, shape)
    return (layer(each) - layer(torch.zeros_like(each[:1]))).flatten(1).T.cpu()


class Affine(NamedTuple):
    """A layer that makes channels of S of a style."""

    name: str  # in its generator
    row: int  # of the styles, which it takes
    shape: torch.Size  # in which it is given that
    size: int  # channels


@torch.no_grad()
def affine_layers(generator: Styled, styles: tuple[int, int], device: torch.device, run: str) -> list[Affine]:
    """Those of a generator, in the order of the styles [layers, w_dim] that they take.

    Raises:
        UserError: what it makes of styles, it does not make by such layers alone.
    """
    stream = torch.Generator().manual_seed(0)
    given = torch.randn(1, *styles, generator=stream).to(device)  # no two rows alike
    names = {layer: name for name, layer in generator.named_modules()}
    found: list[Affine] = []
    for row, style in enumerate(given[0]):
        with taking(generator, style) as layers:
            generator.synthesise(given)
        for layer, shape in layers:
            found.append(Affine(names[layer], row, shape, layer(style.view(1, *shape)).numel()))
    torch.manual_seed(0)
    made = generator.synthesise(given)
    torch.manual_seed(0)
    with replaced(generator, found, channels_of(generator, found, given)):
        again = generator.synthesise(torch.zeros_like(given))
    if not found or not torch.allclose(made, again, rtol=1e-3, atol=1e-3 * float(made.std())):
        raise UserError(
            f"--space s: styles reach the layers of {type(generator).__name__} in {run} not through linear ones alone, "
            "whose channels could be looked at: write --space w, or leave it out."
        )
    return found


def channels_of(generator: nn.Module, layers: Sequence[Affine], styles: Tensor) -> Tensor:
    """The vectors [B, channels] of styles [B, layers, w_dim]."""
    parts = [generator.get_submodule(each.name)(styles[:, each.row].unflatten(1, each.shape)) for each in layers]
    return torch.cat([part.flatten(1) for part in parts], 1) if parts else styles.new_zeros(len(styles), 0)


@contextmanager
def replaced(generator: nn.Module, layers: Sequence[Affine], channels: Tensor) -> Iterator[None]:
    """Has affine layers give these channels [B, channels], whatever their styles are."""

    def giving(part: Tensor) -> Callable[..., Tensor]:
        return lambda layer, inputs, output: part.view(output.shape).to(output.dtype)

    parts = channels.split([each.size for each in layers], 1)
    places = [generator.get_submodule(each.name) for each in layers]
    with meanwhile(place.register_forward_hook(giving(part)) for place, part in zip(places, parts, strict=True)):
        yield


def channel_names(layers: Sequence[Affine]) -> list[str]:
    """What channels are called, by the number of their layer and their own in it: s3-17."""
    return [f"s{number}-{channel}" for number, each in enumerate(layers) for channel in range(each.size)]
