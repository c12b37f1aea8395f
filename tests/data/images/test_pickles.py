"""Pickles as numpy writes them, and as those write them who want something else than to be read."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import pickletools
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ganlit.data.images.pickles import NAMED, unpickled

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # odd escapes in words of Python 2

PROTOCOLS = st.integers(0, pickle.HIGHEST_PROTOCOL)
NUMBERS = arrays.integer_dtypes(endianness="?") | arrays.unsigned_integer_dtypes(endianness="?")
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
ROWS = {"data": np.arange(12, dtype=np.uint8).reshape(3, 4), "labels": [1, 0, 1], "names": ["cat", "dog"]}


@settings(max_examples=40)
@given(st.dictionaries(st.text(), st.recursive(PLAIN, lambda x: st.lists(x) | st.tuples(x, x))), PROTOCOLS)
def test_plain_values_are_as_pickle_reads_them(values: dict[str, Any], protocol: int) -> None:
    assert unpickled(pickle.dumps(values, protocol)) == values


@given(arrays.arrays(NUMBERS, arrays.array_shapes(max_dims=4)), st.booleans(), PROTOCOLS)
def test_arrays_are_as_pickle_reads_them(values: np.ndarray, columns: bool, protocol: int) -> None:
    values = np.asfortranarray(values) if columns else values
    found = unpickled(pickle.dumps({"data": values, "one": values.dtype.type(7)}, protocol))
    assert (found["data"].dtype, found["one"]) == (values.dtype, 7)
    np.testing.assert_array_equal(found["data"], values)


def test_what_python_2_wrote_is_read() -> None:
    """The words are bytes in that world, and come as text in Latin-1: those of CIFAR's own files."""
    kind = b"cnumpy\ndtype\n(S'u1'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntb"
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I1\nI3\nt" + kind
    found = unpickled(b"\x80\x02}U\x04data" + array + b"I00\nU\x03\x01\xff\x02tbsU\x06labels](K\x05K\x06es.")
    assert found["data"].tolist() == [[1, 255, 2]]
    assert found["labels"] == [5, 6]


class Calls:
    """A pickle of it calls a function."""

    def __init__(self, function: Any, *given: Any) -> None:
        self.call = function, given

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


@contextmanager
def little_memory() -> Iterator[None]:
    """A block that takes no more than some megabytes, whatever it is asked for."""
    tracemalloc.start()
    try:
        yield
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**25


