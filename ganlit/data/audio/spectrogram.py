"""Sound that networks see as spectrograms: the sources of a vocoder."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor

from ganlit.data.audio.modality import AudioModality
from ganlit.errors import UserError
from ganlit.networks.audio.spectrograms import MelSpectrogram


class SpectrogramModality(AudioModality):
    """Recordings, stored as waves, in networks as the logarithms of mel spectrograms [B, channels * bands, T / hop].

    Args:
        spectrogram: that they are seen by; without one, this is no more than a name.
        channels: of the recordings.
    """

    shaped_by = "segment and the spectrogram's bands and hop"

    def __init__(self, spectrogram: MelSpectrogram | None = None, channels: int | None = None) -> None:
        super().__init__(None if spectrogram is None else spectrogram.rate, channels)
        if spectrogram is not None:
            self.step, self.reach = spectrogram.hop, (spectrogram.size + spectrogram.hop) // 2
        self._spectrograms = {} if spectrogram is None else {torch.device("cpu"): spectrogram}
        self._heard: tuple[Tensor, Tensor] | None = None

    def to_network(self, stored: Tensor) -> Tensor:
        with torch.autocast(stored.device.type, enabled=False):  # in evaluations, batches are made inside of one
            return self._on(stored.device)(super().to_network(stored))

    def to_stored(self, output: Tensor) -> Tensor:
        """The sound of Griffin and Lim, [B, channels, frames * hop], in which one hears what a spectrogram knows.

        Raises:
            UserError: it has other bands.
        """
        if output.shape[1] != (wanted := self._on(output.device).bands * (self.channels or 1)):
            raise UserError(
                f"A network makes spectrograms of {output.shape[1]} bands, while the data's have {wanted}: set bands "
                "of data.init_args.spectrogram, or the network's, to the other."
            )
        if self._heard is None or not torch.equal(self._heard[0], output.cpu()):  # the same are shown in each tick
            spectrogram = self._on(output.device)
            mels = output.float().unflatten(1, (-1, spectrogram.bands)).flatten(0, 1)
            with torch.autocast(output.device.type, enabled=False):
                waves = spectrogram.griffin_lim(mels).view(len(output), -1, mels.shape[-1] * self.step)
            self._heard = output.cpu().clone(), super().to_stored(waves)
        return self._heard[1]

    def recognises(self, place: str) -> float:
        """Nothing: files are recordings, and not spectrograms."""
        return 0.0

    def _on(self, device: torch.device) -> MelSpectrogram:
        """The spectrogram on a device."""
        if device not in self._spectrograms:
            (first, *_) = self._spectrograms.values()
            self._spectrograms[device] = deepcopy(first).to(device)
        return self._spectrograms[device]
