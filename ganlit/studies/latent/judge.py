"""The discriminator of a run: what it says of an image, and the features that it says it by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganlit.contracts import Judgement, Reference
from ganlit.errors import UserError
from ganlit.studies.latent.hooks import meanwhile
from ganlit.studies.latent.subject import TOGETHER, Subject

GROUP = 4  # images that are seen together, as StyleGAN2's minibatch standard deviation compares them


class Judge:
    """A discriminator that is asked about single images.

    Some let what they say of an image depend on those beside it, as by minibatch standard deviation or in packs; to
    these, an image alone is a batch that has collapsed. For its verdict an image then stands beside real ones, the same
    for all of its class, so that nothing but itself makes a difference.

    Args:
        subject: whose discriminator it is.
        real: what it was trained on.

    Raises:
        UserError: it was not kept with the run, or judges more than items and their classes.
    """

    def __init__(self, subject: Subject, real: Reference) -> None:
        if Path(subject.run).is_file():
            raise UserError(
                f"{subject.run} holds the averaged generator alone, and this asks the discriminator: name the run "
                "directory, if that is here."
            )
        self.module, self.kind, self.run = subject.module, subject.kind, subject.run
        self.network: nn.Module = self.module.discriminator
        self.who = type(self.network).__name__
        self.real = real
        self.conditional = getattr(self.network, "classes", 0) > 0
        self.packed: int = getattr(self.network, "packed", 1)
        self.mates = self.packed * -(-GROUP // self.packed) - 1
        self._known: dict[int, Tensor] = {}  # real images by class
        if self.module.opinion(*self._among(self._example, 0)) is None:
            raise UserError(f"{self.who} in {self.run} judges more than single images: name a run from noise.")

    @cached_property
    def _example(self) -> Tensor:
        return self.kind.to_network(self.real.items[:1]).to(self.module.device)[0]

    def labels(self, label: Tensor) -> Tensor:
        """Classes [B] as the discriminator takes them."""
        return (label if self.conditional else torch.zeros_like(label)).to(self.module.device)

    def beside(self, label: int) -> Tensor:
        """The real images [mates, C, H, W] that those of a class are seen beside; all are told by a fixed draw."""
        if label not in self._known:
            places = torch.arange(len(self.real.items))
            if self.conditional and bool((self.real.labels == label).any()):
                places = places[self.real.labels == label]
            order = torch.randperm(len(places), generator=torch.Generator().manual_seed(0))[: self.mates]
            chosen = places[order][torch.arange(self.mates) % len(order)].sort().values
            self._known[label] = self.kind.to_network(self.real.items[chosen]).to(self.module.device)
        return self._known[label]

    def _among(self, image: Tensor, label: int) -> tuple[Tensor, Tensor]:
        images = torch.cat([image[None], self.beside(label)])
        return images, torch.full((len(images),), label, device=images.device)

    @cached_property
    @torch.no_grad()
    def sociable(self) -> bool:
        """Whether what it says of an image depends on those beside it."""
        label = int(self.labels(self.real.labels[:1])[0])
        images, labels = self._among(self._example, label)
        alone = images[:1].expand(len(images), -1, -1, -1)
        return not torch.allclose(
            self.module.opinion(images, labels)[0], self.module.opinion(alone, labels)[0], rtol=1e-4, atol=1e-5
        )

    def verdict(self, images: Tensor, label: Tensor) -> Tensor:
        """Logits [B], above 0 for real, of images [B, C, H, W] of [-1, 1] and labels [B], with a gradient to them."""
        label = self.labels(label)
        if not self.sociable:
            return self.module.opinion(images, label)
        pairs = zip(images, label.tolist(), strict=True)
        return torch.stack([self.module.opinion(*self._among(image, of))[0] for image, of in pairs])

    @torch.no_grad()
    def features(self, stored: Tensor, label: Tensor, advance: Callable[[int], None] = lambda count: None) -> Tensor:
        """What it has found in stored images [N, C, H, W] before it gives its logits, [N, d] on the CPU.

        Each image is seen by itself, in a pack with itself: others of its class would tell its class.
        """
        found, together = [], 1 if self.sociable else TOGETHER
        for each, of in zip(stored.split(together), self.labels(label).split(together), strict=True):
            images, copies = self.kind.to_network(each.to(self.module.device)), self.packed if self.sociable else 1
            found.append(self._inside(images.repeat(copies, 1, 1, 1), of.repeat(copies))[: len(each)].cpu())
            advance(len(each))
        return torch.cat(found)

    def _inside(self, images: Tensor, label: Tensor) -> Tensor:
        with taken_in(self.network) as layers:
            judgement = Judgement.of(self.network(images, label))
        if judgement.features:  # of patches the mean, for what is seen at a place is that of no other
            return torch.cat([each[-1].float().flatten(2).mean(2) for each in judgement.features], 1)
        size = sum(each.numel() for each in judgement.logits)
        last = next((given for given, numbers in reversed(layers) if numbers == size), None)
        if last is None:
            raise UserError(
                f"{self.who} in {self.run} hands out no features, and no layer of it gives its logits: name an "
                "--extractor."
            )
        return last.float().flatten(1)


@contextmanager
def taken_in(network: nn.Module) -> Iterator[list[tuple[Tensor, int]]]:
    """Notes what each layer with weights is given, and how many numbers it gives."""
    found: list[tuple[Tensor, int]] = []

    def note(layer: nn.Module, given: tuple[Any, ...], output: Any) -> None:
        if given and isinstance(given[0], Tensor) and given[0].is_floating_point() and isinstance(output, Tensor):
            found.append((given[0], output.numel()))

    layers = [each for each in network.modules() if isinstance(getattr(each, "weight", None), Tensor)]
    with meanwhile(each.register_forward_hook(note) for each in layers):
        yield found
