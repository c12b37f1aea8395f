"""The few types that the rooms of the house hand to one another."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from torch import Tensor

Terms = dict[str, Tensor]
"""Named scalar terms of one player's objective: what is summed, differentiated and logged."""

Critic = Callable[[Tensor], Tensor]
"""Images [B, C, H, W] in, logits [B] out: the discriminator with augmentation and conditions bound to it."""


class Labelled(NamedTuple):
    """A batch of images with classes; an unlabelled dataset has the one class 0."""

    image: Tensor  # [B, C, H, W]; uint8 on the way to the device, float in [-1, 1] in the task
    label: Tensor  # [B] int64


class Sampled(NamedTuple):
    """What a task shows of itself: the batch's own images beside those of the EMA generator."""

    reference: Tensor  # [B, C, H, W] float in [-1, 1]
    output: Tensor  # [B, C, H, W] float, clamped to [-1, 1]


class Reference(NamedTuple):
    """The real images that generated ones are measured against."""

    name: str  # "digits-train": dataset and split, part of every protocol id
    digest: str  # hash of the pixels and labels
    images: Tensor  # [N, C, H, W] uint8, in memory or mapped, or what has a length and answers slices of it with such
    labels: Tensor  # [N] int64
    classes: tuple[str, ...]  # empty where the dataset has no labels


class Verdict:
    """What one player sees of one micro-batch.

    The logits are computed on first use and once, so that a loss and a regularizer share one pass through the critic.

    Args:
        critic: the only door to the discriminator; real and fake images pass the same augmentation behind it.
        real: [B, C, H, W] real images in [-1, 1]; they require a gradient when a regularizer differentiates by them.
        fake: [B, C, H, W] generated images; detached when the discriminator plays.
        latent: [B, ...] what the generated images were made from, with a graph from it to them, when a regularizer of
            the generator asked for it: the styles [B, layers + 1, w_dim] of a StyleGenerator, z [B, z_dim] elsewhere.
    """

    def __init__(self, critic: Critic, real: Tensor, fake: Tensor, latent: Tensor | None = None) -> None:
        self.critic = critic
        self.real = real
        self.fake = fake
        self.latent = latent

    @cached_property
    def real_logits(self) -> Tensor:
        return self.critic(self.real)

    @cached_property
    def fake_logits(self) -> Tensor:
        return self.critic(self.fake)
