"""Writes the digits at 16x16 as folders of classes: 4,500 to train on, 500 others to measure by, and forty and twenty.

    python experiments/0016-does-the-detector-tell/folders.py [digits16]

The few are of those that are trained on, as many of each class.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from ganlit.data.images.images import Images

SIDE, HELD = 16, 50
FEW = {"forty": 4, "twenty": 2}


def folders(root: Path) -> None:
    data = Images("digits", 32, 1)
    data.prepare_data()
    data.setup("fit")
    real = data.reference
    for kind in range(10):
        some = real.items[real.labels == kind]
        parts = {"held": some[:HELD], "train": some[HELD:]}
        for name, items in (parts | {name: some[HELD : HELD + count] for name, count in FEW.items()}).items():
            folder = root / name / str(kind)
            folder.mkdir(parents=True, exist_ok=True)
            for place, item in enumerate(items):
                shown(item).save(folder / f"{place:03}.png")


def shown(item: Tensor) -> Image.Image:
    """A stored image [1, 32, 32] at 16x16."""
    small = interpolate(item[None].float(), (SIDE, SIDE), mode="area")
    return Image.fromarray(small[0, 0].round().byte().numpy())


if __name__ == "__main__":
    folders(Path(sys.argv[1] if len(sys.argv) > 1 else "digits16"))
