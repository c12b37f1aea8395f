"""Images from noise."""

from __future__ import annotations

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

    def on_fit_start(self) -> None:
        """Refuses a data module that the networks were not built for, before the first step.

        Raises:
            UserError: the images are of another shape, or a label is beyond the generator's classes.
        """
        if self.trainer.datamodule is None:  # bare loaders, as plain Python may give them, do not tell what they hold
            return
        reference = self.trainer.datamodule.reference
        labels = int(reference.labels.max()) + 1
        if 0 < self.generator.classes < labels:
            raise UserError(
                f"{reference.name} has {labels} classes but the generator knows {self.generator.classes}: "
                "set model.init_args.generator.init_args.classes and the discriminator's to the same number."
            )
        shape = list(self.sample(self.trainer.datamodule.grid(1, 1)).output.shape[1:])
        wanted = list(reference.images.shape[1:])
        if shape != wanted:
            raise UserError(
                f"{reference.name} has images of {wanted} (channels, height, width) but the generator makes {shape}: "
                "set resolution and channels alike in data.init_args and in both networks."
            )

    def discriminator_terms(self, batch: Labelled) -> Terms:
        with torch.no_grad():
            fake = self.generator(self.latents(batch.label), batch.label)
        verdict = Verdict(self.critic(batch.label), batch.image, fake)
        penalties = self.penalties(verdict)
        return {"adversarial": self.loss.discriminator(verdict), **penalties}

    def generator_terms(self, batch: Labelled) -> Terms:
        fake = self.generator(self.latents(batch.label), batch.label)
        return {"adversarial": self.loss.generator(Verdict(self.critic(batch.label), batch.image, fake))}

    def sample(self, batch: Labelled) -> Sampled:
        return Sampled(batch.image, self.ema(self.latents(batch.label), batch.label).float().clamp(-1, 1))

    def latents(self, label: Tensor) -> Tensor:
        """Standard normal latents [B, z_dim], one for each label."""
        return torch.randn(len(label), self.generator.z_dim, device=label.device)
