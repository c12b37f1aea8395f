"""Opinions of speech by itself, and how metrics that ask for no target are asked for."""

from __future__ import annotations

import sys

import pytest
import torch
from voices import hiss, needs, stored, voice

from ganlit.data.audio.modality import AudioModality
from ganlit.errors import UserError
from ganlit.metrics.audio import dnsmos
from ganlit.metrics.audio.dnsmos import CARRIER, Listener
from ganlit.metrics.paired import Comparison

# What speechmos 0.0.1.1 says of a second of `voice`, and of it in hiss.
SAID = {"dnsmos": [2.060659, 2.089213], "dnsmos-sig": [2.432406, 3.132141], "dnsmos-bak": [3.536900, 2.338695]}


@needs(CARRIER)
def test_opinions_are_those_of_speechmos() -> None:
    sound = voice(seconds=1.0)
    items = stored(torch.stack([sound, sound + 0.02 * hiss((16_000,))])[:, None])
    comparisons = {metric: Comparison(metric, AudioModality(16_000)) for metric in SAID}
    for metric, expected in SAID.items():
        name, kept = comparisons[metric].seen(items)
        assert kept.tolist() == pytest.approx(expected, abs=2e-3)
        option = metric.partition("-")[2] or "ovrl"
        assert name == f"dnsmos-{option}-269fbebd-16000hz"


@needs(CARRIER)
def test_repeated_sound_is_heard_once() -> None:
    """Of 2 s, which are repeated to 16, seven windows begin at two places."""
    listener, heard = Listener(AudioModality(16_000)), []

    class Spy:
        def run(self, names: None, given: dict[str, object]) -> list[object]:
            heard.append(given["input_1"].shape)
            return [[[3.0, 3.0, 3.0]]]

    listener.network = Spy()
    listener.hear(stored(voice()[None, None]))
    assert heard == [(1, 144_160)] * 2
    heard.clear()
    listener.hear(stored(voice(seconds=12.0)[None, None]))
    assert len(heard) == 3


def test_too_short_and_unheard_of_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dnsmos, "listener", Unheard)
    comparison = Comparison("dnsmos", AudioModality(16_000))
    with pytest.raises(UserError, match="dnsmos needs recordings of 4,000 samples at least, these have 10"):
        comparison.seen(stored(voice()[None, None, :10]))
    with pytest.raises(UserError, match="dnsmos takes stored sound"):
        comparison.seen(voice()[None, None])


class Unheard(Listener):
    def __init__(self, kind: AudioModality) -> None:
        self.kind, self.opinions = kind, self.hear


@pytest.mark.usefixtures("offline")
def test_what_it_lacks_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("ganlit.metrics.carriers.find_spec", lambda name: None)
        said = r"^dnsmos: its weights are not here: run pip install --no-deps speechmos==0\.0\.1\.1, of which nothing "
        with pytest.raises(UserError, match=said):
            Listener(AudioModality(16_000))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"^dnsmos needs onnxruntime, which is not installed: run pip install -e"):
        Listener(AudioModality(16_000))
