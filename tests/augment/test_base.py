"""What an augmentation is by default."""

from __future__ import annotations

import torch

from ganlit.augment.base import Unaugmented
from ganlit.contracts import Verdict


def test_unaugmented_gives_back_the_images_and_learns_nothing() -> None:
    images = torch.randn(2, 1, 4, 4)
    augment = Unaugmented()
    assert augment(images) is images
    augment.observe(Verdict(torch.sum, images, images), 2)
    assert augment.state_dict() == {}
