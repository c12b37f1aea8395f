"""Clips as files: MP4 by PyAV, which nearly all players take, and GIF by Pillow, which all pages take."""

from __future__ import annotations

from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from ganlit.data.images.pixels import colours, in_8_bits
from ganlit.data.video.reading import library
from ganlit.records.durable import replacing
from ganlit.records.media import FILM, named

QUALITY = "8"  # of x264: 0 is without loss, 23 what it does by itself
SHORTEST = 20  # milliseconds of a GIF's frame: players show shorter ones slower


def write_mp4(clip: Tensor, path: Path, rate: float) -> Path:
    """A clip [C, T, H, W] uint8, grey or RGB, in H.264.

    Colours have half of the resolution, which players ask for; of odd sides, which then cannot be, they have all.

    Args:
        clip: in memory or mapped.
        path: without the suffix.
        rate: frames a second.

    Returns:
        The file.

    Raises:
        UserError: PyAV is missing.
    """
    av, file = library(), named(path, ".mp4")
    frames = _frames(clip)
    with replacing(file, flush=False) as partial, av.open(str(partial), "w", format="mp4") as content:
        stream = content.add_stream("libx264", rate=Fraction(rate).limit_denominator(1001))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv444p" if stream.height % 2 or stream.width % 2 else "yuv420p"
        stream.options = {"crf": QUALITY}
        for pixels in frames:
            content.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        content.mux(stream.encode())
    return file


def write_gif(clip: Tensor, path: Path, rate: float) -> Path:
    """The same for ever, in 256 colours a frame; frames that are alike become one that is shown longer."""
    file = named(path, FILM)
    first, *others = map(Image.fromarray, _frames(clip))
    lasts = max(SHORTEST, round(1000 / rate))
    with replacing(file, flush=False) as partial:
        first.save(partial, format="GIF", save_all=True, append_images=others, duration=lasts, loop=0)
    return file


def write_frames(frames: Tensor, path: Path, rate: float) -> list[Path]:
    """Stored images [T, C, H, W] of any channels as a GIF, and as an MP4 where PyAV is there, which writes it.

    Args:
        path: without the suffix.
        rate: frames a second.

    Returns:
        The files.
    """
    clip = in_8_bits(colours(frames)).transpose(0, 1)
    films = [write_gif(clip, path, rate)]
    return [*films, write_mp4(clip, path, rate)] if find_spec("av") is not None else films


def _frames(clip: Tensor) -> np.ndarray:
    """[T, H, W, 3]."""
    return np.ascontiguousarray(clip.cpu().expand(3, -1, -1, -1).permute(1, 2, 3, 0).numpy())
