"""Who speaks: the embedding of speakers of Wan et al., arXiv 1710.10467, with the weights of Resemblyzer."""

from __future__ import annotations

from io import BytesIO

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, pad

from ganlit.metrics.audio.listening import sound
from ganlit.metrics.audio.logmel import powers
from ganlit.metrics.carriers import Carrier
from ganlit.metrics.features import FeatureExtractor, digest
from ganlit.networks.audio.spectrograms import mel_filters

NAME, RATE = "ge2e", 16_000
CARRIER = Carrier(
    "Resemblyzer==0.1.4",
    "resemblyzer/pretrained.pt",
    "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
)
SIZE, HOP, BANDS = 400, 160, 40
FRAMES, STEP = 160, 77  # that the network hears at a time, and from one such part to the next
COVERED = 0.75  # of the last part by sound, at least
LEVEL = 10 ** (-30 / 20)  # root mean square to which quieter recordings are raised


class Speaker(FeatureExtractor):
    """Of speech the mean direction of what an LSTM says of each 1.6 s of it, 256 numbers of length one.

    As Resemblyzer has it after raising the volume of quiet recordings; pauses are left in, since what is heard is the
    whole of an item.

    Raises:
        UserError: the weights are not here.
    """

    name, dim, wants, batch = NAME, 256, RATE, 32
    home = f"the package {CARRIER.package}"

    def __init__(self) -> None:
        super().__init__()
        with torch.device("meta"):  # weights are loaded next: none are drawn
            self.lstm = nn.LSTM(BANDS, self.dim, num_layers=3, batch_first=True)
            self.linear = nn.Linear(self.dim, self.dim)
        found = torch.load(BytesIO(CARRIER.read(f"extractor {NAME}")), map_location="cpu", weights_only=True)
        own = {name: value for name, value in found["model_state"].items() if name in self.state_dict()}
        self.load_state_dict(own, assign=True)
        self.protocol = f"{NAME}@{digest(own)}/{RATE}hz"
        self.register_buffer("filters", mel_filters(RATE, SIZE, BANDS, 0.0, RATE / 2), persistent=False)

    def encode(self, waves: Tensor) -> dict[str, Tensor]:
        starts = parts(sound(waves, self.name).shape[1])
        lacking = max(0, (starts[-1] + FRAMES) * HOP - waves.shape[1])
        mels = self.filters @ powers(pad(raised(waves), (0, lacking)), SIZE, HOP)
        heard = torch.stack([mels[..., start : start + FRAMES] for start in starts], 1)
        hidden = self.lstm(heard.flatten(0, 1).mT)[1][0][-1]
        said = normalize(self.linear(hidden).relu()).unflatten(0, heard.shape[:2])
        return {"pool": normalize(said.mean(1))}


def raised(waves: Tensor) -> Tensor:
    """Waves [B, T], the quiet ones, but for silence, as loud as is usual."""
    level = waves.square().mean(1, keepdim=True).sqrt()
    return waves * (LEVEL / level.clamp(min=1e-8)).clamp(min=1).where(level > 0, 1.0)


def parts(samples: int) -> list[int]:
    """The frames with which the parts of a recording begin."""
    frames = samples // HOP + 1
    starts = [*range(0, max(1, frames - FRAMES + STEP + 1), STEP)]
    covered = (samples - starts[-1] * HOP) / (FRAMES * HOP)
    return starts[:-1] if len(starts) > 1 and covered < COVERED else starts
