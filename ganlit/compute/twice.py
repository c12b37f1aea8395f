"""Convolutions that are cheap to differentiate twice, as penalties on a gradient do.

The gradient of a gradient, as torch derives it, takes a weight's part of it for a convolution with kernels as large as
the items: several times slower than the one that a first gradient takes. Here both are the same one.

Of input x, weight w and output y, a convolution is the form <conv(x, w), y>, linear in each of the three. Its
derivative by one of them is a function of the other two, and the derivatives of these functions are such functions
again: `output`, `by_input` and `by_weight` are closed under differentiation, of whatever order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.overrides import TorchFunctionMode

Sizes = int | Sequence[int]

CONVOLUTIONS = {torch.conv1d: 1, torch.conv2d: 2, torch.conv3d: 3}
TRANSPOSED = {torch.conv_transpose1d: 1, torch.conv_transpose2d: 2, torch.conv_transpose3d: 3}


class Twice(TorchFunctionMode):
    """A block in which the convolutions of any network are so; a plain pass, differentiated once, gains nothing."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in CONVOLUTIONS:
            return convolution(func, CONVOLUTIONS[func], *args, **kwargs)
        if func in TRANSPOSED:
            return transposed(func, TRANSPOSED[func], *args, **kwargs)
        return func(*args, **kwargs)


def convolution(
    plain: Callable[..., Tensor],
    sides: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """As torch has it; what is padded by a word, or has no batch, is left to torch."""
    if isinstance(padding, str) or input.dim() != sides + 2:
        return plain(input, weight, bias, stride, padding, dilation, groups)
    sizes = (each_side(size, sides) for size in (stride, padding, dilation))
    return output(Geometry(*sizes, False, [0] * sides, groups), *cast(input, weight, bias))


def transposed(
    plain: Callable[..., Tensor],
    sides: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """The same for a transposed one."""
    if input.dim() != sides + 2:
        return plain(input, weight, bias, stride, padding, output_padding, groups, dilation)
    sizes = (each_side(size, sides) for size in (stride, padding, dilation))
    return output(Geometry(*sizes, True, each_side(output_padding, sides), groups), *cast(input, weight, bias))


def each_side(size: Sizes, sides: int) -> list[int]:
    """A size along each side of an item, given once or for each."""
    given = [size] if isinstance(size, int) else list(size)
    return given * sides if len(given) == 1 else given


def cast(*tensors: Tensor | None) -> list[Tensor | None]:
    """What autocast does to the arguments of a convolution."""
    device = tensors[0].device.type
    if not torch.is_autocast_enabled(device):
        return list(tensors)
    kind = torch.get_autocast_dtype(device)
    return [each if each is None or each.dtype == torch.float64 else each.to(kind) for each in tensors]


class Geometry(NamedTuple):
    """How the three tensors of a convolution meet."""

    stride: Sequence[int]
    padding: Sequence[int]
    dilation: Sequence[int]
    transposed: bool
    output_padding: Sequence[int]
    groups: int


def output(geometry: Geometry, x: Tensor, w: Tensor, bias: Tensor | None = None) -> Tensor:
    """The derivative of the form by y, the convolution: of x [B, I, ...], w and a bias [O] the y [B, O, ...]."""
    with torch.no_grad():
        y = torch.ops.aten.convolution(x, w, bias, *geometry)
    if not torch.is_grad_enabled():
        return y
    parts = ByParameters.apply(geometry, (x,), w, bias, y.shape)
    return Output.apply(geometry, (y,), x, w, parts)


class Output(Function):
    """What the input gets of a gradient; weight and bias get theirs by `parts`, a node off the way to the input.

    Thus a gradient by items computes none for weights: a node of Python is not told which of both is asked for.
    """

    @staticmethod
    def forward(ctx: Any, geometry: Geometry, y: tuple[Tensor], x: Tensor, w: Tensor, parts: Tensor) -> Tensor:
        ctx.geometry = geometry
        ctx.save_for_backward(x, w)
        return y[0]

    @staticmethod
    def backward(ctx: Any, y: Tensor) -> tuple[None, None, Tensor | None, None, Tensor]:
        x, w = ctx.saved_tensors
        return None, None, ByInput.apply(ctx.geometry, y, w, x.detach()) if ctx.needs_input_grad[2] else None, None, y


class ByParameters(Function):
    """What the weight and the bias get of it."""

    @staticmethod
    def forward(
        ctx: Any, geometry: Geometry, x: tuple[Tensor], w: Tensor, bias: Tensor | None, shape: torch.Size
    ) -> Tensor:
        ctx.geometry = geometry
        (ctx.x,) = x  # beside what is saved, for there shall be no edge to it; that is for who changes x in place
        ctx.save_for_backward(x[0].detach(), w)
        return w.new_zeros(()).expand(shape)

    @staticmethod
    def backward(ctx: Any, y: Tensor) -> tuple[None, None, Tensor | None, Tensor | None, None]:
        _, w = ctx.saved_tensors
        of_weight = ByWeight.apply(ctx.geometry, ctx.x, y, w.detach()) if ctx.needs_input_grad[2] else None
        of_bias = y.sum([0, *range(2, y.dim())]) if ctx.needs_input_grad[3] else None
        return None, None, of_weight, of_bias, None


class ByInput(Function):
    """The derivative of the form by x, shaped as `like`."""

    @staticmethod
    def forward(ctx: Any, geometry: Geometry, y: Tensor, w: Tensor, like: Tensor) -> Tensor:
        ctx.geometry = geometry
        ctx.save_for_backward(y, w)
        return torch.ops.aten.convolution_backward(y, like, w, None, *geometry, [True, False, False])[0]

    @staticmethod
    def backward(ctx: Any, x: Tensor) -> tuple[None, Tensor | None, Tensor | None, None]:
        y, w = ctx.saved_tensors
        of_output = output(ctx.geometry, x, w) if ctx.needs_input_grad[1] else None
        of_weight = ByWeight.apply(ctx.geometry, x, y, w.detach()) if ctx.needs_input_grad[2] else None
        return None, of_output, of_weight, None


class ByWeight(Function):
    """The derivative of the form by w, shaped as `like`."""

    @staticmethod
    def forward(ctx: Any, geometry: Geometry, x: Tensor, y: Tensor, like: Tensor) -> Tensor:
        ctx.geometry = geometry
        ctx.save_for_backward(x, y)
        return torch.ops.aten.convolution_backward(y, x, like, None, *geometry, [False, True, False])[1]

    @staticmethod
    def backward(ctx: Any, w: Tensor) -> tuple[None, Tensor | None, Tensor | None, None]:
        x, y = ctx.saved_tensors
        of_input = ByInput.apply(ctx.geometry, y, w, x.detach()) if ctx.needs_input_grad[1] else None
        of_output = output(ctx.geometry, x, w) if ctx.needs_input_grad[2] else None
        return None, of_input, of_output, None
