"""What needs no training, on the items that a run is measured on: python baselines.py RUN DIR.

Writes DIR/sources, DIR/targets and one folder for each baseline: `identity`, the sources, by bicubic where they are
smaller; `blurred`, these by the Gaussian that fits best in training; `mean`, the mean colour of training targets; and
`linear`, each colour of the source taken to one of the target by the affine map that fits best in training. To measure
one folder beside another is for `python -m ganlit evaluate`.
"""

from __future__ import annotations

import sys
from math import ceil
from pathlib import Path

import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from ganlit.configuration.rebuild import setting
from ganlit.contracts import Pair
from ganlit.data.draws import Draws
from ganlit.data.images.degradations.resampling import Upsample

AT_ONCE, FITTED = 100, 1000
WIDTHS = [place / 10 for place in range(3, 21)]  # pixels: of Gaussians


def main(run: str, folder: Path) -> None:
    data = setting(run).data
    data.prepare_data()

    trained = [sides(data.to_network(data.dataset[places])) for places in torch.arange(FITTED).split(AT_ONCE)]
    width = min(WIDTHS, key=lambda width: sum((blurred(one, width) - other).square().mean() for one, other in trained))
    source, target = (torch.cat([colours(each) for each in side]) for side in zip(*trained, strict=True))
    average, weights = target.mean(0), torch.linalg.lstsq(with_one(source), target).solution
    for places in torch.arange(len(data.measured)).split(AT_ONCE):
        pair = data.to_network(data.measured[places])
        source, target = sides(pair)
        linear = (with_one(colours(source)) @ weights).view(target.movedim(1, -1).shape).movedim(-1, 1)
        mean = average.view(1, -1, 1, 1).expand_as(target)
        made = {"identity": source, "blurred": blurred(source, width), "mean": mean, "linear": linear}
        for name, images in {"sources": pair.source, "targets": target, **made}.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            for place, image in zip(places.tolist(), data.modality.to_stored(images), strict=True):
                data.modality.write(image, folder / name / f"{place:05}")


def sides(pair: Pair) -> tuple[Tensor, Tensor]:
    """Sources and targets of one shape."""
    scale = pair.target.shape[-1] // pair.source.shape[-1]
    source = Upsample(scale, method="bicubic")(pair.source, Draws(pair.label)) if scale > 1 else pair.source
    return source.expand(-1, pair.target.shape[1], -1, -1), pair.target


def blurred(images: Tensor, width: float) -> Tensor:
    return gaussian_blur(images, 2 * ceil(3 * width) + 1, width)


def colours(images: Tensor) -> Tensor:
    """[B, C, H, W] as [B * H * W, C]."""
    return images.movedim(1, -1).flatten(0, -2)


def with_one(pixels: Tensor) -> Tensor:
    return torch.cat([pixels, torch.ones(len(pixels), 1)], dim=1)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
