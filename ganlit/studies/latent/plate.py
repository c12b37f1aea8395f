"""Images in rows with words below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torchvision.transforms.functional import to_pil_image

from ganlit.data.images.modality import resized
from ganlit.data.images.pixels import colours, in_8_bits

SIDE = 84  # pixels of an image, about
ROOM, LINE = 6, 14  # pixels between images, and of a line of words


class Cell(NamedTuple):
    """An image of a plate."""

    image: Tensor  # stored [C, H, W]
    caption: str = ""


def plate(rows: Sequence[Sequence[Cell]]) -> Image.Image:
    """Cells in rows, all as large as the first, small ones by whole factors; a caption may have several lines."""
    cells = [cell for row in rows for cell in row]
    height, width = cells[0].image.shape[1:]
    by = max(1, SIDE // width) if width <= SIDE else 2 * SIDE / width
    across, down = round(by * width), round(by * height)
    font, columns = ImageFont.load_default(11), max(map(len, rows))
    lines = [max((cell.caption.count("\n") + 1 for cell in row if cell.caption), default=0) for row in rows]
    size = (columns * (across + ROOM) + ROOM, sum(down + ROOM + LINE * count for count in lines) + ROOM)
    sheet = Image.new("RGB", size, "white")
    words, top = ImageDraw.Draw(sheet), ROOM
    for row, count in zip(rows, lines, strict=True):
        for place, cell in enumerate(row):
            left = ROOM + place * (across + ROOM)
            sheet.paste(picture(cell.image, down, across), (left, top))
            words.multiline_text((left, top + down + 1), cell.caption, "black", font, spacing=1)
        top += down + ROOM + LINE * count
    return sheet


def picture(image: Tensor, height: int, width: int) -> Image.Image:
    """A stored image [C, H, W] of any channels in this size; small ones keep their pixels."""
    seen = in_8_bits(colours(image[None])).expand(-1, 3, -1, -1)
    if seen.shape[3] <= width and width % seen.shape[3] == 0:
        found = seen.repeat_interleave(width // seen.shape[3], 3).repeat_interleave(height // seen.shape[2], 2)
    else:
        found = resized(seen, height, width)
    return to_pil_image(found[0].to(torch.uint8))
