from __future__ import annotations

from collections.abc import Callable

import librosa
import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from ganlit.data.audio.form import LOUDNESS, Form, form_of, leveled, objection, resampled, stored
from ganlit.data.audio.reading import Sound
from ganlit.errors import UserError

Tone = Callable[..., np.ndarray]


@pytest.mark.parametrize(("rate", "wanted"), [(44100, 16000), (48000, 44100), (16000, 22050), (8000, 24000)])
@pytest.mark.parametrize("channels", [1, 2])
def test_rates_change_as_soxr_and_librosa_have_it(rate: int, wanted: int, channels: int) -> None:
    samples = np.random.default_rng(rate).uniform(-1, 1, (rate // 10, channels)).astype(np.float32)
    found = resampled(samples, rate, wanted)
    assert (found == soxr.resample(samples, rate, wanted, "HQ")).all()
    reference = librosa.resample(samples.T, orig_sr=rate, target_sr=wanted, res_type="soxr_hq").T
    assert np.allclose(found, reference[: len(found)], atol=1e-6)
    assert abs(len(reference) - len(found)) <= 1


def test_what_is_above_half_the_new_rate_is_gone(tone: Tone) -> None:
    high, low = (tone(1.0, 44100, pitch) for pitch in (12000.0, 3000.0))
    assert np.abs(resampled(high, 44100, 16000)[1000:-1000]).max() < 0.01  # its noise is left
    assert abs(np.abs(resampled(low, 44100, 16000)[1000:-1000]).max() - 0.5) < 0.01


@given(st.floats(0.001, 3), st.sampled_from(["kept", "peak", "loudness"]), st.integers(1, 400))
def test_levels(peak: float, level: str, seed: int) -> None:
    samples = np.random.default_rng(seed).normal(0, 1, (seed, 2)).astype(np.float32)
    samples *= np.float32(peak) / np.abs(samples).max()
    found = leveled(samples, level)
    if level == "kept":
        assert found is samples
        return
    highest, loudness = np.abs(found).max(), np.sqrt(np.square(found).mean())
    assert highest <= 0.95 + 1e-5
    assert highest == pytest.approx(0.95, rel=1e-4) or (
        level == "loudness" and loudness == pytest.approx(LOUDNESS, rel=1e-4)
    )
    assert np.allclose(found / highest, samples / np.abs(samples).max(), atol=1e-5)  # and nothing else has changed


def test_sixteen_bits_are_kept_as_they_are() -> None:
    samples = np.arange(-(2**15), 2**15).astype(np.int16)[:, None]
    assert (stored(Sound(samples.astype(np.float32) / 2**15, 8000), Form(8000)) == samples).all()


def test_beyond_full_is_cut_there() -> None:
    assert stored(Sound(np.array([[1.5], [1.0], [-1.5]], np.float32), 8000), Form(8000)).T.tolist() == [
        [32767, 32767, -32768]
    ]


def test_channels_are_averaged_or_repeated(tone: Tone) -> None:
    left, right = tone(pitch=300.0), tone(pitch=500.0)
    both = Sound(np.concatenate([left, right], 1), 8000)
    mixed = stored(both, Form(8000, 1, mix=True))
    assert (mixed == stored(Sound((left + right) / 2, 8000), Form(8000))).all()
    assert (stored(Sound(left, 8000), Form(8000, 2, mix=True)) == stored(Sound(left, 8000), Form(8000))).all()


def test_what_keeps_a_recording_from_a_form(tone: Tone) -> None:
    fine, form = Sound(tone(), 8000), Form(8000)
    assert objection(fine, form) is None
    spoilt = fine.samples.copy()
    spoilt[[3, 9], 0] = np.nan, np.inf
    cases = {
        "too short": Sound(fine.samples[:10], 8000),
        "not finite": Sound(spoilt, 8000),
        "silence": Sound(np.zeros((800, 1), np.float32), 8000),
        "beyond 1": Sound(fine.samples * 2**15, 8000),
        "channels": Sound(np.repeat(fine.samples, 2, 1), 8000),
        "rate": Sound(fine.samples, 4000),
    }
    found = {topic: objection(sound, form) for topic, sound in cases.items()}
    assert {topic: against.topic for topic, against in found.items()} == {topic: topic for topic in cases}
    assert found["too short"].reason == "has 10 samples, less than 0.01 s"
    assert found["not finite"].reason == "has 2 samples that are NaN or infinite"
    assert found["rate"].remedy == "set rate to 4000, or upsample: true to do without what is above 2,000 Hz"
    assert objection(cases["rate"], form._replace(upsample=True)) is None
    assert objection(cases["channels"], form._replace(mix=True)) is None
    assert objection(cases["beyond 1"], form._replace(level="peak")) is None
    assert objection(Sound(fine.samples * 3, 8000), form) is None  # a little beyond, as lossy formats overshoot


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rate": 500}, "data.init_args.rate is 500: it must be at least 1,000"),
        ({"channels": 0}, "data.init_args.channels is 0: it must be at least 1"),
        ({"cut": 0.0}, "data.init_args.cut is 0.0: it must be at least 0.01"),
    ],
)
def test_a_form_that_means_nothing_is_refused(given: dict, said: str) -> None:
    with pytest.raises(UserError, match=f"^{said}"):
        form_of(**{"rate": 8000, "channels": 1, "level": "kept", "mix": False, "upsample": False, "cut": None} | given)