@pytest.mark.parametrize(
    "harmful",
    [
        *(Calls(os.system, "touch harmed"), Calls(builtins.eval, "open('harmed', 'w')"), Calls(open, "harmed", "w")),
        *(Calls(np.fromfile, "harmed"), Calls(np.memmap, "harmed", "u1", "w+", 0, 9), Calls(np.load, "harmed")),
        *(Calls(np.zeros, 10**12), Calls(np.ndarray, 10**12), Calls(bytearray, 10**12), Calls(range, 10**12)),
        *(np.array([None]), np.array(["a"]), np.zeros(3), np.zeros(2, "V8"), np.zeros(2, [("a", "u1")]), {1, 2}, 1j),
        *(Path("harmed"), np.dtype("M8[s]"), slice(1), Exception("a")),
    ],
)
def test_nothing_is_called_that_is_not_needed(harmful: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(ValueError, match=r"\w"), little_memory():
            unpickled(pickle.dumps({"data": harmful}, protocol))
    assert not any(tmp_path.iterdir())


def shaped(shape: bytes, content: bytes = b"B\x03\x00\x00\x00abc", kind: bytes = b"X\x02\x00\x00\x00u1") -> bytes:
    """A pickle of an array of this shape: instructions that push it, its content and the name of its type."""
    begun = b"\x80\x04}X\x04\x00\x00\x00datacnumpy.core.multiarray\n_reconstruct\n)R(K\x01"
    return begun + shape + b"cnumpy\ndtype\n" + kind + b"\x85R\x89" + content + b"tbs."


MEGABYTE = (
    b"K\x01cnumpy.core.numeric\n_frombuffer\n(h\x00cnumpy\ndtype\n\x8c\x02u1\x85RJ\x00\x00\x10\x00\x85\x8c\x01CtRs"
)
"""Instructions that make an array of a megabyte of a text that is there once."""

TRILLION = b"\x8a\x06" + (10**12).to_bytes(6, "little")


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b".", b"N.", b"].", b"\x80\x04", b"}", b"0.", b"}}s.", b"(t.", b"h\x01.", b"K\x01\x85R.", b"}Nb."),
        *(b"}(K\x01u.", b"}(]K\x01u.", b"\x80\x04}q\xff", b"cos\nsystem\n.", b"\x80\x04\x8c\x02os\x8c\x06system\x93."),
        *(b"\x80\x04N\x93.", b"cnumpy\ndtype\n]\x85R.", b"cnumpy\ndtype\n)R.", b"cnumpy\ndtype\n}b."),
        *(b"\x82\x01.", b"PX\n.", b"L" + b"9" * 10_000 + b"L\n.", b"(" * 10_000 + b"."),
        b"\x80\x04}" + b"r" + struct.pack("<I", 2**32 - 1) + b"\x80",  # a memory of 2^32 places
        *(mark + struct.pack("<Q", 10**12) + b"abc." for mark in (b"\x8d", b"\x8e", b"\x96", b"\x95")),  # long values
        *(mark + struct.pack("<I", 2**31 - 1) + b"abc." for mark in (b"X", b"B", b"T", b"\x8b")),
        b"]" * 10_000 + b"a" * 9_999 + b".",  # a list in a list in a list
        b"\x80\x02cnumpy\nndarray\n" + TRILLION + b"\x85R.",
        shaped(b"K\x01\x85"),
        shaped(TRILLION + b"\x85"),
        shaped(b"J\xff\xff\xff\xff\x85"),
        shaped(b"N\x85"),
        shaped(b"]"),
        shaped(b"(" + b"K\x02" * 5_000 + b"t"),
        shaped(b"K\x03\x85", content=b"N"),
        shaped(b"K\x03\x85", content=b"X\x03\x00\x00\x00\xe2\x82\xac"),
        *(shaped(b"K\x00\x85", b"C\x00", b"\x8c\x02" + kind) for kind in (b"|O", b"V9", b"f4", b"u3", b"m8")),
        b"\x80\x02X\x00\x00\x10\x00" + b"a" * 2**20 + b"q\x000}" + 1000 * MEGABYTE + b".",
    ],
)
def test_a_crafted_pickle_is_refused_in_a_few_words_and_little_memory(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w") as raised, little_memory():
        unpickled(content)
    assert type(raised.value) is ValueError
    assert len(str(raised.value)) < 400


def test_a_pickle_of_too_many_instructions_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlit.data.images.pickles.MOST", 20)
    with pytest.raises(ValueError, match="it has more than 20 instructions"):
        unpickled(pickle.dumps({"labels": list(range(20))}))


SEEDS = [pickle.dumps(ROWS, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
OPCODES = b"".join(opcode.code.encode("latin1") for opcode in pickletools.opcodes)
NAMES = b"".join(f"c{module}\n{name}\n".encode() for module, names in NAMED.items() for name in names)


@settings(max_examples=150)
@given(st.sampled_from(SEEDS), st.data())
def test_a_pickle_that_is_hit_anywhere_is_read_or_refused(content: bytes, data: st.DataObject) -> None:
    spoilt = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(spoilt)))
        spoilt[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=6) | opcodes(max_size=3))
    read_or_refused(bytes(spoilt))


def opcodes(max_size: int) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(OPCODES), max_size=max_size).map(bytes)


@settings(max_examples=150)
@given(st.lists(opcodes(6) | st.binary(max_size=4) | st.sampled_from(NAMES.splitlines(keepends=True))).map(b"".join))
@example(b"")
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    read_or_refused(content)


def read_or_refused(content: bytes) -> None:
    with suppress(ValueError):
        found = unpickled(content)
        assert all(isinstance(key, str) for key in found)
        assert sum(value.nbytes for value in found.values() if isinstance(value, np.ndarray)) <= len(content)
        pickle.dump(found, io.BytesIO())
