"""Images from noise."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ganlit.contracts import Labelled, Sampled, Terms, Verdict
from ganlit.errors import UserError
from ganlit.tasks.base import AdversarialModule


class Synthesis(AdversarialModule):
    """Generates images from latents, with or without classes: networks that know no classes ignore the labels.

    The generator has `z_dim: int`, `classes: int` (0 when it knows none) and
    `forward(z [B, z_dim], label [B]) -> [B, C, H, W]`; the discriminator has `forward(image, label) -> [B]`.
    """

    def check_data(self, data: Any) -> None:
        """Refuses a data module that the networks were not built for, before the first step.

        Raises:
            UserError: the images are of another shape, or a label is beyond the generator's classes.
        """
        reference = data.reference
        labels = int(reference.labels.max()) + 1
        if 0 < self.generator.classes < labels:
            raise UserError(
                f"{reference.name} has {labels} classes but the generator knows {self.generator.classes}: "
                "set model.init_args.generator.init_args.classes and the discriminator's to the same number."
            )
        shape = list(self.sample(data.grid(1, 1)).output.shape[1:])
        wanted = list(reference.images.shape[1:])
        if shape != wanted:
            raise UserError(
                f"{reference.name} has images of {wanted} (channels, height, width) but the generator makes {shape}: "
                "set resolution and channels alike in data.init_args and in both networks."
            )

    def discriminator_terms(self, batch: Labelled) -> Terms:
        with torch.no_grad():
            fake = self.generate(batch.label)
        verdict = Verdict(self.critic(batch.label), batch.image, fake)
        penalties = self.penalties("discriminator", verdict)
        terms = {"adversarial": self.loss.discriminator(verdict), **penalties}
        self.augment.observe(verdict, self.images // self.accumulate)
        return terms

    def generator_terms(self, batch: Labelled) -> Terms:
        latent, fake = self.traced(batch.label) if self.due("generator") else (None, self.generate(batch.label))
        verdict = Verdict(self.critic(batch.label), batch.image, fake, latent)
        penalties = self.penalties("generator", verdict)
        return {"adversarial": self.loss.generator(verdict), **penalties}

    def generate(self, label: Tensor) -> Tensor:
        """Images [B, C, H, W] of the generator in training."""
        return self.generator(self.latents(label), label)

    def traced(self, label: Tensor) -> tuple[Tensor, Tensor]:
        """What the images are made from, to differentiate by, and the images: in float32, for a penalty's sake."""
        with torch.autocast(label.device.type, enabled=False):
            z = self.latents(label)
            if not hasattr(self.generator, "styles"):
                return z.requires_grad_(), self.generator(z, label)
            styles = self.generator.styles(z, label)
            return styles, self.generator.synthesise(styles)

    def sample(self, batch: Labelled) -> Sampled:
        return Sampled(batch.image, self.ema(self.latents(batch.label), batch.label).float().clamp(-1, 1))

    def latents(self, label: Tensor) -> Tensor:
        """Standard normal latents [B, z_dim], one for each label."""
        return torch.randn(len(label), self.generator.z_dim, device=label.device)
