"""Maps of labels: pictures whose pixels hold numbers of classes, grey or with a palette, whose colours mean nothing."""

from __future__ import annotations

from colorsys import hsv_to_rgb

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganlit.data.images.depth import Depth
from ganlit.data.images.kind import Kind
from ganlit.data.objections import Objection

NONE = 255
"""The number of no class, as segmentation datasets write it; those of classes are below."""

GOLDEN = 0.618034  # of a turn, after which no two hues fall together


def numbered(image: Image.Image) -> Image.Image:
    """A decoded picture whose pixels are numbers in place of what they stand for: of a palette, of black and white."""
    return Image.fromarray(np.asarray(image).astype(np.uint8)) if image.mode in ("1", "L", "P") else image


def values(pixels: np.ndarray) -> np.ndarray:
    """Those of places that have a class."""
    return pixels[pixels != NONE]


def wrong_numbers(kind: Kind, labels: int, depth: Depth | None) -> Objection | None:
    """What keeps a picture from being a map of so many labels, if anything does.

    Args:
        kind: of its pixels.
        labels: how many classes there are.
        depth: the values of places that have one; None where they are not known.
    """
    if kind.channels != 1 or kind.frames != 1:
        remedy = "save its classes as a grey or palette PNG, or leave source_labels out and let a network see colours"
        return Objection("no map of labels", f"is {kind}, and no map of the numbers of classes", remedy)
    if kind.bits != 8:
        return Objection("no map of labels", f"is {kind}, and numbers of classes take 8 bits", "save it with so many")
    if depth is not None and depth.highest >= labels:
        reason = f"holds class {depth.highest}, where {labels} are numbered from 0 and {NONE} is none"
        return Objection("class", reason, f"set source_labels to {depth.highest + 1} or more, or mend it", spare=False)
    return None


def one_hot(stored: Tensor, labels: int) -> Tensor:
    """Numbers uint8 [B, 1, H, W] as a channel for each class, float [B, labels, H, W]: 1 where it stands, else 0."""
    return (stored == torch.arange(labels, dtype=torch.uint8, device=stored.device).view(-1, 1, 1)).float()


def numbers(channels: Tensor) -> Tensor:
    """The way back, also from what a network makes: the class that stands out, or none where none is likely."""
    likeliest, number = channels.max(1, keepdim=True)
    return torch.where(likeliest > 0.5, number, NONE).to(torch.uint8)


def painted(stored: Tensor) -> Tensor:
    """Numbers uint8 [B, 1, H, W] in colours [B, 3, H, W] that tell them apart; no class is black."""
    hues = [(number * GOLDEN % 1, 1 - 0.5 * (number % 2), 1 - 0.2 * (number % 3)) for number in range(NONE)]
    colours = [hsv_to_rgb(*hue) for hue in hues]
    palette = torch.tensor([*colours, (0, 0, 0)], device=stored.device).mul(255).to(torch.uint8)
    return palette[stored[:, 0].long()].movedim(-1, 1)
