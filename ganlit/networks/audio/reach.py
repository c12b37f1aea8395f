"""How far networks of sound look: what tiles have to share so that they are what the whole is."""

from __future__ import annotations

from typing import NamedTuple

from torch import nn

from ganlit.networks.audio.activations import Quiet


class Reach(NamedTuple):
    """Places beside its own that a place of an answer depends on, at most."""

    before: int = 0
    after: int = 0

    def through(self, *layers: nn.Module) -> Reach:
        """The same in front of layers that follow one another, with all that is in them, for answers behind them."""
        found = self
        for layer in reversed([part for each in layers for part in each.modules()]):
            if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
                found = found._through(layer)
            elif isinstance(layer, Quiet):
                found = Reach(found.before + layer.reach, found.after + layer.reach)
        return found

    def _through(self, layer: nn.Conv1d | nn.ConvTranspose1d) -> Reach:
        (kernel,), (stride,), (beyond,), (dilation,) = layer.kernel_size, layer.stride, layer.padding, layer.dilation
        span = dilation * (kernel - 1)
        if isinstance(layer, nn.ConvTranspose1d):
            return Reach((self.before + span - beyond) // stride, (self.after + beyond + stride - 1) // stride)
        return Reach(self.before * stride + beyond, self.after * stride + span - beyond)

    def joined(self, other: Reach) -> Reach:
        """Of layers side by side."""
        return Reach(max(self.before, other.before), max(self.after, other.after))
