"""Images to the size that an extractor sees: linear, separable resizes, each as two matrix products.

The matrices come from the reference itself, as what it makes of the identity, and are kept.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x


def legacy_resize(images: Tensor, size: int) -> Tensor:
    """TensorFlow 1's bilinear resize, without antialiasing, of [B, C, H, W] to float32 [B, C, size, size].

    An image of 32 pixels takes an eighth of the time of torch-fidelity's function, whose result it equals.
    """
    rows, columns = (_legacy_matrix(length, size, images.device) for length in images.shape[-2:])
    return rows @ images.float() @ columns.T


def clean_resize(images: Tensor, size: int) -> Tensor:
    """clean-fid's resize of uint8 [B, C, H, W] to float32 [B, C, size, size] in [0, 255]: Pillow's bicubic.

    It is antialiased, never rounded to integers, and clipped where the bicubic kernel overshoots (Parmar et al., "On
    Aliased Resizing and Surprising Subtleties in GAN Evaluation", arXiv 2104.11222, section 3).
    """
    rows, columns = (_clean_matrix(length, size, images.device) for length in images.shape[-2:])
    return (rows @ images.float() @ columns.T).clamp_(0, 255)


@cache
def _legacy_matrix(length: int, size: int, device: torch.device) -> Tensor:
    identity = torch.eye(length)[None, None]
    matrix = interpolate_bilinear_2d_like_tensorflow1x(identity, size=(size, length), align_corners=False)[0, 0]
    return matrix.to(device)


@cache
def _clean_matrix(length: int, size: int, device: torch.device) -> Tensor:
    identity = Image.fromarray(np.eye(length, dtype=np.float32))
    matrix = identity.resize((length, size), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(matrix)).to(device)
