from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

Make = Callable[..., Path]
Tone = Callable[..., np.ndarray]


@pytest.fixture(scope="session")
def tone() -> Tone:
    """A sine wave [T, C] of some seconds over a little noise, of this peak at most."""

    def wave(seconds: float = 0.1, rate: int = 8000, pitch: float = 440.0, peak: float = 0.5, channels: int = 1) -> Any:
        time = np.arange(round(seconds * rate)) / rate
        noise = np.random.default_rng(round(pitch)).uniform(-0.01, 0.01, len(time))
        samples = peak * (0.99 * np.sin(2 * np.pi * pitch * time) + noise)
        return np.repeat(samples[:, None], channels, axis=1).astype(np.float32)

    return wave


@pytest.fixture
def make_sounds(tmp_path: Path, tone: Tone) -> Make:
    """Writes a folder of recordings by name, each of another pitch.

    Some may be given by their stem: as bytes, as samples [T, C], or as these with a rate.
    """

    def write(names: list[str], name: str = "sounds", rate: int = 8000, seconds: float = 0.1, **given: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for number, file in enumerate(names):
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            content = given.get(path.stem, tone(seconds, rate, 200.0 + 50 * number))
            if isinstance(content, bytes):
                path.write_bytes(content)
                continue
            samples, its_rate = content if isinstance(content, tuple) else (content, rate)
            plain = np.isfinite(samples).all() and np.abs(samples).max(initial=0) <= 1
            soundfile.write(path, samples, its_rate, subtype=None if plain else "FLOAT")
        return folder

    return write
