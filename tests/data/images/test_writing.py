"""Images written to files, and read again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from ganlit.data.images.beside import Beside
from ganlit.data.images.decoding import decoded
from ganlit.data.images.depth import WHITES
from ganlit.data.images.folder import Folder
from ganlit.data.images.form import Form
from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError

TYPES = {8: torch.uint8, 16: torch.uint16, "float": torch.float32}


def noise(channels: int, depth: Any) -> torch.Tensor:
    """[C, 5, 5] over the whole range, its ends included."""
    values = torch.rand(channels, 5, 5, generator=torch.Generator().manual_seed(channels))
    values[0, 0, :2] = torch.tensor([0.0, 1.0])
    return values if depth == "float" else values.mul(WHITES[depth]).round().to(TYPES[depth])


@pytest.mark.parametrize("depth", [8, 16, "float"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_what_is_written_is_read_again(channels: int, depth: Any, tmp_path: Path) -> None:
    image = noise(channels, depth)
    file = ImageModality(depth).write(image, tmp_path / "0.5")
    assert file.name == ("0.5.png" if channels in (1, 3, 4) and depth != "float" else "0.5.tif")
    stored = decoded(Folder(tmp_path), Form(5, channels, depth=depth)).reference.items
    assert stored.dtype == TYPES[depth]
    assert torch.equal(stored[0], image)
    assert [each.name for each in tmp_path.iterdir()] == ["0.5.png" if file.suffix == ".png" else "0.5.tif"]


@pytest.mark.parametrize("range", [(-1000.0, 3000.0), (0.0, 255.0), (0.25, 0.5)])
def test_floats_are_in_files_as_they_were(range: tuple[float, float], tmp_path: Path) -> None:
    image = noise(1, "float")
    ImageModality("float", range).write(image, tmp_path / "a")
    values = np.asarray(Image.open(tmp_path / "a.tif"))
    assert (values.min(), values.max()) == range
    stored = decoded(Folder(tmp_path), Form(5, 1, depth="float", range=range)).reference.items
    torch.testing.assert_close(stored[0], image)


def test_a_package_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(UserError, match=r'which takes the package tifffile: run pip install "ganlit\[deep\]".$'):
        ImageModality(16).write(noise(5, 16), tmp_path / "a")
    assert not list(tmp_path.iterdir())
    ImageModality(16).write(noise(3, 16), tmp_path / "b")


@pytest.mark.parametrize("depth", [8, 16, "float"])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_beside_goes_along(channels: int, depth: Any, tmp_path: Path) -> None:
    image, alpha = noise(channels, depth), noise(1, depth)[0]
    profile = bytes(16) + {1: b"GRAY", 3: b"RGB "}[channels] + bytes(108)
    beside = Beside(profile=profile, alpha=alpha.numpy())
    file = ImageModality(depth).write(image, tmp_path / "0", beside)
    stored = decoded(Folder(tmp_path), Form(5, channels + 1, depth=depth)).reference.items
    assert torch.equal(stored[0], torch.cat([image, alpha[None]]))
    if file.suffix == ".png":
        assert Image.open(file).info["icc_profile"] == profile
    else:
        assert tifffile.TiffFile(file).pages.first.tags["InterColorProfile"].value == profile
