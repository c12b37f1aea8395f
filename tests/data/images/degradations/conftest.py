from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from matplotlib import cbook
from PIL import Image
from torch import Tensor

from ganlit.data.draws import Draws


@pytest.fixture(scope="session")
def photograph() -> Callable[..., np.ndarray]:
    """A piece [H, W, 3] uint8 of a real photograph, which matplotlib carries."""
    whole = np.asarray(Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))

    def cut(height: int, width: int, top: int = 80, left: int = 180) -> np.ndarray:
        return whole[top : top + height, left : left + width]

    return cut


@pytest.fixture(scope="session")
def network() -> Callable[[np.ndarray], Tensor]:
    """Pixels [H, W] or [H, W, C] uint8 as networks see them, [1, C, H, W]."""

    def convert(pixels: np.ndarray) -> Tensor:
        pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
        return torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float().div_(127.5).sub_(1)

    return convert


@pytest.fixture(scope="session")
def pixels() -> Callable[[Tensor], np.ndarray]:
    """Back to [H, W, C] of whole numbers; what is not one fails."""

    def convert(image: Tensor) -> np.ndarray:
        counts = (image[0].double() + 1) * 127.5
        assert (counts - counts.round()).abs().max() < 1e-4
        return counts.round().permute(1, 2, 0).int().numpy()

    return convert


@pytest.fixture
def draws() -> Callable[..., Draws]:
    def make(count: int = 1, seed: int = 0) -> Draws:
        return Draws(torch.arange(count), seed)

    return make
