"""What the networks of sound share: convolutions with weight norm that keep a length or change it by a factor."""

from __future__ import annotations

from copy import deepcopy

from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.parametrize import is_parametrized


def level(inputs: int, outputs: int, kernel: int, dilation: int = 1) -> nn.Conv1d:
    """As many places as there were, by an odd kernel."""
    beyond = dilation * (kernel - 1) // 2
    return weight_norm(nn.Conv1d(inputs, outputs, kernel, dilation=dilation, padding=beyond))


def down(inputs: int, outputs: int, stride: int) -> nn.Conv1d:
    """Places that the stride divides to so many fewer."""
    return weight_norm(nn.Conv1d(inputs, outputs, 2 * stride, stride, padding=(stride + 1) // 2))


def up(inputs: int, outputs: int, stride: int) -> nn.ConvTranspose1d:
    """To so many times more places."""
    beyond, lacking = (stride + 1) // 2, stride % 2
    return weight_norm(nn.ConvTranspose1d(inputs, outputs, 2 * stride, stride, beyond, lacking))


def normed(network: nn.Module) -> nn.Module:
    """The same network, its linear maps under weight norm."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Linear):
            weight_norm(layer)
    return network


def matrix(layer: nn.Module) -> nn.Parameter:
    """What is learned of a layer's weight beside its norm."""
    return layer.parametrizations.weight.original1 if is_parametrized(layer, "weight") else layer.weight


def folded(network: nn.Module) -> nn.Module:
    """A copy that gives the same and has its weights as they are, without norms: for use alone, not for training."""
    plain = deepcopy(network)
    for layer in list(plain.modules()):
        if is_parametrized(layer, "weight"):  # a copy shares its class, from which torch's own removal takes the weight
            weight = layer.weight.detach()
            layer.__class__ = type(layer).__base__
            del layer.parametrizations
            layer.weight = nn.Parameter(weight, requires_grad=False)
    return plain
