"""What music has in it: the VGG of musicnn, Pons and Serra, arXiv 1909.06654, trained on MagnaTagATune."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ganlit.metrics.audio.listening import sound
from ganlit.metrics.audio.logmel import powers
from ganlit.metrics.carriers import Carrier
from ganlit.metrics.features import FeatureExtractor, digest
from ganlit.networks.audio.spectrograms import mel_filters

NAME, RATE = "musicnn-vgg", 16_000
CARRIER = Carrier(
    "musicnn==0.1.0",
    "musicnn/MTT_vgg/.data-00000-of-00001",
    "458f5c8bcecc086a3bba3dce83809df6da6e0a3560a59ddd84711bf3d5fd8303",
)
SIZE, HOP, BANDS, FRAMES = 512, 256, 96, 187
CHANNELS, TAGS = 128, 50
POOLS = (((4, 1), 2), (2, 2), (2, 2), (2, 2), (4, 4))  # windows and steps


class Music(FeatureExtractor):
    """The 256 numbers by which the network tags 3 s of music, their mean over a recording; shorter ones are repeated.

    Raises:
        UserError: the weights are not here.
    """

    name, dim, wants, batch = NAME, 256, RATE, 16
    home = f"the package {CARRIER.package}"

    def __init__(self) -> None:
        super().__init__()
        with torch.device("meta"):  # weights are loaded next: none are drawn
            layers: list[nn.Module] = [nn.BatchNorm2d(1, eps=1e-3)]
            for place, (window, step) in enumerate(POOLS):
                convolution = nn.Conv2d(CHANNELS if place else 1, CHANNELS, 3, padding=1)
                norm = nn.BatchNorm2d(CHANNELS, eps=1e-3)
                layers += [convolution, nn.ReLU(inplace=True), norm, nn.MaxPool2d(window, step)]
            self.layers = nn.Sequential(*layers)
        self.load_state_dict(state(variables(CARRIER.read(f"extractor {NAME}"))), assign=True)
        self.protocol = f"{NAME}@{digest(self.state_dict())}/{RATE}hz"
        self.register_buffer("filters", mel_filters(RATE, SIZE, BANDS, 0.0, RATE / 2), persistent=False)
        self.eval()

    def encode(self, waves: Tensor) -> dict[str, Tensor]:
        samples = FRAMES * HOP
        if (there := sound(waves, self.name).shape[1]) < samples:
            waves = waves.repeat(1, -(-samples // there))[:, :samples]
        bands = (1 + 1e4 * (self.filters @ powers(waves, SIZE, HOP))).log10()
        count = bands.shape[2] // FRAMES
        pieces = (
            bands[..., : count * FRAMES].unflatten(2, (count, FRAMES)).permute(0, 2, 3, 1)
        )  # [B, count, time, band]
        heard = self.layers(pieces.flatten(0, 1)[:, None])
        return {"pool": heard.permute(0, 2, 3, 1).flatten(1).unflatten(0, (-1, count)).mean(1)}


def variables(content: bytes) -> dict[str, Tensor]:
    """Those of a checkpoint of TensorFlow, as they lie in its file one after the other.

    They do by their names; beside each that was trained are two of its optimizer.
    """
    norms = {"": 1} | {f"_{place}": CHANNELS for place in range(1, 6)}
    shapes: dict[str, tuple[int, ...]] = {}
    for place in range(1, 6):
        shapes[f"{place}CNN/bias"] = (CHANNELS,)
        shapes[f"{place}CNN/kernel"] = (3, 3, CHANNELS if place > 1 else 1, CHANNELS)
    for place, width in norms.items():
        parts = ("beta", "gamma", "moving_mean", "moving_variance")
        shapes |= {f"batch_normalization{place}/{part}": (width,) for part in parts}
    numbers, begin, found = np.frombuffer(content, "<f4"), 0, {}
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        found[name] = torch.from_numpy(numbers[begin : begin + size].copy()).view(shape)
        begin += size * (1 if "moving" in name else 3)
    return found


def state(found: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same under the names of the layers here."""
    kept = {}
    for place in range(6):
        norm = f"layers.{4 * place - 1 if place else 0}"
        of = f"batch_normalization{f'_{place}' if place else ''}"
        names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
        kept |= {f"{norm}.{ours}": found[f"{of}/{theirs}"] for ours, theirs in names.items()}
        kept[f"{norm}.num_batches_tracked"] = torch.zeros((), dtype=torch.int64)
        if place:
            kept[f"layers.{4 * place - 3}.weight"] = found[f"{place}CNN/kernel"].permute(3, 2, 0, 1).contiguous()
            kept[f"layers.{4 * place - 3}.bias"] = found[f"{place}CNN/bias"]
    return kept
