"""What needs no training, on the images that a run is measured on: python baselines.py RUN DIR.

Writes DIR/targets and beside it one folder for each baseline: bicubic, where the sources are smaller; grey, and grey
with the mean colour of training images, where they are grey; the sources themselves elsewhere. To measure one folder
beside another is for `python -m ganlit evaluate`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from ganlit.configuration.rebuild import setting
from ganlit.data.draws import Draws
from ganlit.data.images.degradations.resampling import Upsample

AT_ONCE = 100


def main(run: str, folder: Path) -> None:
    data = setting(run).data
    data.prepare_data()
    batches = torch.arange(len(data.measured)).split(AT_ONCE)
    trained = [data.to_network(data.dataset[places]) for places in torch.arange(2000).split(AT_ONCE)]
    tint = torch.stack([(pair.target - pair.target.mean(1, keepdim=True)).mean((0, 2, 3)) for pair in trained]).mean(0)
    for places in batches:
        pair = data.to_network(data.measured[places])
        size, channels = pair.target.shape[-2:], pair.target.shape[1]
        made = {"targets": pair.target}
        if pair.source.shape[-2:] != size:
            enlarge = Upsample(scale=size[0] // pair.source.shape[-2], method="bicubic")  # as Pillow does it
            made["bicubic"] = enlarge(pair.source, Draws(places))
        if pair.source.shape[1] < channels:
            made["grey"] = pair.source.expand(-1, channels, -1, -1)
            made["tinted"] = made["grey"] + tint.view(1, -1, 1, 1)
        if pair.source.shape == pair.target.shape:
            made["identity"] = pair.source
        for name, images in made.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            for place, image in zip(places.tolist(), data.modality.to_stored(images), strict=True):
                data.modality.write(image, folder / name / f"{place:05}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
