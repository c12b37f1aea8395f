"""Networks that have heard AudioSet or videos of YouTube, by which Fréchet audio distances are published."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy._core.multiarray import _reconstruct, scalar
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, pad
from torch.serialization import safe_globals

from ganlit.errors import UserError
from ganlit.metrics.audio.listening import sound
from ganlit.metrics.features import FeatureExtractor, digest
from ganlit.networks.audio.spectrograms import mel_filters
from ganlit.records.downloads import checkpoints, fetched
from ganlit.records.durable import DAMAGE

RATE = 16_000


class Published(FeatureExtractor):
    """A network whose weights are fetched from where its authors keep them.

    A subclass sets these beside what a FeatureExtractor does, builds its layers and then calls `load`.
    """

    url: str
    file: str  # in the cache, with the first digits of its SHA-256
    wants = RATE

    def load(self, inside: str = "") -> None:
        """Takes the weights, of which there may be more than are asked for.

        Args:
            inside: the key under which they lie in the file, if they do not make up all of it.

        Raises:
            UserError: they are not here and cannot be downloaded, or cannot be read.
        """
        what = f"extractor {self.name}"
        path = fetched(self.url, what, self.file)
        self.home = str(checkpoints())
        try:
            with safe_globals(NUMPY):
                found = torch.load(path, map_location="cpu", weights_only=True)
        except DAMAGE as error:
            raise UserError(f"{what}: {path} cannot be read ({error}): fetch {self.url} again.") from error
        found = found[inside] if inside else found
        self.load_state_dict({name: found[name] for name in self.state_dict()}, assign=True)
        self.eval()
        self.protocol = f"{self.name}@{digest(self.state_dict())}/{RATE}hz"


class VGGish(Published):
    """Hershey et al., arXiv 1609.09430: of each 0.96 s 128 numbers ahead of the last activation, and their mean.

    So FAD sees sound (Kilgour et al., arXiv 1812.08466), but for the mean: there each part is an item of its own.
    Weights of AudioSet's authors as torchvggish has them, Apache-2.0.

    Raises:
        UserError: they are not here and cannot be downloaded.
    """

    name, dim, batch = "vggish", 128, 16
    url = "https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth"
    file = "vggish-10086976.pth"
    window, hop, size, frames = 400, 160, 512, 96
    low, high, bands = 125.0, 7500.0, 64

    def __init__(self) -> None:
        super().__init__()
        with torch.device("meta"):  # weights are loaded next: none are drawn
            layers: list[nn.Module] = []
            for inputs, outputs, pooled in VGG:
                layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
                layers += [nn.MaxPool2d(2)] if pooled else []
            self.features = nn.Sequential(*layers)
            wide = nn.Linear(512 * 6 * 4, 4096), nn.ReLU(inplace=True), nn.Linear(4096, 4096), nn.ReLU(inplace=True)
            self.embeddings = nn.Sequential(*wide, nn.Linear(4096, self.dim))
        self.load()
        self.register_buffer("filters", htk_filters(self.size, self.bands, self.low, self.high), persistent=False)

    def encode(self, waves: Tensor) -> dict[str, Tensor]:
        pieces = self.pieces(sound(waves, self.name))
        heard = self.features(pieces.flatten(0, 1)[:, None]).permute(0, 2, 3, 1).flatten(1)
        return {"pool": self.embeddings(heard).unflatten(0, pieces.shape[:2]).mean(1)}

    def pieces(self, waves: Tensor) -> Tensor:
        """Log-mel spectrograms of 0.96 s each, of sound [B, T]: [B, n, 96, 64]; silence follows what is too short."""
        least = self.window + (self.frames - 1) * self.hop
        waves = pad(waves, (0, max(0, least - waves.shape[1])))
        frames = waves.unfold(1, self.window, self.hop) * torch.hann_window(self.window, device=waves.device)
        bands = (torch.fft.rfft(frames, self.size).abs() @ self.filters.T + 0.01).log()
        count = bands.shape[1] // self.frames
        return bands[:, : count * self.frames].unflatten(1, (count, self.frames))


VGG = ((1, 64, True), (64, 128, True), (128, 256, False), (256, 256, True), (256, 512, False), (512, 512, True))
"""Of each convolution channels in and out, and whether places are pooled behind it."""


class Cnn14(Published):
    """Kong et al., arXiv 1912.10211, at 16 kHz: 2,048 numbers of the whole, and logits of AudioSet's 527 classes.

    Weights of the authors, CC-BY-4.0.

    Raises:
        UserError: they are not here and cannot be downloaded.
    """

    name, dim, classes, batch = "panns-cnn14", 2048, 527, 16
    url = "https://zenodo.org/record/3987831/files/Cnn14_16k_mAP%3D0.438.pth"
    file = "Cnn14_16k_mAP=0.438-e2ee543a27919542c2ea03eabaa70b24dcd4e6c8e05621de6b67a94e4c5058e6.pth"
    size, hop, bands, low, high = 512, 160, 64, 50.0, 8000.0
    least = 32 * hop  # samples, of which five poolings leave one place

    def __init__(self) -> None:
        super().__init__()
        with torch.device("meta"):  # weights are loaded next: none are drawn
            self.bn0 = nn.BatchNorm2d(self.bands)
            for place, (inputs, outputs) in enumerate(pairwise(WIDTHS), 1):
                self.add_module(f"conv_block{place}", Block(inputs, outputs))
            self.fc1, self.fc_audioset = nn.Linear(self.dim, self.dim), nn.Linear(self.dim, self.classes)
        self.load(inside="model")
        filters = mel_filters(RATE, self.size, self.bands, self.low, self.high)
        self.register_buffer("filters", filters, persistent=False)

    def encode(self, waves: Tensor) -> dict[str, Tensor]:
        waves = pad(sound(waves, self.name), (0, max(0, self.least - waves.shape[1])))
        beyond = pad(waves[:, None], (self.size // 2,) * 2, mode="reflect")[:, 0]
        window = torch.hann_window(self.size, device=waves.device)
        spectra = (
            torch.stft(beyond, self.size, self.hop, window=window, center=False, return_complex=True).abs().square()
        )
        bands = 10 * (self.filters @ spectra).clamp(min=1e-10).log10()
        x = self.bn0(bands[:, :, None]).permute(0, 2, 3, 1)  # [B, 1, frames, bands]
        for place in range(1, 7):
            x = self.get_submodule(f"conv_block{place}")(x)
            x = avg_pool2d(x, 2) if place < 6 else x
        over = x.mean(3)
        pool = self.fc1(over.amax(2) + over.mean(2)).relu()
        return {"pool": pool, "logits": self.fc_audioset(pool)}


WIDTHS = (1, 64, 128, 256, 512, 1024, 2048)
"""Channels into each block, and out of the last."""


class Block(nn.Module):
    """Two convolutions, under the names of the authors."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn2(self.conv2(self.bn1(self.conv1(x)).relu())).relu()


def htk_filters(size: int, bands: int, low: float, high: float) -> Tensor:
    """Triangles [bands, size // 2 + 1] evenly spread and linear on HTK's mel scale, as AudioSet's authors have them."""

    def mels(frequencies: Tensor | float) -> Tensor:
        return 1127.0 * torch.log1p(torch.as_tensor(frequencies, dtype=torch.float64) / 700)

    edges = torch.linspace(float(mels(low)), float(mels(high)), bands + 2, dtype=torch.float64)
    places = mels(torch.linspace(0, RATE / 2, size // 2 + 1, dtype=torch.float64))
    rising = (places - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - places) / (edges[2:] - edges[1:-1])[:, None]
    found = torch.minimum(rising, falling).clamp(min=0)
    found[:, 0] = 0
    return found.float()


NUMPY = [
    (made, f"numpy.{core}.multiarray.{made.__name__}") for made in (_reconstruct, scalar) for core in ("core", "_core")
] + [np.ndarray, np.dtype, *(type(np.dtype(kind)) for kind in ("int32", "int64", "float32", "float64", "bool"))]
"""Arrays and numbers of numpy, which lie beside the weights of some: what they are made of cannot hold code."""
