"""Vocoders whose sound is brought to the spectrogram that they were given, and that learn to begin well."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from ganlit.errors import UserError, within
from ganlit.networks.audio.spectrograms import MelSpectrogram
from ganlit.networks.layers import wide

UPDATES = 10  # of magnitudes before the first round: more change little, and cost as much as the network
AGAIN = 2  # of them in each round


class PolishedGenerator(nn.Module):
    """A vocoder, and rounds like Griffin and Lim's that begin at its sound; labels are ignored.

    Theirs keep the magnitudes, which mels leave half open, and look for phases that fit them. Here each round moves the
    magnitudes of the sound so far to the mels asked for, and no further: phases and magnitudes find one another, and
    the mels are met several times as well. How loud the network's sound is in all does not matter, and what no band
    hears, such as what is above the highest, is silent. The network learns through the rounds, and so where to begin,
    which is Masuyama et al., arXiv 1903.03971, with one network before all rounds; they are more in use than in
    training.

    Args:
        network: spectrograms to sound, such as a FourierGenerator, at the spectrogram's hop.
        spectrogram: the very one that the sources are made by.
        rounds: in training, without momentum, through which gradients are wild.
        finish: of them otherwise.
        momentum: of each of these, as in `MelSpectrogram.griffin_lim`.

    Raises:
        UserError: an argument is out of its range, or network and spectrogram do not fit one another.
    """

    classes = 0

    def __init__(
        self,
        network: nn.Module,
        spectrogram: MelSpectrogram,
        rounds: int = 4,
        finish: int = 64,
        momentum: float = 0.99,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        within(f"{name}.rounds", rounds, least=0, most=2**10)
        within(f"{name}.finish", finish, least=0, most=2**10)
        within(f"{name}.momentum", momentum, least=0, most=1)
        ends = (network.scale, network.bands), (spectrogram.hop, spectrogram.bands)
        if ends[0] != ends[1]:
            one, other = (f"a hop of {hop} and {bands} bands" for hop, bands in ends)
            raise UserError(f"{name}: its network takes spectrograms of {one}, its own has {other}: set both alike.")
        self.network, self.spectrogram = network, spectrogram
        self.rounds, self.finish, self.momentum = rounds, finish, momentum
        self.multiple, self.scale = network.multiple, network.scale

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        """Spectrograms [B, channels * bands, F] to sound [B, channels, F * hop]."""
        made = wide(self.network(source, label))
        with torch.autocast(source.device.type, enabled=False):
            mels = wide(source).unflatten(1, (-1, self.spectrogram.bands))
            spectra = self.spectrogram.complex(made)
            sizes = self.spectrogram.sizes(spectra)
            magnitudes = self.spectrogram.fitted(sizes, mels, UPDATES)
            again = partial(self.spectrogram.fitted, mels=mels, rounds=AGAIN)
            rounds = (self.rounds, 0.0) if self.training else (self.finish, self.momentum)
            return self.spectrogram.agreed(magnitudes, spectra / sizes, made.shape[-1], *rounds, again)

    @property
    def reach(self) -> int:
        """Frames on either side of its own on which a sample depends, at most: each round looks a size further."""
        return self.network.reach + (self.finish + 1) * -(-self.spectrogram.size // self.spectrogram.hop)

    @property
    def last_layer(self) -> nn.Parameter:
        """That of the network."""
        return self.network.last_layer
