"""What of two players does not move while the rest of them learns."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from torch import Tensor, nn


class Frozen:
    """Parameters that get no gradient, and buffers that are put back.

    A part that holds nothing else is in evaluation mode: its answer depends on no batch and on no chance.

    Args:
        module: whose they are.
        names: theirs, as in its state.

    Raises:
        KeyError: it has no such thing.
    """

    def __init__(self, module: nn.Module, names: Collection[str] = ()) -> None:
        state = module.state_dict(keep_vars=True)
        self.names = frozenset(names)
        held = [state[name] for name in self.names]
        self.parameters = [each for each in held if isinstance(each, nn.Parameter)]
        self.buffers = [each for each in held if not isinstance(each, nn.Parameter)]
        self.known = {*held}
        parts = module.modules() if names else ()
        self.parts = [part for part in parts if self._fills(part)]

    def rest(self) -> None:
        """Nothing is differentiated by it, and no part of it is in training mode."""
        for parameter in self.parameters:
            parameter.requires_grad_(False)
        for part in self.parts:
            part.eval()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Whatever happens to the buffers while the block lasts is undone."""
        before = [buffer.clone() for buffer in self.buffers]
        yield
        for buffer, value in zip(self.buffers, before, strict=True):
            buffer.copy_(value)

    def holds(self, tensor: Tensor) -> bool:
        """Whether this parameter or buffer is one of them."""
        return tensor in self.known

    def holds_all(self, network: nn.Module) -> bool:
        """Whether nothing of a network learns."""
        return all(map(self.holds, network.parameters()))

    def _fills(self, part: nn.Module) -> bool:
        own = part.state_dict(keep_vars=True).values()
        return len(own) > 0 and all(map(self.holds, own))


def frozen_by_themselves(module: nn.Module) -> list[str]:
    """The names of parameters of both players that their networks do not want to learn."""
    players = ("generator.", "discriminator.")
    return [name for name, each in module.named_parameters() if name.startswith(players) and not each.requires_grad]
