"""The generator of a run with its latents: where they lie, how items are made of them, and in which noise."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy, deepcopy
from functools import cached_property
from threading import RLock

import torch
from torch import Tensor, nn

from ganlit.configuration.rebuild import setting
from ganlit.contracts import Made, Modality, Space, spaces
from ganlit.errors import UserError
from ganlit.studies.evaluation.generate import turns
from ganlit.studies.evaluation.subject import reachable
from ganlit.studies.evaluation.trained import Checkpoint, finite, loaded, place
from ganlit.studies.latent.affine import Affine, affine_layers, channels_of, replaced
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.step import stateless_seed

TOGETHER = 64  # items that are made at a time
KNOWN = 10_000  # latents by which a space is measured, as in StyleGAN2's projection (arXiv 1912.04958, appendix D)


class Subject:
    """What the latent tools look into.

    A latent is [L, d]: one row for z, w and s, one for each layer in w+. Where layers add noise, it is that of a seed,
    and alike in whatever is made for comparison. Threads may ask at once.

    Args:
        run: the run directory, or the .safetensors file of its averaged generator.
        checkpoint: of a directory, the last, or the best.
        space: asked for; by default w where the generator has styles, else z.
        classes: the classes in turn, as they were typed.
        together: items that are made at a time.
        module: of the run, where it has been loaded already.

    Raises:
        UserError: it cannot be loaded, makes no images from noise, or knows no such space or class.
    """

    def __init__(
        self,
        run: str,
        checkpoint: Checkpoint = "last",
        space: Space | None = None,
        classes: str | None = None,
        together: int = TOGETHER,
        module: AdversarialModule | None = None,
    ) -> None:
        reachable(run)
        self.run = run
        self.module: AdversarialModule = (module or loaded(run, checkpoint)).to(place()).requires_grad_(False)
        who = type(self.module.generator).__name__
        self.kind: Modality = setting(run).data.modality
        if self.module.takes_data or not hasattr(self.module.generator, "z_dim"):
            raise UserError(f"{run} holds a {who}, which makes nothing from noise alone: name a run that does.")
        if self.kind.name != "images":
            raise UserError(f"{run} makes {self.kind.item}s, and the latent tools look at images: name a run of those.")
        self.generator: nn.Module = self.module.ema.module
        there = spaces(self.generator)
        if space is not None and space not in there:
            raise UserError(f"--space {space}: {who} in {run} has no styles, only z: write --space z, or leave it out.")
        self.space: Space = space or ("w" if "w" in there else "z")
        self.styled = "w" in there
        self.known: int = getattr(self.generator, "classes", 0)
        self.turn = turns(self.module, classes, run)
        self.together = together
        self._drawing = RLock()  # torch's stream of random numbers is one for all threads
        if self.space == "s":
            self.affine  # noqa: B018, which refuses what has none

    def copied(self) -> Subject:
        """The same with weights of its own, which may change."""
        other = copy(self)
        other.generator = deepcopy(self.generator)
        return other

    @property
    def device(self) -> torch.device:
        return self.module.device

    def need_styles(self, what: str) -> None:
        """Refuses what asks for styles.

        Args:
            what: does.

        Raises:
            UserError: the generator has none.
        """
        if not self.styled:
            who = type(self.generator).__name__
            raise UserError(f"{what} needs a generator with styles, and {who} in {self.run} takes z alone: leave it.")

    def labels(self, numbers: Sequence[int]) -> Tensor:
        """[N]: the classes of items by their numbers, in turn."""
        return torch.tensor([self.turn[number % len(self.turn)] for number in numbers], device=self.device)

    def z(self, numbers: Sequence[int], seed: int = 0) -> Tensor:
        """[N, z_dim]: those from which `generate` makes the items of these numbers."""
        found = []
        with self._drawing, torch.random.fork_rng(devices=[]):
            for number in numbers:
                torch.manual_seed(stateless_seed(seed, number))
                found.append(self.module.latents(torch.zeros(1, dtype=torch.int64, device=self.device)))
        return torch.cat(found)

    @torch.no_grad()
    def latents(self, z: Tensor, label: Tensor, space: Space | None = None, truncation: float = 1.0) -> Tensor:
        """Latents [B, L, d] of z [B, z_dim] and labels [B], in a space, by default in that of the subject."""
        if (space or self.space) == "z":
            return z[:, None]
        options = {} if truncation == 1 else {"truncation": truncation}
        styles = self.generator.styles(z, label, **options)
        if (space or self.space) == "s":
            return channels_of(self.generator, self.affine, styles)[:, None]
        return styles.clone() if (space or self.space) == "w+" else styles[:, :1].clone()

    def sample(self, count: int, seed: int = 0, space: Space | None = None) -> tuple[Tensor, Tensor]:
        """So many latents [N, L, d] by one seed, and their labels [N], the classes in turn."""
        label = self.labels(range(count))
        z = torch.randn(count, self.generator.z_dim, generator=torch.Generator().manual_seed(seed)).to(self.device)
        return self.latents(z, label, space), label

    def render(self, latents: Tensor, label: Tensor, noise: int = 0, space: Space | None = None) -> Tensor:
        """Items [B, C, H, W] of latents [B, L, d], with a gradient to them.

        Args:
            label: [B]; what has styles knows it from these.
            noise: seed of that in the layers, which is alike for batches of one size.
        """
        devices = [self.device] if self.device.type == "cuda" else []
        with self._drawing, torch.random.fork_rng(devices=devices):
            torch.manual_seed(noise)
            if (space or self.space) == "z":
                return Made.of(self.generator(latents[:, 0], label)).output.float()
            if (space or self.space) == "s":
                with replaced(self.generator, self.affine, latents[:, 0]):
                    return Made.of(
                        self.generator.synthesise(latents.new_zeros(len(latents), *self._styles))
                    ).output.float()
            return Made.of(self.generator.synthesise(latents.expand(-1, len(self.layers), -1))).output.float()

    @cached_property
    @torch.no_grad()
    def _styles(self) -> tuple[int, int]:
        """How many styles an item has, and numbers each of them."""
        one = torch.zeros(1, dtype=torch.int64, device=self.device)
        _, layers, size = self.generator.styles(self.z([0]), one).shape
        return layers, size

    @property
    def layers(self) -> range:
        """Of the styles."""
        return range(self._styles[0])

    @cached_property
    def affine(self) -> list[Affine]:
        """The layers whose channels make S.

        Raises:
            UserError: there is no such space.
        """
        with self._drawing, torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            return affine_layers(self.generator, self._styles, self.device, self.run)

    @torch.no_grad()
    def made(self, latents: Tensor, label: Tensor, noise: int = 0, alone: bool = False) -> Tensor:
        """Stored images [N, C, H, W] of any number of latents [N, L, d], on the CPU.

        Args:
            alone: each is made by itself, so that all have the same noise, as the frames of a film should.
        """
        together = 1 if alone else self.together
        parts = zip(latents.split(together), label.split(together), strict=True)
        return torch.cat(
            [self.kind.to_stored(finite(self.render(each, of, noise), self.run).cpu()) for each, of in parts]
        )


def spread(latents: Tensor, label: Tensor) -> float:
    """How far latents [N, L, d] are from the mean of their class: the root mean square over rows."""
    return float(deviations(latents, label).square().sum(-1).mean().sqrt())


def deviations(latents: Tensor, label: Tensor) -> Tensor:
    """The root mean squares [L, d] of what latents [N, L, d] differ in from the mean of their class."""
    squares = torch.zeros(latents.shape[1:], dtype=torch.float64)
    for each in label.unique():
        own = latents[label == each]
        squares += (own - own.mean(0)).square().sum(0).cpu()
    return (squares / len(latents)).sqrt()
