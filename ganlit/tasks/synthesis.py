"""Items from noise."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ganlit.compute.strategy import world_size
from ganlit.contracts import Labelled, Made, Sampled, Terms, Verdict
from ganlit.errors import UserError
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS

FEW = 4
"""Items by which parts that do not fit are found."""


class Synthesis(AdversarialModule):
    """Generates items from latents, with or without classes: networks that know no classes ignore the labels.

    The generator has `z_dim: int`, `classes: int` (0 when it knows none) and `forward(z [B, z_dim], label [B])`, which
    gives items [B, ...] or, with more beside them, `Made`. The discriminator has `forward(item, label)`, which gives
    logits [B, ...], a list of several networks' logits, or, with the features inside them, a `Judgement`.
    """

    def check_data(self, data: Any) -> None:
        """Refuses a data module that the networks were not built for, before the first step.

        Raises:
            UserError: the items are of another shape, the classes are others, or a turn of either player fails.
        """
        reference, kind = data.reference, data.modality
        labels = int(reference.labels.max()) + 1
        self.populated = reference.labels.unique().tolist()
        for player in reversed(PLAYERS):
            known = getattr(getattr(self, player), "classes", 0)
            if known not in (0, labels):
                has = f"{labels} classes" if labels > 1 else "no classes"
                raise UserError(
                    f"{reference.name} has {has} but the {player} knows {known}: set "
                    f"model.init_args.{player}.init_args.classes to {labels if labels > 1 else 0}, the other's alike."
                )
        items = data.grid(1, min(FEW, self.share(data.batch, world_size())))
        items.label[-1] = labels - 1
        items = self.transfer_batch_to_device(items, self.device, 0)
        with self.fitting("sampling"):
            made = kind.to_stored(self.sample(items).output)
        shape = list(made.shape[1:])
        wanted = list(reference.items[:1].shape[1:])
        if shape != wanted:
            raise UserError(
                f"{reference.name} has {kind.item}s of {wanted} ({kind.axes}) but the generator makes {shape}: set "
                f"{kind.shaped_by} alike in data.init_args and in both networks."
            )
        self.rehearse(items)

    def discriminator_terms(self, batch: Labelled) -> Terms:
        with torch.no_grad():
            made = self.generate(batch.label)
        verdict = Verdict(self.critic(batch.label), batch.item, made.output, side=made.side)
        penalties = self.penalties("discriminator", verdict)
        terms = {"adversarial": self.adversarial("discriminator", verdict), **penalties}
        self.augment.observe(verdict, self.images // self.accumulate)
        return terms

    def generator_terms(self, batch: Labelled) -> Terms:
        latent, made = self.traced(batch.label) if self.due("generator") else (None, self.generate(batch.label))
        verdict = Verdict(self.critic(batch.label), batch.item, made.output, latent, made.side)
        penalties = self.penalties("generator", verdict)
        return {"adversarial": self.adversarial("generator", verdict), **penalties}

    def generate(self, label: Tensor) -> Made:
        """What the generator in training makes."""
        return Made.of(self.generator(self.latents(label), label))

    def traced(self, label: Tensor) -> tuple[Tensor, Made]:
        """What the items are made from, to differentiate by, and the items: in float32, for a penalty's sake."""
        with torch.autocast(label.device.type, enabled=False):
            z = self.latents(label)
            if not hasattr(self.generator, "styles"):
                return z.requires_grad_(), Made.of(self.generator(z, label))
            styles = self.generator.styles(z, label)
            return styles, Made.of(self.generator.synthesise(styles))

    def sample(self, batch: Labelled) -> Sampled:
        return Sampled(batch.item, self.averaged(self.latents(batch.label), batch.label))

    def averaged(self, z: Tensor, label: Tensor, **options: float) -> Tensor:
        """Items [B, ...] of the average, from latents [B, z_dim]."""
        return Made.of(self.ema(z, label, **options)).output.float()

    def latents(self, label: Tensor) -> Tensor:
        """Standard normal latents [B, z_dim], one for each label."""
        return torch.randn(len(label), self.generator.z_dim, device=label.device)
