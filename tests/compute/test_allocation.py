"""Memory that was freed is what the next large tensor gets."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

AGAIN = """
import ctypes, resource
from ganlit.compute.allocation import hold
libc = ctypes.CDLL("libc.so.6")
libc.malloc.restype = ctypes.c_void_p
size = 2**27
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = ctypes.c_void_p(libc.malloc(ctypes.c_size_t(size)))
    ctypes.memset(block, 1, size)
    libc.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults(), faults())
assert hold()
print(faults(), faults())
"""


def takes() -> bool:
    """Whether the C library is GNU's of at least 2.35."""
    name, version = platform.libc_ver()
    return name == "glibc" and tuple(map(int, version.split(".")[:2])) >= (2, 35)


@pytest.mark.skipif(not takes(), reason="the GNU C library takes thresholds above 32 MiB since 2.35")
def test_pages_are_asked_for_once() -> None:
    told = subprocess.run([sys.executable, "-c", AGAIN], capture_output=True, text=True, check=True)
    (first, again), (held, last) = ([int(each) for each in line.split()] for line in told.stdout.splitlines())
    assert min(first, again, held) > 50 > last  # even pages of 2 MiB are 64
