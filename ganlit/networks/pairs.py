"""Two networks that belong together, one for each direction: CycleGAN, Zhu et al., arXiv 1703.10593, section 3."""

from __future__ import annotations

from torch import Tensor, nn

from ganlit.contracts import Judgement, Made
from ganlit.errors import UserError


class ThereAndBack(nn.Module):
    """A player of two networks; whoever asks it for an answer gets that of the first.

    As the generator, `there` makes targets of sources and `back` sources of targets; as the discriminator, `there`
    judges targets and `back` sources.

    Args:
        there: the network of the direction that is sampled and measured.
        back: that of the other.

    Raises:
        UserError: they know other classes, or one does not take what the other makes.
    """

    def __init__(self, there: nn.Module, back: nn.Module) -> None:
        super().__init__()
        knows = [getattr(network, "classes", 0) for network in (there, back)]
        if knows[0] != knows[1]:
            raise UserError(f"ThereAndBack.there knows {knows[0]} classes, but back {knows[1]}: set both alike.")
        for one, other, names in ((there, back, ("there", "back")), (back, there, ("back", "there"))):
            makes, takes = getattr(one, "channels", None), getattr(other, "source_channels", None)
            if None not in (makes, takes) and makes != takes:
                raise UserError(
                    f"ThereAndBack.{names[0]} makes {makes} channels, but {names[1]} takes {takes}: set its "
                    f"source_channels to {makes}."
                )
            if (scale := getattr(one, "scale", 1)) != 1:
                raise UserError(
                    f"ThereAndBack.{names[0]} makes sides {scale} times as long, from which there is no way back: take "
                    "one of scale 1."
                )
        self.there = there
        self.back = back
        self.classes = knows[0]
        if hasattr(there, "multiple"):  # else it takes one size alone
            self.multiple = there.multiple

    def forward(self, item: Tensor, label: Tensor) -> Tensor | Made | Judgement:
        """The first network's answer to items [B, ...] and labels [B]."""
        return self.there(item, label)
