from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.metrics.images.shape import in_colour

GREY = torch.arange(8, dtype=torch.uint8).view(2, 1, 2, 2)


def test_grey_is_repeated_and_colour_stays() -> None:
    assert torch.equal(in_colour(GREY, "tiny"), torch.cat([GREY] * 3, 1))
    colour = torch.cat([GREY, GREY + 1, GREY + 2], 1)
    assert in_colour(colour, "tiny").data_ptr() == colour.data_ptr()


@pytest.mark.parametrize("images", [torch.zeros(2, 3, 8, 8), torch.cat([GREY] * 4, 1), GREY[0]])
def test_what_is_not_an_image_is_refused(images: Tensor) -> None:
    with pytest.raises(UserError, match="tiny takes uint8 images"):
        in_colour(images, "tiny")
