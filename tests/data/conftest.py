from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

Paint = Callable[..., Image.Image]
Make = Callable[..., Path]

settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("GANLIT_CACHE", str(folder))
    return folder


@pytest.fixture
def paint() -> Paint:
    """Draws a picture that differs for each seed."""

    def draw(seed: int = 0, mode: str = "RGB", size: tuple[int, int] = (8, 8)) -> Image.Image:
        bands = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
        return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size[::-1], *bands), dtype=np.uint8))

    return draw


@pytest.fixture
def make_folder(tmp_path: Path, paint: Paint) -> Make:
    """Writes a folder of pictures by name; some of them may be given, as a picture or as bytes."""

    def write(names: list[str], name: str = "photos", **given: Image.Image | bytes) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for seed, file in enumerate(names):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            content = given.get(Path(file).stem, paint(seed))
            if isinstance(content, bytes):
                (folder / file).write_bytes(content)
            else:
                content.save(folder / file, "PNG")
        return folder

    return write


@pytest.fixture
def make_zip(tmp_path: Path, paint: Paint) -> Make:
    """Writes a zip of pictures by name, with this dataset.json, or none."""

    def write(names: list[str], document: Any = None, name: str = "set.zip") -> Path:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for seed, member in enumerate(names):
                content = io.BytesIO()
                paint(seed).save(content, "PNG")
                archive.writestr(member, content.getvalue())
            if document is not None:
                archive.writestr("dataset.json", document if isinstance(document, str) else json.dumps(document))
        return tmp_path / name

    return write


@pytest.fixture
def deep_png() -> Callable[[np.ndarray], bytes]:
    """Writes a PNG with 16-bit colour [H, W, 3], which Pillow cannot (PNG specification, sections 5 and 11)."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    def write(pixels: np.ndarray) -> bytes:
        height, width, _ = pixels.shape
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")

    return write
