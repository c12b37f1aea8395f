"""A device that is nowhere: an accelerator made of the CPU, for machines without one.

Its tensors hold tensors of the CPU, and what is done to them is done to those, with the same random numbers. As on a
GPU, they do not meet tensors of the CPU, and who reads one waits for the device: every reading is counted.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from lightning.pytorch.accelerators import Accelerator
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

import ganlit

NAME = "meta"  # torch's own name for a device that is nowhere; there, tensors have no numbers
DEVICE = torch.device(NAME)
AUTOCAST, IS_CAST = torch.autocast, torch.is_autocast_enabled
HOUSE = str(Path(ganlit.__file__).parent)

aten = torch.ops.aten
COPIES = (aten._to_copy.default, aten.copy_.default, aten._foreach_copy_.default)
READINGS = (aten._local_scalar_dense.default, aten.equal.default)  # numbers for the host
SIZES = (aten.bincount.default, aten.nonzero.default, aten.masked_select.default, aten._unique2.default)  # and shapes

reads: Counter[str] = Counter()
"""How often the host has waited for the device, by the line of ganlit that asked, or by what else did."""


class Away(Tensor):
    """A tensor elsewhere."""

    @staticmethod
    def __new__(cls, inner: Tensor) -> Away:
        place = {"dtype": inner.dtype, "device": DEVICE, "strides": inner.stride()}
        return Tensor._make_wrapper_subclass(cls, inner.size(), storage_offset=inner.storage_offset(), **place)

    def __init__(self, inner: Tensor) -> None:
        self.inner = inner

    def __repr__(self) -> str:
        return f"{self.inner!r}, elsewhere"

    def __reduce_ex__(self, protocol: int) -> Any:
        """Files hold numbers, not devices: read back, it is on the CPU."""
        return self.inner.__reduce_ex__(protocol)

    def tolist(self) -> Any:
        reads[asker()] += 1
        return self.detach().inner.tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return done(func, args, kwargs or {})


class Operations(TorchDispatchMode):
    """Sees what makes tensors and what moves them."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return done(func, args, kwargs or {})


class Functions(TorchFunctionMode):
    """Sees the one function that makes tensors by itself; numbers of the host are waited for on their way."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.tensor and is_here(kwargs.get("device")) is False:
            del kwargs["device"]
            reads[asker()] += 1
            return Away(func(*args, **kwargs))
        return func(*args, **kwargs)


def is_here(place: Any) -> bool | None:
    """Whether a device is the CPU; None where none is named."""
    return None if place is None else torch.device(place).type != NAME


def done(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """What an operation gives, wherever its tensors are.

    Raises:
        RuntimeError: some are here and some elsewhere; numbers [] of the CPU may be anywhere.
    """
    tensors: list[Tensor] = []
    swapped((args, kwargs), tensors.append)
    away = [tensor for tensor in tensors if isinstance(tensor, Away)]
    asked = is_here(kwargs.get("device"))
    if not away and asked is not False:
        return func(*args, **kwargs)
    if func not in COPIES and any(tensor.dim() and not isinstance(tensor, Away) for tensor in tensors) and away:
        raise RuntimeError(f"{func} expects all tensors to be on the same device, but found cpu and {NAME}.")
    count(func, args, kwargs, away, asked)

    moved = kwargs | {"device": torch.device("cpu")} if asked is not None else kwargs
    given, options = swapped((args, moved), lambda tensor: tensor.inner if isinstance(tensor, Away) else tensor)
    found = func(*given, **options)
    stays = isinstance(args[0], Away) if func is aten.copy_.default else asked is not True
    if not stays:
        return found
    found = swapped(found, Away)
    return return_and_correct_aliasing(func, args, kwargs, found) if away and aliases(func) else found


def swapped(parts: Any, swap: Callable[[Tensor], Any]) -> Any:
    """The same lists, with something else in the place of each tensor; torch's own way takes its time."""
    if isinstance(parts, Tensor):
        return swap(parts)
    if isinstance(parts, list | tuple):
        return type(parts)([swapped(part, swap) for part in parts])
    return {name: swapped(part, swap) for name, part in parts.items()} if isinstance(parts, dict) else parts


@cache
def aliases(func: Any) -> bool:
    """Whether an operation gives or changes what it was given."""
    return any(argument.alias_info is not None for argument in func._schema.arguments)


def count(func: Any, args: Any, kwargs: dict[str, Any], away: list[Away], asked: bool | None) -> None:
    """Notes where the host would wait for the device."""
    leaves = func is aten._to_copy.default and bool(away) and asked is True
    comes = func is aten._to_copy.default and not away and not kwargs.get("non_blocking")
    copied = func is aten.copy_.default and len(away) == 1 and not any(args[2:])
    if func in (*READINGS, *SIZES) or leaves or comes or copied or masked(func, args):
        reads[asker()] += 1


def masked(func: Any, args: Any) -> bool:
    """Whether places are looked for by a mask, of which one must know how many they are; a number fills them unseen."""
    looked_for = func is aten.index.Tensor or (func is aten.index_put_.default and args[2].dim() > 0)
    return looked_for and any(index is not None and index.dtype == torch.bool for index in args[1])


def asker() -> str:
    """Who is waiting: a line of ganlit, or the file in which nobody of the house is to blame."""
    frames = traceback.extract_stack()
    for frame in reversed(frames):
        if frame.filename.startswith(HOUSE):
            return f"{Path(frame.filename).relative_to(HOUSE)}: {frame.line}"
    return next((Path(frame.filename).name for frame in reversed(frames) if "torch" not in frame.filename), "torch")


def autocast(kind: str, *args: Any, **kwargs: Any) -> Any:
    """torch's, which refuses this device: here nothing is cast."""
    return nullcontext() if kind == NAME else AUTOCAST(kind, *args, **kwargs)


def is_cast(kind: str) -> bool:
    """torch's, which does not know this device."""
    return kind != NAME and IS_CAST(kind)


@contextmanager
def there() -> Iterator[torch.device]:
    """The device, while the block lasts."""
    with patch("torch.autocast", autocast), patch("torch.is_autocast_enabled", is_cast), Functions(), Operations():
        yield DEVICE


class Nowhere(Accelerator):
    """As Lightning knows accelerators."""

    def setup_device(self, device: torch.device) -> None: ...

    def teardown(self) -> None: ...

    def get_device_stats(self, device: torch.device) -> dict[str, Any]:
        return {}

    @staticmethod
    def parse_devices(devices: Any) -> Any:
        return devices

    @staticmethod
    def get_parallel_devices(devices: Any) -> list[torch.device]:
        return [DEVICE]

    @staticmethod
    def auto_device_count() -> int:
        return 1

    @staticmethod
    def is_available() -> bool:
        return True

    @staticmethod
    def name() -> str:
        return NAME


def strategy() -> SingleDeviceStrategy:
    """Of a Trainer that trains there."""
    return SingleDeviceStrategy(DEVICE, accelerator=Nowhere())
