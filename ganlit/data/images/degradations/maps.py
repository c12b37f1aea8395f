"""Known maps, to tell whether one is found from two sides that nobody has paired."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation, constant
from ganlit.errors import UserError, within


class Invert(Degradation):
    """Black to white and white to black."""

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        return -images


class Turn(Degradation):
    """A rotation by quarters of a circle.

    Args:
        quarters: how many, counterclockwise: 1, 2 or 3.

    Raises:
        UserError: there are more, or none.
    """

    def __init__(self, quarters: int = 1) -> None:
        within("Turn.quarters", quarters, least=1, most=3)
        self.quarters = quarters

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        return images.rot90(self.quarters, dims=(2, 3))


class Tint(Degradation):
    """Light of a colour: black stays black, and white becomes the colour.

    Args:
        colour: from 0 to 1 for each channel, such as red, green and blue; grey images get as many channels.

    Raises:
        UserError: a number is out of its range.
    """

    def __init__(self, colour: Sequence[float] = (1.0, 0.6, 0.2)) -> None:
        for part in colour:
            within("Tint.colour", part, least=0, most=1)
        within("The number of channels in Tint.colour", len(colour), least=1, most=64)
        self.colour = tuple(colour)

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        if images.shape[1] not in (1, len(self.colour)):
            raise UserError(
                f"Tint.colour has {len(self.colour)} numbers, and images {images.shape[1]} channels: set one for each."
            )
        return (images + 1) * constant(self.colour, images.device).view(1, -1, 1, 1) - 1
