"""The measures of one set of images, sampled by one rank or by several."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from coders import Coder, translation
from faulty import Grey
from games import RANK, WORLD, SmoothGenerator, game, trainer_of
from noises import Noises
from torch import Tensor
from torch.utils.data import Dataset

from ganlit.callbacks.fidelity import Fidelity
from ganlit.contracts import Labelled, Reference, Sampled
from ganlit.data.base import GanDataModule
from ganlit.data.images.images import LabelledImages
from ganlit.data.images.modality import ImageModality
from ganlit.metrics import reality
from ganlit.metrics.images import backbones
from ganlit.metrics.measure import METRICS
from ganlit.metrics.ranks import gathered, told, total
from ganlit.metrics.reality import Reality
from ganlit.metrics.signals import Watched
from ganlit.metrics.symptoms import Symptoms
from ganlit.tasks.synthesis import Synthesis


class Shades(GanDataModule):
    """Noise of several shades, in two classes."""

    modality = ImageModality()

    @cached_property
    def reference(self) -> Reference:
        stream = torch.Generator().manual_seed(0)
        images = torch.randint(256, (60, 1, 8, 8), generator=stream, dtype=torch.uint8)
        images = images // torch.randint(1, 5, (60, 1, 1, 1), generator=stream, dtype=torch.uint8)
        return Reference("shades", "0" * 32, images, torch.arange(60) % 2, ("even", "odd"))

    @cached_property
    def dataset(self) -> Dataset[Labelled]:
        return LabelledImages(self.reference.items, self.reference.labels)


class Darkening(Synthesis):
    """Samples the real images, darker: the same whoever is asked."""

    def sample(self, batch: Labelled) -> Sampled:
        return Sampled(batch.item, batch.item * 0.5 - 0.25)


class Scored(Grey):
    """Counts the images that this rank sees, and takes its features for logits too."""

    name = "scored"
    protocol = "scored@0/none"
    classes = 2
    seen = 0

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        self.seen += len(images)
        pool = super().encode(images)["pool"]
        return {"pool": pool, "logits": 3 * pool}


class Drawing(SmoothGenerator):
    """Of two classes, as far as anyone knows."""

    classes = 2


def measured(task: type[Synthesis]) -> tuple[dict[str, float], dict[str, float]]:
    """The values of all metrics of any modality, as they were found and as they were logged."""
    fidelity = Fidelity([name for name, metric in METRICS.items() if not metric.modality])
    # 50 images are no multiple of 3 ranks, nor is a rank's share one of its batches.
    data = Shades(batch=12, val_images=50)
    module = game(task, generator=Drawing()).float()
    (logged,) = trainer_of(callbacks=[fidelity]).validate(module, datamodule=data, verbose=False)
    return fidelity.latest, {name: value for name, value in logged.items() if name != "kimg"}


def autoencoded() -> dict[str, float]:
    """The values of all metrics of an autoencoder."""
    metrics = ["psnr", "ssim-crop2", "matched", "fid", "fid:prior", "prdc:prior", "codes", "elbo", "iwae"]
    fidelity = Fidelity(metrics, draws=2)
    data = Noises(batch=12, val_images=50)
    trainer_of(callbacks=[fidelity]).validate(translation(Coder()), datamodule=data, verbose=False)
    return fidelity.latest


def shown() -> dict[str, float]:
    """Symptoms and signals of what is sampled in turns of seven; only the first rank has the numbers."""
    stream, symptoms, watched = torch.Generator().manual_seed(4), Symptoms(), Watched(ImageModality().traits)
    source, target, output = (torch.rand(100, 3, 12, 12, generator=stream) for _ in range(3))
    for places in torch.arange(100).split(7)[RANK::WORLD]:
        for each in (symptoms, watched):
            each.add(Sampled(target[places], output[places], source[places]), places)
    signals = {f"signal/{name}": value for name, value in watched.finish(torch.device("cpu")).items()}
    return {**symptoms.finish(torch.device("cpu")), **signals}


@contextmanager
def held_for_a_while(path: Path) -> Iterator[None]:
    """The last of several ranks plays another process that is at the same entry."""
    if RANK and RANK == WORLD - 1:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.with_name(f".{path.name}.lock").open("a+")
        fcntl.flock(file, fcntl.LOCK_EX)
        threading.Timer(2.0, file.close).start()
    total(torch.zeros(1), torch.device("cpu"))  # nobody goes on before it is held
    yield


def found() -> dict[str, Any]:
    backbones.Inception = Scored
    sampled, logged = measured(Darkening)
    generated, _ = measured(Synthesis)
    coded = autoencoded()
    here = torch.device("cpu")
    shares = [torch.arange(share + 2.0)[:, None].expand(-1, 3) + 10 * share for share in range(WORLD)]
    extractor = Scored()
    own = Shades().reference._replace(digest=str(WORLD) * 32)  # else one world would find what another has stored
    said: list[str] = []
    real = Reality(own, extractor, said.append)
    with patch.object(reality, "BLOCK", 20), held_for_a_while(real.folder / reality.SUMS):
        real.prepare()
    backbones.Inception = Grey
    return {
        "sampled": sampled,
        "logged": logged,
        "generated": generated,
        "autoencoded": coded,
        "symptoms": shown(),
        "gathered": gathered(shares[RANK], here),
        "shares": torch.cat(shares),
        "total": total(torch.tensor([float(RANK), 1.0]), here),
        "told": [told(RANK == 0, here), told(RANK == 1, here)],
        "seen": extractor.seen,
        "waited": any("waiting for it" in text for text in said),
    }
