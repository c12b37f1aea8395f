"""How many of the pictures that a run has shown are of its own training images, digit by digit."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

SIDE, GAP = 16, 2  # of an image, and between two in a grid of samples
NEARER = 0.05  # share of real, held-out digits that are as near to a training image as a copy is


def copied(run: Path, source: Path, held: Path) -> dict[float, float]:
    """By kimg, the share of samples that are nearer to a training image than nineteen of twenty held-out digits are.

    Args:
        run: its directory.
        source: folder of the training images.
        held: folder of the others.
    """
    trained = folder(source)
    bound = torch.cdist(folder(held), trained).amin(1).quantile(NEARER)
    return {
        float(re.sub("[a-z]", "", path.stem)): float((torch.cdist(grid(path), trained).amin(1) < bound).float().mean())
        for path in sorted(run.glob("samples/kimg*.png"))
    }


@cache
def folder(path: Path) -> Tensor:
    """Images [N, 256] in a folder of classes."""
    return torch.stack([pixels(Image.open(each)).flatten() for each in sorted(path.glob("*/*.png"))])


def grid(path: Path) -> Tensor:
    """Images [N, 256] of a grid of samples."""
    whole = pixels(Image.open(path))
    down, across = ((size - GAP) // (SIDE + GAP) for size in whole.shape)
    corners = [
        (GAP + row * (SIDE + GAP), GAP + column * (SIDE + GAP)) for row in range(down) for column in range(across)
    ]
    return torch.stack([whole[y : y + SIDE, x : x + SIDE].flatten() for y, x in corners])


def pixels(image: Image.Image) -> Tensor:
    """[H, W] from 0 to 1."""
    return torch.from_numpy(np.asarray(image.convert("L"), dtype=np.float32) / 255)
