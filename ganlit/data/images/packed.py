"""PNG files of 8 or 16 bits a channel, a band of rows at a time; Pillow packs 16 in grey alone, and all at once.

The format is that of the PNG specification, third edition, https://www.w3.org/TR/png-3.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

BAND = 2**22  # bytes that are packed at a time
COLOUR = {1: 0, 2: 4, 3: 2, 4: 6}
"""By channels, the format's number for grey and RGB, the latter of each pair with alpha."""


def png(
    pixels: np.ndarray, alpha: np.ndarray | None = None, profile: bytes = b"", exif: bytes = b""
) -> Iterator[bytes]:
    """The content of a file, piece after piece.

    Args:
        pixels: [C, H, W] uint8 or uint16, in memory or mapped: grey or RGB, and alpha behind them, or none.
        alpha: [H, W] of the same type, where there is some apart from them.
        profile: of the colours, by the ICC.
        exif: from the order of its bytes on.
    """
    channels, height, width = pixels.shape
    channels += alpha is not None
    depth, step = 8 * pixels.itemsize, channels * pixels.itemsize
    yield b"\x89PNG\r\n\x1a\n"
    yield _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, COLOUR[channels], 0, 0, 0))
    if profile:
        yield _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))
    if exif:
        yield _chunk(b"eXIf", exif)
    packer, above = zlib.compressobj(), np.zeros((1, width * step), np.uint8)
    rows = max(1, BAND // (width * step))
    for top in range(0, height, rows):
        band = pixels[:, top : top + rows]
        if alpha is not None:
            band = np.concatenate([band, alpha[None, top : top + rows]])
        band = np.ascontiguousarray(band.transpose(1, 2, 0), band.dtype.newbyteorder(">"))
        band = band.view(np.uint8).reshape(-1, width * step)
        yield _chunk(b"IDAT", packer.compress(_filtered(band, above, step)))
        above = band[-1:]
    yield _chunk(b"IDAT", packer.flush())
    yield _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _filtered(rows: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    """Rows [n, bytes] as differences from what is beside or above, each of the kind that is least: section 12.7."""
    up = np.concatenate([above, rows[:-1]])
    left, corner = (np.pad(each, ((0, 0), (step, 0)))[:, : -step or None] for each in (rows, up))
    kinds = {0: rows, 1: rows - left, 2: rows - up, 4: rows - _paeth(left, up, corner)}
    sizes = [np.abs(kind.view(np.int8).astype(np.int16)).sum(1) for kind in kinds.values()]
    least = np.argmin(sizes, axis=0)
    chosen = np.stack([*kinds.values()])[least, np.arange(len(rows))]
    return np.concatenate([np.array([*kinds], np.uint8)[least, None], chosen], axis=1)


def _paeth(left: np.ndarray, up: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Which of the three neighbours is nearest to left + up - corner: section 9.4."""
    a, b, c = (each.astype(np.int16) for each in (left, up, corner))
    from_a, from_b, from_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    return np.where((from_a <= from_b) & (from_a <= from_c), left, np.where(from_b <= from_c, up, corner))
