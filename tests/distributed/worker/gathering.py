"""The measures of one set of images, sampled by one rank or by several."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from faulty import Tiny
from games import game, trainer_of
from torch.utils.data import Dataset

from ganlit.callbacks.fidelity import Fidelity, gather
from ganlit.contracts import Labelled, Reference, Sampled
from ganlit.data.base import GanDataModule
from ganlit.data.images import LabelledImages
from ganlit.tasks.synthesis import Synthesis


class Shades(GanDataModule):
    """Noise of several shades, in two classes."""

    @cached_property
    def reference(self) -> Reference:
        stream = torch.Generator().manual_seed(0)
        images = torch.randint(256, (60, 1, 8, 8), generator=stream, dtype=torch.uint8)
        images = images // torch.randint(1, 5, (60, 1, 1, 1), generator=stream, dtype=torch.uint8)
        return Reference("shades", "0", images, torch.arange(60) % 2, ("even", "odd"))

    @cached_property
    def dataset(self) -> Dataset[Labelled]:
        return LabelledImages(self.reference.images, self.reference.labels)


class Darkening(Synthesis):
    """Samples the real images, darker: the same whoever is asked."""

    def sample(self, batch: Labelled) -> Sampled:
        return Sampled(batch.image, batch.image * 0.5 - 0.25)


def found() -> dict[str, Any]:
    fidelity = Fidelity()
    fidelity.extractor = Tiny()
    trainer = trainer_of(callbacks=[fidelity])
    # 50 images are no multiple of 3 ranks, nor is a rank's share one of its batches.
    (values,) = trainer.validate(game(Darkening), datamodule=Shades(batch=12, val_images=50), verbose=False)
    rank, world = trainer.global_rank, trainer.world_size
    shares = [torch.arange(share + 2.0)[:, None].expand(-1, 3) + 10 * share for share in range(world)]
    return {
        "values": {name: value for name, value in values.items() if name != "kimg"},
        "latest": fidelity.latest,
        "gathered": gather(shares[rank], trainer),
        "shares": torch.cat(shares),
    }
