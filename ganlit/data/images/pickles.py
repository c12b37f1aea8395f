"""Pickles of arrays and plain values, as CIFAR has them, read by a machine that can do nothing else.

Python's own calls what a pickle names, and hands out as much memory as it asks for. This one calls nothing, and what it
builds is no larger than a multiple of the file.
"""

from __future__ import annotations

import math
import pickletools
from reprlib import repr  # in a few words, however large or nested
from typing import Any

import numpy as np

MOST = 5_000_000  # instructions; CIFAR-100 has 200,000
NUMBERS = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)}
NAMED = {"numpy": {"_reconstruct", "ndarray", "dtype", "_frombuffer", "scalar"}, "_codecs": {"encode"}}

VALUES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
FIXED = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
SHORT = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}

Content = bytes | bytearray | str
"""Bytes; as a text, those of its characters in Latin-1, as Python 2 wrote them."""


class Name(str):
    """What a pickle asks for by name, of which it stands for no more than that."""


class Kind:
    """A type of whole numbers."""

    def __init__(self, code: Any, *details: Any) -> None:
        if code not in NUMBERS:
            raise ValueError(f"it holds {repr(code)} where whole numbers are meant")
        self.type = np.dtype(code)

    def build(self, state: tuple[Any, ...]) -> None:
        if state[1] not in ("<", ">", "|", "="):
            raise ValueError(f"it has the byte order {repr(state[1])}")
        self.type = self.type.newbyteorder(state[1])


class Array:
    """Numbers, of which there are none before it is built."""

    values = np.empty(0, np.uint8)


class Machine:
    """Runs the instructions of one pickle.

    Args:
        size: of the file in bytes: arrays have no more together.
    """

    def __init__(self, size: int) -> None:
        self.left = size
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # what waits under a mark
        self.memo: dict[int, Any] = {}

    def step(self, name: str, value: Any) -> None:
        """One instruction.

        Raises:
            ValueError, TypeError, LookupError: it is none of those that plain values are made of, or lacks some.
        """
        stack = self.stack
        if name in VALUES:
            stack.append(value)
        elif name in FIXED:
            stack.append(FIXED[name])
        elif name in SHORT:
            stack[-SHORT[name] :] = [tuple(stack[-SHORT[name] :])]
        elif name.endswith("PUT") or name == "MEMOIZE":
            self.memo[len(self.memo) if value is None else int(value)] = stack[-1]
        elif name.endswith("GET"):
            stack.append(self.memo[int(value)])
        else:
            self._build(name, value)

    def _build(self, name: str, value: Any) -> None:
        match name:
            case "PROTO" | "FRAME" | "STOP":
                pass
            case "EMPTY_DICT":
                self.stack.append({})
            case "EMPTY_LIST":
                self.stack.append([])
            case "MARK":
                self.below.append(self.stack)
                self.stack = []
            case "TUPLE" | "LIST" | "DICT":
                inner = self._marked()
                kind = {"TUPLE": tuple, "LIST": list, "DICT": self._pairs}[name]
                self.stack.append(kind(inner))
            case "APPEND" | "APPENDS":
                inner = [self.stack.pop()] if name == "APPEND" else self._marked()
                self._last(list).extend(inner)
            case "SETITEM" | "SETITEMS":
                inner = [self.stack.pop(-2), self.stack.pop()] if name == "SETITEM" else self._marked()
                self._last(dict).update(self._pairs(inner))
            case "GLOBAL":
                self._ask(*value.split(" ", 1))
            case "STACK_GLOBAL":
                function = self.stack.pop()
                self._ask(self.stack.pop(), function)
            case "REDUCE":
                given = self.stack.pop()
                self.stack[-1] = self._answer(self.stack[-1], *given)
            case "BUILD":
                state = self.stack.pop()
                if isinstance(self.stack[-1], Kind):
                    self.stack[-1].build(state)
                else:
                    _, shape, kind, columns, content = state
                    self._fill(self._last(Array), content, kind, shape, "F" if columns else "C")
            case _:
                raise ValueError(f"it has the instruction {name}")

    def _marked(self) -> list[Any]:
        inner, self.stack = self.stack, self.below.pop()
        return inner

    def _last(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise ValueError(f"it adds to {repr(self.stack[-1])}")
        return self.stack[-1]

    def _pairs(self, inner: list[Any]) -> dict[str | bytes | int, Any]:
        if not all(isinstance(key, str | bytes | int) for key in inner[::2]):
            raise ValueError("it has a key that is no word")
        return dict(zip(inner[::2], inner[1::2], strict=True))

    def _ask(self, module: Any, name: Any) -> None:
        if not (isinstance(module, str) and name in NAMED.get(module.partition(".")[0], ())):
            raise ValueError(f"it asks for {str(module)[:80]}.{str(name)[:80]}")
        self.stack.append(Name(name))

    def _answer(self, name: Any, *given: Any) -> Any:
        """What a call would give."""
        match name if isinstance(name, Name) else None:
            case "_reconstruct":
                return Array()
            case "dtype":
                return Kind(*given)
            case "encode" if given[1] == "latin1" and isinstance(given[0], str):
                return given[0]
            case "_frombuffer":
                return self._fill(Array(), *given)
            case "scalar":
                return int(self._fill(Array(), given[1], given[0], (), "C").values)
        raise ValueError(f"it calls {repr(name)}")

    def _fill(self, array: Array, content: Content, kind: Kind, shape: tuple[int, ...], order: str) -> Array:
        plain = isinstance(kind, Kind) and isinstance(content, Content) and isinstance(shape, tuple)
        if not (plain and len(shape) <= 4 and all(isinstance(side, int) and side >= 0 for side in shape)):
            raise ValueError("it has an array without a shape, or of something else than numbers")
        self.left -= len(content)
        if self.left < 0 or math.prod(shape) * kind.type.itemsize != len(content):
            raise ValueError(f"it has an array of the shape {repr(shape)} and {len(content)} bytes")
        content = content.encode("latin1") if isinstance(content, str) else content
        array.values = np.frombuffer(content, kind.type).reshape(shape, order=order)
        return array


def unpickled(content: bytes) -> dict[str, Any]:
    """The arrays, lists and words of a dictionary by name.

    Raises:
        ValueError: the pickle is damaged, or holds anything else.
    """
    machine = Machine(len(content))
    try:
        for count, (instruction, value, _) in enumerate(pickletools.genops(content)):
            if count == MOST:
                raise ValueError(f"it has more than {MOST:,} instructions")
            machine.step(instruction.name, value)
        (found,) = machine.stack
        pairs = [(key.decode() if isinstance(key, bytes) else str(key), value) for key, value in found.items()]
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError) as error:
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from None
    return {key: value.values if isinstance(value, Array) else value for key, value in pairs}
