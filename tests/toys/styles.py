"""Generators from noise that nobody has trained, by the names of runs: with styles and without, in grey and colour."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from ganlit.contracts import Reference
from ganlit.data.images.form import Form
from ganlit.data.images.modality import ImageModality
from ganlit.data.video.modality import VideoModality
from ganlit.losses.adversarial import NonSaturating
from ganlit.networks.images.dcgan import DCDiscriminator, DCGenerator
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator
from ganlit.studies.latent.subject import Subject
from ganlit.tasks.synthesis import Synthesis


class Flat(nn.Module):
    """z and class to images by one matrix: what it makes is known in closed form."""

    z_dim, classes = 4, 3

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 256, bias=False)
        self.layer.weight.data = 0.1 * torch.linalg.qr(torch.randn(256, 4))[0] * torch.tensor([4.0, 3.0, 2.0, 1.0])
        self.start = nn.Parameter(torch.tensor([-0.2, 0.0, 0.2]))

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return (self.layer(z) + self.start[label][:, None]).unflatten(1, (1, 16, 16))


class Lit(nn.Module):
    """Of three channels made of a style the first lights the left half, the last the right one."""

    z_dim, classes = 2, 0

    def __init__(self) -> None:
        super().__init__()
        self.channels = nn.Linear(2, 3)
        self.channels.weight.data = torch.tensor([[0.1, 0.0], [1.0, 1.0], [0.0, 0.02]])

    def styles(self, z: Tensor, label: Tensor) -> Tensor:
        return z[:, None]

    def synthesise(self, styles: Tensor) -> Tensor:
        return self.channels(styles[:, 0])[:, [0, 2]].repeat_interleave(8, 1)[:, None, None].expand(-1, 1, 16, -1)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return self.synthesise(self.styles(z, label))


class Direct(Lit):
    """One whose styles are what it shows."""

    def synthesise(self, styles: Tensor) -> Tensor:
        return styles[:, 0].repeat_interleave(8, 1)[:, None, None].expand(-1, 1, 16, -1)


def styled(classes: int, channels: int) -> Synthesis:
    sizes = {"resolution": 16, "channels": channels, "classes": classes, "channel_base": 64, "channel_max": 4}
    generator = StyleGenerator(**sizes, z_dim=4, w_dim=4, mapping_depth=2)
    generator.mapping.layers[0].bias.data.normal_(0, 10)
    generator.w_mean.normal_()
    for layer in generator.layers:
        layer.noise.strength.data.fill_(0.1)
    return module(generator, StyleDiscriminator(**sizes))


def module(generator: nn.Module, discriminator: nn.Module) -> Synthesis:
    adam = partial(torch.optim.Adam, lr=0.001)
    return Synthesis(generator, discriminator, NonSaturating(), adam, adam).eval()


RUNS: dict[str, Callable[[], Synthesis]] = {
    "styled": lambda: styled(3, 1),
    "bare": lambda: styled(0, 3),
    "plain": lambda: module(DCGenerator(16, 3, z_dim=4, width=4), DCDiscriminator(16, 3, width=4)),
    "flat": lambda: module(Flat(), DCDiscriminator(16, 1, width=4)),
    "lit": lambda: module(Lit(), DCDiscriminator(16, 1, width=4)),
    "direct": lambda: module(Direct(), DCDiscriminator(16, 1, width=4)),
    "clips": lambda: styled(0, 3),
}


@cache
def made(run: str) -> Synthesis:
    torch.manual_seed(1)
    return RUNS[run]()


def real(run: str) -> Reference:
    """Twelve training images in noise, the last of which is the first item that the run makes."""
    subject = Subject(run)
    stream = torch.Generator().manual_seed(0)
    made = subject.made(subject.latents(subject.z([0]), subject.labels([0])), subject.labels([0]), alone=True)
    items = torch.randint(0, 256, (12, *made.shape[1:]), generator=stream, dtype=torch.uint8)
    items[-1] = made[0]
    return Reference("toys-train", "0" * 32, items, torch.arange(12) % 3, ("a", "b", "c"))


def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has these take the place of runs on the disk."""

    def setting(run: str) -> SimpleNamespace:
        modality = VideoModality() if run == "clips" else ImageModality()
        form = Form(16, 3 if run in ("bare", "plain") else 1)
        return SimpleNamespace(data=SimpleNamespace(modality=modality, form_of=lambda field: form), fidelity={})

    monkeypatch.setattr("ganlit.studies.evaluation.trained.load", lambda run, checkpoint: made(run))
    monkeypatch.setattr("ganlit.studies.latent.subject.setting", setting)
    monkeypatch.setattr("ganlit.studies.explore.finding.setting", setting)
