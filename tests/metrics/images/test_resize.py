from __future__ import annotations

import pytest
import torch
from cleanfid.resize import make_resizer
from torch import Tensor
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

from ganlit.metrics.images.resize import clean_resize, legacy_resize

SHAPES = [(32, 32), (28, 40), (299, 299), (299, 64), (512, 300), (1, 2)]


def noise(height: int, width: int) -> Tensor:
    """Black and white alone, so that a bicubic kernel overshoots at both ends."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 2, (2, 3, height, width), generator=generator, dtype=torch.uint8) * 255


@pytest.mark.parametrize("shape", SHAPES)
def test_the_legacy_resize_is_that_of_torch_fidelity(shape: tuple[int, int]) -> None:
    images = noise(*shape)
    expected = interpolate_bilinear_2d_like_tensorflow1x(images.float(), size=(299, 299), align_corners=False)
    torch.testing.assert_close(legacy_resize(images, 299), expected, rtol=0, atol=3e-4)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [299, 224, 16])
def test_the_clean_resize_is_that_of_clean_fid(shape: tuple[int, int], size: int) -> None:
    images = noise(*shape)
    resizer = make_resizer("PIL", False, "bicubic", (size, size))
    expected = torch.stack([torch.from_numpy(resizer(image.permute(1, 2, 0).numpy())) for image in images])
    resized = clean_resize(images, size)
    assert resized.shape == (2, 3, size, size)
    assert resized.dtype == torch.float32
    torch.testing.assert_close(resized, expected.permute(0, 3, 1, 2), rtol=0, atol=3e-4)


def test_the_clean_resize_is_clipped_and_antialiased() -> None:
    resized = clean_resize(noise(32, 32), 299)
    assert resized.amin() == 0
    assert resized.amax() == 255
    checkers = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 255
    shrunk = clean_resize(checkers.to(torch.uint8).expand(1, 3, -1, -1), 8)
    torch.testing.assert_close(shrunk, torch.full_like(shrunk, 127.5), rtol=0, atol=8)
