"""Discriminators that judge several items at once: Lin et al., arXiv 1712.04086, section 2."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ganlit.errors import UserError, within


class Packed(nn.Module):
    """A discriminator that sees items in packs, all real or all generated, and says one thing of each pack.

    Where a generator has lost modes, packs of its items are less varied than packs of real ones, which one item alone
    does not show. Items that follow one another in a batch are a pack, joined along their channels: the network inside
    takes so many times as many channels, and else is what it was. Of B items there are B / m logits; a penalty on the
    gradient is by a whole pack. The paper has as many packs in a batch as others have items: its batch is m times
    theirs.

    Micro-batches hold whole packs, so that accumulation is the mathematics of one batch; ranks pack what each of them
    sees, which are other neighbours than one process would have.

    Args:
        network: the discriminator, without classes, of m times as many channels.
        items: m, in a pack; 1 changes nothing.

    Raises:
        UserError: the network knows classes, of which a pack has several.
    """

    classes = 0

    def __init__(self, network: nn.Module, items: int = 2) -> None:
        super().__init__()
        within("Packed.items", items, least=1, most=1024)
        if getattr(network, "classes", 0):
            raise UserError(
                f"Packed.network knows {network.classes} classes, and a pack has items of several: set its "
                "classes to 0."
            )
        self.network = network
        self.packed = items

    def forward(self, item: Tensor, label: Tensor) -> Any:
        """Items [B, C, ...] and labels [B] to what the network says of packs [B / m, m C, ...].

        Raises:
            UserError: B is no multiple of m.
        """
        if len(item) % self.packed:
            raise UserError(
                f"Packed.items is {self.packed}, which does not divide the {len(item)} items that each rank sees "
                "at once: set data.init_args.batch so that it does, shared by ranks and model.init_args.accumulate."
            )
        packs = item.reshape(len(item) // self.packed, self.packed * item.shape[1], *item.shape[2:])
        return self.network(packs, label[:: self.packed])
