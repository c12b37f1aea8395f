"""What a process has had of the machine's memory once, it keeps for its next tensors."""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""As malloc.h of the GNU C library numbers them."""

LARGE = 2**30
"""Bytes: a tensor below that is taken from what was freed before."""


def hold() -> bool:
    """Lets tensors in the machine's memory take the place of those that were freed, instead of new pages each time.

    By default the GNU C library gives a block of over 32 MiB back to the system when it is freed, and the next one is
    zeroed page by page: a step of likelihood over 5,000 symbols takes half its time for that. Steps over images take as
    long as without, and as much memory at most; those over many symbols a third more.

    The GNU C library before about 2.35 refuses such a threshold above 32 MiB, HEAP_MAX_SIZE / 2 in its malloc.c: there
    all stays as it is.

    Returns:
        Whether this process's C library has taken both settings.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library, such as musl
        return False
    return all(mallopt(what, LARGE) == 1 for what in (MMAP_THRESHOLD, TRIM_THRESHOLD))
