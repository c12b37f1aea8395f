"""How large a picture may be: a small file can stand for more pixels than there is memory."""

from __future__ import annotations

import logging
import math
import os
import warnings

from PIL import Image

from ganlit.errors import UserError

VARIABLE = "GANLIT_MAX_IMAGE_PIXELS"
DEEPEST = 8  # bytes of a pixel: four channels of 16 bits


def most_pixels() -> float:
    """Of one picture: what the environment says, else twice Image.MAX_IMAGE_PIXELS, beyond which Pillow refuses.

    Raises:
        UserError: the environment says nothing that can be meant.
    """
    told = os.environ.get(VARIABLE, "")
    if not told:
        return math.inf if Image.MAX_IMAGE_PIXELS is None else 2 * Image.MAX_IMAGE_PIXELS
    if not (told.isascii() and told.isdigit() and int(told[:20]) > 0):
        raise UserError(f"{VARIABLE} is {told}: set it to a number of pixels such as 500000000, or leave it out.")
    return int(told[:20])


def most_bytes() -> float:
    """Of a picture's file: what its pixels take that are not packed at all."""
    return DEEPEST * most_pixels()


def tell_pillow() -> None:
    """Has Pillow refuse what is larger, and say nothing of its own: what it warns of is read, or refused by us."""
    if (most := most_pixels()) < math.inf:
        Image.MAX_IMAGE_PIXELS = math.ceil(most / 2)
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
