"""Items from noise."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ganlit.compute.twice import Twice
from ganlit.contracts import Judgement, Labelled, Made, Sampled, Styled, Terms, Verdict
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.fitting import check


class Synthesis(AdversarialModule):
    """Generates items from latents, with or without classes: networks that know no classes ignore the labels.

    The generator has `z_dim: int`, `classes: int` (0 when it knows none) and `forward(z [B, z_dim], label [B])`, which
    gives items [B, ...] or, with more beside them, `Made`. The discriminator has `forward(item, label)`, which gives
    logits [B, ...], a list of several networks' logits, or, with the features inside them, a `Judgement`.
    """

    def check_data(self, data: Any) -> None:
        check(self, data)

    def discriminator_terms(self, batch: Labelled) -> Terms:
        with torch.no_grad():
            made = self.generate(batch.label)
        verdict = Verdict(self.critic(batch.label), batch.item, made.output, side=made.side)
        return self.judged(verdict)

    def generator_terms(self, batch: Labelled) -> Terms:
        if due := self.due("generator"):
            latent, made = self.traced(batch.label, max(each.part(len(batch.label)) for each in due))
        else:
            latent, made = None, self.generate(batch.label)
        verdict = Verdict(self.critic(batch.label), batch.item, made.output, latent, made.side)
        penalties = self.penalties("generator", verdict)
        return {"adversarial": self.adversarial("generator", verdict), **penalties}

    def generate(self, label: Tensor) -> Made:
        """What the generator in training makes."""
        return Made.of(self.generator(self.latents(label), label))

    def traced(self, label: Tensor, count: int) -> tuple[Tensor, Made]:
        """What items are made from, to differentiate by, and the items: in float32, for a penalty's sake.

        Args:
            count: of the items that are to be differentiated, the first ones; those behind them are made as ever where
                the generator has styles, and differentiated too where it has not.
        """
        with torch.autocast(label.device.type, enabled=False), Twice():
            z = self.latents(label)
            if not isinstance(self.generator, Styled):
                return z.requires_grad_(), Made.of(self.generator(z, label))
            styles = self.generator.styles(z, label)
            if not styles.requires_grad:  # of a mapping that is frozen
                styles.requires_grad_()
            latent, others = styles[:count], styles[count:]
            items = self.generator.synthesise(latent)
        if len(others):
            items = torch.cat([items, self.generator.synthesise(others).to(items.dtype)])
        return latent, Made(items)

    def sample(self, batch: Labelled) -> Sampled:
        return Sampled(batch.item, self.averaged(self.latents(batch.label), batch.label))

    def averaged(self, z: Tensor, label: Tensor, **options: float) -> Tensor:
        """Items [B, ...] of the average, from latents [B, z_dim]."""
        return Made.of(self.ema(z, label, **options)).output.float()

    def latents(self, label: Tensor) -> Tensor:
        """Standard normal latents [B, z_dim], one for each label."""
        return torch.randn(len(label), self.generator.z_dim, device=label.device)

    def opinion(self, items: Tensor, label: Tensor) -> Tensor | None:
        """Without augmentation; of several networks, or patches, the mean; of packs one for each whole pack."""
        whole = len(items) - len(items) % getattr(self.discriminator, "packed", 1)
        if not whole:
            return None
        logits = Judgement.of(self.discriminator(items[:whole], label[:whole])).logits
        return torch.stack([each.float().reshape(len(each), -1).mean(1) for each in logits]).mean(0)
