"""What hears sound for the metrics, by name."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from ganlit.errors import UserError
from ganlit.metrics.audio import audioset, clap, crepe, logmel, musicnn, speaker
from ganlit.metrics.audio.listening import sound
from ganlit.metrics.features import FeatureExtractor, digest

CALLED = {"fad": "fid"}  # Frechet audio distance, Kilgour et al., arXiv 1812.08466
ALIASES = {"resemblyzer": speaker.NAME, "musicnn": musicnn.NAME, "panns": audioset.Cnn14.name}


class Pitches(FeatureExtractor):
    """What CREPE's tiny network knows of pitch ahead of its last convolution, 256 numbers: the mean over a recording.

    Raises:
        UserError: the weights are not here.
    """

    name, dim, wants, batch = "crepe-tiny", 256, crepe.RATE, 8
    home = f"the package {crepe.PACKAGE}"
    hop = crepe.WINDOW // 2

    def __init__(self) -> None:
        super().__init__()
        self.network = crepe.Crepe("tiny", f"extractor {self.name}")
        self.protocol = f"{self.name}@{digest(self.network.state_dict())}/{crepe.RATE}hz"

    def encode(self, waves: Tensor) -> dict[str, Tensor]:
        lacking = max(0, crepe.WINDOW - sound(waves, self.name).shape[1])
        frames = pad(waves, (0, lacking)).unfold(1, crepe.WINDOW, self.hop)
        heard = torch.cat([self.network.embed(part) for part in frames.flatten(0, 1).split(64)])
        return {"pool": heard.unflatten(0, frames.shape[:2]).mean(1)}


BUILD = {
    logmel.NAME: logmel.LogMel,
    speaker.NAME: speaker.Speaker,
    musicnn.NAME: musicnn.Music,
    Pitches.name: Pitches,
    audioset.VGGish.name: audioset.VGGish,
    audioset.Cnn14.name: audioset.Cnn14,
    clap.NAME: clap.Clap,
}
NAMES = (*BUILD, *ALIASES)
FAMILIES = (f"{logmel.NAME}:RATE",)


def takes(name: str) -> tuple[str, ...] | None:
    """The options that the extractor of a name has, which are none; None where there is none of that name."""
    return () if name in NAMES or name.startswith(f"{logmel.NAME}:") else None


def network(name: str) -> FeatureExtractor:
    """The extractor of a name.

    Args:
        name: "logmel", statistics of log-mel spectrograms at 16 kHz, which needs no weights, or "logmel:44100" at
            another rate; "ge2e" of speakers, "musicnn-vgg" of music and "crepe-tiny" of pitch, which the package index
            carries; "vggish", "panns-cnn14" and "clap", which are fetched.

    Raises:
        UserError: weights are missing and cannot be downloaded, or a rate is none.
    """
    family, _, rate = name.partition(":")
    if not rate:
        return BUILD[ALIASES.get(name, name)]()
    if not rate.isascii() or not rate.isdigit():
        raise UserError(f"extractor {name}: write the samples a second that it shall hear, as in {family}:44100.")
    return logmel.LogMel(int(rate))
