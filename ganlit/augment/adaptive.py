"""Adaptive discriminator augmentation: Karras et al., arXiv 2006.06676."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.augment.base import Augment, stacked, unrolled
from ganlit.augment.geometry import resample
from ganlit.augment.pipeline import blitting, deformation, recolour
from ganlit.contracts import Verdict
from ganlit.errors import within


class ADA(Augment):
    """Each transform of the pipeline meets each image with probability p, which follows how far D overfits.

    The heuristic is that of section 3.1, r_t = E[sign(D(real))]: above its target p rises, else it falls. All moves
    within the image are one bilinear resampling, without the paper's filtering at twice the resolution, and its
    image-space filters and corruptions, off in its main experiments, are left out. A relativistic loss knows no zero,
    and r_t tells nothing of its logits: with one, set p and no target.

    Args:
        p: probability at the start; without a target it stays, unless something else moves the buffer `p`.
        target: the r_t that is sought, 0.6 in the paper, or null.
        speed: thousands of images in which p can go from 0 to 1.
        interval: micro-batches from one move of p to the next.
        blit: flips, quarter turns and shifts by whole pixels.
        geometry: scaling, rotation and fractional shifts.
        color: brightness and contrast; luma flip, hue and saturation of images with three channels.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self,
        p: float = 0.0,
        target: float | None = 0.6,
        speed: float = 500.0,
        interval: int = 4,
        blit: bool = True,
        geometry: bool = True,
        color: bool = True,
    ) -> None:
        super().__init__()
        within("ADA.p", p, least=0, most=1)
        within("ADA.target", target, above=-1, below=1, optional=True)
        within("ADA.speed", speed, above=0)
        within("ADA.interval", interval, least=1)
        self.target = target
        self.speed = speed
        self.interval = interval
        self.blit = blit
        self.geometry = geometry
        self.color = color
        self.least = 0.0  # of p, where something has raised it
        self.register_buffer("p", torch.tensor(float(p)))
        # What was seen since p last moved; `observe` says why these are buffers.
        self.register_buffer("signs", torch.zeros(()))
        self.register_buffer("logits", torch.zeros(()))
        self.register_buffer("images", torch.zeros(()))

    def forward(self, images: Tensor) -> Tensor:
        if self.p.device.type == "cpu" and not self.p:  # elsewhere to look takes longer than to do nothing
            return images
        with torch.autocast(images.device.type, enabled=False):
            changed = images.to(torch.promote_types(images.dtype, torch.float32))
            if self.blit or self.geometry:
                changed = stacked(changed)
                batch, _, height, width = changed.shape
                blitted = blitting(batch, height, width, self.p * self.blit)
                deformed = deformation(batch, height, width, self.p * self.geometry)
                changed = resample(changed, blitted.after(deformed))
            if self.color:
                changed = recolour(unrolled(changed.view_as(images)), self.p)
        return changed.view_as(images).to(images.dtype)

    @torch.no_grad()
    def observe(self, verdict: Verdict, images: int) -> None:
        """Moves p by what earlier calls have seen, if it is time, and then adds what this one sees.

        In this order because all persistent buffers are averaged over ranks in between: so every rank moves p alike.
        Nothing here is read back by the host.
        """
        if self.target is None:
            return
        due = self.images >= self.interval * images
        direction = (self.signs / self.logits.clamp(min=1) - self.target).sign()
        moved = (self.p + direction * self.images / (1000 * self.speed)).clamp(self.least, 1)
        self.p.copy_(torch.where(due, moved, self.p))
        for seen in (self.signs, self.logits, self.images):
            seen.masked_fill_(due, 0)
        self.signs += verdict.real_logits.sign().sum()
        self.logits += verdict.real_logits.numel()
        self.images += images
