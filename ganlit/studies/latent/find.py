"""Directions of a latent space in which something may change: from weights, from where latents lie, from classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.metrics.fidelity import Moments
from ganlit.metrics.probe import fit_probe
from ganlit.studies.latent.affine import matrix_of, taking
from ganlit.studies.latent.subject import Subject

PIECE = 1024  # latents


class Direction(NamedTuple):
    """One that was found."""

    name: str  # sefa-0, class-3, s4-17
    vector: Tensor  # [d] of length one
    unit: float | None = None  # how long a unit of it is; None for that of all, the typical distance of a latent


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

    With z a class may go into that layer, of which what is made is left aside.

    Raises:
        UserError: there is none; it says why, and what follows is the caller's.
    """
    latents, label = subject.sample(1)
    with taking(subject.generator, latents[0, 0], alone=subject.space != "z") as layers, torch.no_grad():
        subject.render(latents, label)
    found = layers if subject.space != "z" else layers[:1]
    if not found:
        who = type(subject.generator).__name__
        raise UserError(f"SeFa: no layer of {who} in {subject.run} takes {subject.space} as it is")
    return [matrix_of(layer, shape)[:, : latents.shape[-1]] for layer, shape in found]
