"""What the measures say of real points, and of points that know nothing of modes.

python experiments/0015-what-keeps-the-modes/controls.py
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.data.plane.mixtures import Mixtures
from ganlit.metrics.plain import built

COUNT = 2500


def controls() -> None:
    torch.manual_seed(0)
    for shape, side in (("ring", 1.3), ("grid", 5.0)):
        data = Mixtures(shape)
        angle = torch.rand(COUNT) * 2 * torch.pi
        sets: dict[str, Tensor] = {
            "real, others": data.dataset[torch.arange(COUNT)].item,
            f"even over the square of {side:g}": side * (2 * torch.rand(COUNT, 2) - 1),
            "even on the circle": torch.stack([angle.cos(), angle.sin()], 1),
        }
        for name, points in sets.items():
            told = [built(metric, data.reference, None, data.modality).tell(points).value for metric in METRICS]
            print(f"{shape}, {name}: " + ", ".join(f"{m} {v:.3g}" for m, v in zip(METRICS, told, strict=True)))


METRICS = ("modes", "quality", "rkl")

if __name__ == "__main__":
    controls()
