"""What there is to know of a recording, by listening to all of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ganlit.data.audio.form import SILENCE, Form, misfit, peak_of, wrong_samples
from ganlit.data.audio.reading import Sound
from ganlit.data.objections import Objection

FULL = 0.99  # beyond it, equal samples in a row tell of clipping:
ROW = 4  # so many; of waves that just touch it, tones above 25 Hz have less
MOMENT = 0.02  # seconds, of which a mean square is taken


class Facts(NamedTuple):
    """Of a recording that can be read."""

    title: str
    label: int | None
    rate: int
    channels: int
    seconds: float
    peak: float
    loudness: float  # root of the mean square
    clipped: int  # samples in rows at the limit
    quiet: float  # share of moments that are 60 dB below full
    wrong: Objection | None  # with its samples, whatever the form

    @classmethod
    def of(cls, title: str, sound: Sound, label: int | None) -> Facts:
        samples = sound.samples
        told = (title, label, sound.rate, sound.channels, sound.seconds)
        if wrong := wrong_samples(sound):
            return cls(*told, 0.0, 0.0, 0, 0.0, wrong)
        loudness = float(np.sqrt(np.square(samples, dtype=np.float64).mean()))
        return cls(*told, peak_of(samples), loudness, clipped(samples), quiet(sound), None)

    def against(self, form: Form) -> Objection | None:
        """What keeps it from a form."""
        return self.wrong or misfit(self.rate, self.channels, self.peak, form)


def clipped(samples: np.ndarray) -> int:
    """How many samples [T, C] stand at the limit in rows of equal ones, as where a wave was cut."""
    still = (np.abs(samples[1:]) >= FULL) & (samples[1:] == samples[:-1])
    rows = np.all([still[shift : len(still) - ROW + 2 + shift] for shift in range(ROW - 1)], axis=0)
    return int(np.count_nonzero(rows)) + (ROW - 1) * bool(rows.any())


def quiet(sound: Sound) -> float:
    """The share of moments in which there is next to nothing to hear."""
    length = min(max(1, round(MOMENT * sound.rate)), len(sound.samples))
    moments = sound.samples[: len(sound.samples) // length * length].reshape(-1, length * sound.channels)
    return float((np.square(moments, dtype=np.float64).mean(1) < SILENCE**2).mean())
