from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

Make = Callable[..., Path]
Shoot = Callable[..., np.ndarray]

CODECS = {".mp4": "libx264rgb", ".webm": "libvpx-vp9", ".avi": "ffv1", ".gif": "gif"}
FORMATS = {"libx264rgb": "rgb24", "libvpx-vp9": "yuv420p", "ffv1": "bgr0", "gif": "gray"}


@pytest.fixture(scope="session")
def shoot() -> Shoot:
    """A clip [T, H, W, 3] of some size (width, height), whose frames are grey, each brighter than the one before."""

    def clip(frames: int = 8, size: tuple[int, int] = (16, 16), dark: int = 20, step: int = 8) -> np.ndarray:
        bright = dark + step * np.arange(frames)
        return np.broadcast_to(bright[:, None, None, None], (frames, size[1], size[0], 3)).astype(np.uint8)

    return clip


def write_film(path: Path, clip: np.ndarray, rate: float = 10, times: list[int] | None = None) -> None:
    """A film without loss, or nearly; its times are in milliseconds where they are given."""
    codec = CODECS[path.suffix]
    with av.open(str(path), "w") as content:
        stream = content.add_stream(codec, rate=Fraction(rate).limit_denominator(1001))
        stream.height, stream.width = clip.shape[1:3]
        stream.pix_fmt = FORMATS[codec]
        if codec == "libx264rgb":
            stream.options = {"qp": "0"}
        for number, pixels in enumerate(clip):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
                stream.codec_context.time_base = Fraction(1, 1000)
            content.mux(stream.encode(frame))
        content.mux(stream.encode())


def write_sound(path: Path) -> None:
    """A film in which there is nothing to see."""
    with av.open(str(path), "w") as content:
        stream = content.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        content.mux(stream.encode(frame))
        content.mux(stream.encode())


def write_frames(folder: Path, clip: np.ndarray, name: str = "{:03}.png") -> None:
    folder.mkdir(parents=True)
    for number, pixels in enumerate(clip):
        Image.fromarray(pixels).save(folder / name.format(number))


@pytest.fixture
def make_clips(tmp_path: Path, shoot: Shoot) -> Make:
    """Writes a folder of clips by name, each darker or brighter; without a suffix, as a folder of frames.

    Some may be given by their stem: as bytes, as a clip [T, H, W, 3], or as this with a rate or with times.
    """

    def write(names: list[str], name: str = "clips", frames: int = 8, **given: Any) -> Path:
        folder = tmp_path / name
        for number, file in enumerate(names):
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            content = given.get(path.stem, shoot(frames, dark=20 + 10 * number))
            if content is None:
                write_sound(path)
            elif isinstance(content, bytes):
                path.write_bytes(content)
            elif path.suffix == "":
                write_frames(path, content)
            elif isinstance(content, tuple):
                clip, how = content
                write_film(path, clip, **({"times": how} if isinstance(how, list) else {"rate": how}))
            else:
                write_film(path, content)
        return folder

    return write
