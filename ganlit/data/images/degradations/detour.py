"""Sizes on the way: Wang et al., arXiv 2107.10833, section 3.1."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import torch
from torch import Tensor

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation, Range, between, extent, shrunk
from ganlit.data.images.degradations.composed import Chain
from ganlit.data.images.degradations.resampling import Method, resized
from ganlit.errors import UserError, within


class Detour(Degradation):
    """Steps among which every image takes sizes of its own, one image after the other, and in the end that of all.

    What they tell is numbered from 1, as in a `Chain`.

    Args:
        scale: by how much sides have shrunk in the end; it must divide them.
        steps: some of them `Resize`, the last of which brings images to their final size.

    Raises:
        UserError: the scale is out of its range, there is no step or, when called, the steps end at another size.
    """

    def __init__(self, scale: int, steps: list[Degradation]) -> None:
        within("Detour.scale", scale, least=1, most=256)
        if not steps:
            raise UserError("Detour.steps is empty: name a Resize.")
        self.scale = scale
        self.chain = Chain(steps)

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        wanted = shrunk(images, self.scale, "Detour")
        chain, draws = self.chain.on_the_way(*images.shape[2:]), draws.part()
        rows = torch.arange(len(images), device=images.device).split(1)
        outputs = [chain(images[row], draws.of(row)) for row in rows]
        for output in outputs:
            if (found := output.shape[2:]) != wanted:
                raise UserError(
                    f"Detour.steps end at {found[0]} x {found[1]}, not {wanted[0]} x {wanted[1]} (height x width): let "
                    f"the last Resize have the share 1 / {self.scale}."
                )
        return torch.cat(outputs)


class Resize(Degradation):
    """Another size, for each image its own: a step of a `Detour`.

    Args:
        share: of the sides that an image had at the beginning of the detour.
        methods: see `Downsample`; one is picked for each image. Those of Real-ESRGAN, if they are not given.

    Raises:
        UserError: an argument is out of its range or, when called, this is no step of a detour.
    """

    def __init__(
        self, share: Range, methods: Sequence[Method] = ("area", "aliased-bilinear", "aliased-bicubic")
    ) -> None:
        self.share = extent("Resize.share", share, above=0, most=16)
        if not methods:
            raise UserError("Resize.methods is empty: name one, such as area.")
        self.methods = methods
        self.sides: tuple[int, int] | None = None  # at the beginning of the detour

    def on_the_way(self, height: int, width: int) -> Resize:
        step = copy(self)
        step.sides = (height, width)
        return step

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        if self.sides is None:
            raise UserError("Resize gives each image a size of its own: put it among the steps of a Detour.")
        share, method = between(draws, self.share), draws.integers(len(self.methods))
        draws.tell("resize/share", share)
        height, width = (max(1, round(side * share.item())) for side in self.sides)
        return resized(images, height, width, self.methods[method.item()])
