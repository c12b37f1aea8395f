"""The form that every recording of a dataset is brought into."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np

from ganlit.data.audio.reading import Sound, library
from ganlit.data.objections import Objection
from ganlit.errors import within

Level = Literal["kept", "peak", "loudness"]
"""How loud recordings are: as they are, or all alike by their highest sample, or by their mean square."""

WHITE = 2**15  # what is stored of 1
PEAK = 0.95  # of the highest sample, as HiFi-GAN's data code has it
LOUDNESS = 10 ** (-23 / 20)  # root of the mean square: 23 dB below that of a full square wave
SILENCE = 1e-3  # 60 dB below full: no sample is beyond it
SILENT = "silence"  # the topic of objections to it
BEYOND = 2.0  # lossy formats overshoot a little, and what is far beyond 1 was never meant so
SHORTEST = 0.01  # seconds
RATES = (1000, 2**20)  # samples a second: lowest and highest


class Form(NamedTuple):
    """The form that every recording of a dataset is brought into, int16 [T, C].

    A higher rate is brought down, without what is then above half of it. A lower one is refused unless `upsample` is
    set, and another number of channels unless `mix` is: then they are averaged, or the one is repeated.
    """

    rate: int  # samples a second
    channels: int = 1
    level: Level = "kept"
    mix: bool = False
    upsample: bool = False
    cut: float | None = None  # seconds of the pieces that longer ones are cut into

    @property
    def piece(self) -> int | None:
        """Samples of the pieces that longer ones are cut into."""
        return None if self.cut is None else max(1, round(self.cut * self.rate))


class Trained(NamedTuple):
    """What a data module says of the recordings that networks are trained on."""

    form: Form
    heard: int  # samples of those that are measured


def form_of(
    rate: int, channels: int, level: Level, mix: bool, upsample: bool, cut: float | None, key: str = "data.init_args."
) -> Form:
    """The same, where it means something.

    Args:
        rate: as in `Form`, and so are the next ones.
        channels: 1 or 2, or more of an array of microphones.
        level: see `Level`.
        mix: whether channels may be averaged or repeated.
        upsample: whether a lower rate may be raised.
        cut: seconds.
        key: before the name of each.

    Raises:
        UserError: it does not.
    """
    within(f"{key}rate", rate, least=RATES[0], most=RATES[1])
    within(f"{key}channels", channels, least=1, most=64)
    within(f"{key}cut", cut, least=SHORTEST, most=24 * 3600, optional=True)
    return Form(rate, channels, level, mix, upsample, cut)


def objection(sound: Sound, form: Form, silent: bool = False) -> Objection | None:
    """What keeps a recording from a form, if anything does.

    Args:
        sound: the recording.
        form: that it shall have.
        silent: whether it may be: nothing is learnt from silence, but some measure it.
    """
    wrong = wrong_samples(sound)
    if wrong is None or (silent and wrong.topic == SILENT):
        return misfit(sound.rate, sound.channels, peak_of(sound.samples), form)
    return wrong


def wrong_samples(sound: Sound) -> Objection | None:
    """What is wrong with the samples themselves, whatever the form."""
    if sound.seconds < SHORTEST:
        return Objection("too short", f"has {len(sound.samples):,} samples, less than {SHORTEST:g} s", "remove it")
    if not np.isfinite(sound.samples).all():
        count = np.count_nonzero(~np.isfinite(sound.samples))
        what = f"{count:,} samples that are" if count > 1 else "a sample that is"
        return Objection("not finite", f"has {what} NaN or infinite", "replace it")
    if peak_of(sound.samples) < SILENCE:
        return Objection(SILENT, f"is silent: no sample is beyond {SILENCE:g} of 1", "remove it")
    return None


def misfit(rate: int, channels: int, peak: float, form: Form) -> Objection | None:
    """What keeps a recording from a form, as far as these numbers tell."""
    if peak > BEYOND and form.level == "kept":
        reason = f"has samples of up to {peak:,.6g}, where those of sound go to 1"
        return Objection("beyond 1", reason, "set level: peak, or scale it down", spare=False)
    if rate < form.rate and not form.upsample:
        reason = f"has {rate:,} samples a second, fewer than the {form.rate:,} that are wanted"
        remedy = f"set rate to {rate}, or upsample: true to do without what is above {rate / 2:,.0f} Hz"
        return Objection("rate", reason, remedy, spare=False)
    if channels != form.channels and not form.mix:
        reason = f"has {channels} channel{'s' * (channels > 1)}, not {form.channels}"
        how = "to average them" if form.channels == 1 else "to repeat their mean"
        return Objection("channels", reason, f"set mix: true {how}", spare=False)
    return None


def stored(sound: Sound, form: Form) -> np.ndarray:
    """A recording without objections as it is kept, int16 [T, C]."""
    samples = leveled(resampled(_mixed(sound.samples, form.channels), sound.rate, form.rate), form.level)
    return np.rint(samples * WHITE).clip(-WHITE, WHITE - 1).astype(np.int16)


def resampled(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Samples [T, ...] at another rate, by soxr's high quality, which is that of librosa."""
    return samples if rate == wanted else library("soxr").resample(samples, rate, wanted, quality="HQ")


def leveled(samples: np.ndarray, level: Level) -> np.ndarray:
    """Samples [T, C] as loud as wanted, and never beyond the peak for the sake of it."""
    peak = peak_of(samples)
    if level == "kept" or not peak:
        return samples
    most = PEAK / peak
    root = math.sqrt(float(np.square(samples, dtype=np.float64).mean()))
    return samples * np.float32(most if level == "peak" else min(most, LOUDNESS / root))


def peak_of(samples: np.ndarray) -> float:
    """The farthest from zero; 0 of none."""
    return float(max(samples.max(), -samples.min())) if samples.size else 0.0


def _mixed(samples: np.ndarray, channels: int) -> np.ndarray:
    if samples.shape[1] == channels:
        return samples
    return np.repeat(samples.mean(1, keepdims=True), channels, axis=1)
