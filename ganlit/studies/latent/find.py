"""Directions of a latent space in which something may change: from weights, from where latents lie, from classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ganlit.errors import UserError
from ganlit.metrics.fidelity import Moments
from ganlit.metrics.probe import fit_probe
from ganlit.studies.latent.hooks import meanwhile
from ganlit.studies.latent.subject import Subject

PIECE = 1024  # latents


def sefa(matrices: Sequence[Tensor], count: int) -> Tensor:
    """Directions [count, d] that change what layers are given most: Shen and Zhou, arXiv 2007.06600, equation 6.

    Eigenvectors of the sum of A.T @ A over the layers' matrices A [out, d], the strongest first.
    """
    together = torch.cat([matrix.double() for matrix in matrices])
    _, vectors = torch.linalg.eigh(together.T @ together)
    return turned(vectors.flip(1).T[:count])


def ganspace(latents: Tensor, count: int) -> Tensor:
    """Principal components [count, d] of latents [N, d]: Härkönen et al., arXiv 2004.02546, section 2.2.

    By sums over pieces, exact for any number of latents.
    """
    moments = Moments(latents.shape[1])
    for piece in latents.cpu().split(PIECE):
        moments.add(piece)
    _, vectors = torch.linalg.eigh(moments.covariance)
    return turned(vectors.flip(1).T[:count])


def of_classes(latents: Tensor, found: Tensor, classes: int) -> tuple[Tensor, float]:
    """For each class the direction [classes, d] in which latents [N, d] become it, and how often that is right.

    Normals of a linear classifier of latents by what a probe finds in their items [N], as in InterFaceGAN (Shen et al.,
    arXiv 2005.09635, section 3), for all classes at once.
    """
    probe = fit_probe(latents.cpu().float(), found.cpu(), classes)
    normals = (probe.weight / probe.scale).double()
    return unit(normals - normals.mean(0)), probe.accuracy


def at_random(count: int, size: int, seed: int) -> Tensor:
    """Directions [count, size], all equally likely."""
    return unit(torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64))


def unit(vectors: Tensor) -> Tensor:
    """The same [N, d] of length one."""
    return vectors / vectors.norm(dim=1, keepdim=True).clamp(min=1e-12)


def turned(vectors: Tensor) -> Tensor:
    """Either sign of an eigenvector [N, d] is one: of two, that whose largest number is positive."""
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    return vectors * largest.sign()


def matrices_of(subject: Subject) -> list[Tensor]:
    """Of each layer that takes the latent itself what it makes of it, [out, d]; of those that take z, the first alone.

    Raises:
        UserError: there is none, as where z and a class go in together; it says why, and what follows is the caller's.
    """
    latents, label = subject.sample(1)
    with taking(subject.generator, latents[0, 0]) as layers, torch.no_grad():
        subject.render(latents, label)
    found = layers if subject.space != "z" else layers[:1]
    if not found:
        who = type(subject.generator).__name__
        raise UserError(f"SeFa: no layer of {who} in {subject.run} takes {subject.space} alone")
    return [matrix_of(layer, shape) for layer, shape in found]


@contextmanager
def taking(network: nn.Module, latent: Tensor) -> Iterator[list[tuple[nn.Module, torch.Size]]]:
    """Notes layers that are given the latent [d] of a single item, scaled perhaps, and the form in which it comes."""
    found: list[tuple[nn.Module, torch.Size]] = []

    def note(layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        first, weights = inputs[0] if inputs else None, getattr(layer, "weight", None)
        if not isinstance(first, Tensor) or weights is None or weights.ndim < 2 or first.numel() != latent.numel():
            return
        if first.is_floating_point() and float(torch.cosine_similarity(first.flatten(), latent, 0)) > 0.9999:
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
