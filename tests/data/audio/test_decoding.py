from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlit.data.audio.catalogue import open_source
from ganlit.data.audio.decoding import decoded, lengths_of
from ganlit.data.audio.form import Form
from ganlit.data.store import Stored
from ganlit.errors import UserError

Make = Callable[..., Path]
Tone = Callable[..., np.ndarray]


PLAIN = Form(8000)


def kept(folder: Path, form: Form = PLAIN, skip_bad: bool = False, labels: bool = True) -> Stored:
    return decoded(open_source(str(folder), "train", Path(), labels), form, skip_bad)


def test_recordings_lie_one_after_another(make_sounds: Make, tone: Tone) -> None:
    long, short = tone(0.2, pitch=300.0), tone(0.05, pitch=700.0)
    found = kept(make_sounds(["cat/a.wav", "dog/b.wav"], a=long, b=short))
    items = found.reference.items
    assert (items.flat.dtype, items.flat.shape, items.lengths.tolist()) == (torch.int16, (2000, 1), [1600, 400])
    for item, wave in zip((items[0], items[1]), (long, short), strict=True):
        assert np.abs(item.numpy() - wave * 2**15).max() < 2  # soundfile writes 1 as 32767
    assert (found.reference.labels.tolist(), found.reference.classes) == ([0, 1], ("cat", "dog"))
    about = json.loads((found.folder / "about.json").read_text())
    assert about["shape"] == [2000, 1]


def test_they_are_decoded_once_and_anew_where_anything_matters(
    make_sounds: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_sounds(["a/1.wav", "b/2.wav"], rate=16000)
    forms = [Form(16000), Form(8000), Form(8000, level="peak"), Form(8000, 2, mix=True), Form(8000, cut=0.05)]
    folders = {kept(folder, form).folder for form in forms}
    folders |= {kept(folder, Form(8000), True).folder, kept(folder, Form(8000), labels=False).folder}
    assert len(folders) == 7
    monkeypatch.setattr("ganlit.data.audio.decoding.write_samples", lambda *given: pytest.fail("decoded again"))
    assert kept(folder, Form(8000)).folder in folders


def test_the_digest_is_of_what_is_heard_and_of_the_labels(make_sounds: Make) -> None:
    one, again = (kept(make_sounds(["x/a.wav", "y/b.wav"], name)).reference for name in ("one", "again"))
    assert one.digest == again.digest
    assert kept(make_sounds(["x/a.wav", "x/b.wav"], "other")).reference.digest != one.digest


def test_the_first_that_cannot_be_used_is_named_or_left_out(make_sounds: Make) -> None:
    folder = make_sounds(["a.wav", "b.wav", "c.wav"], b=np.zeros((800, 1), np.float32), c=b"words")
    said = (
        f"^{folder}/b.wav is silent: no sample is beyond 0.001 of 1: remove it, or set skip_bad: true to leave such out"
    )
    with pytest.raises(UserError, match=said):
        kept(folder)
    found = kept(folder, skip_bad=True)
    assert (len(found.reference.items), [title[-5:] for title, _ in found.skipped]) == (1, ["b.wav", "c.wav"])


def test_a_folder_of_silence_is_refused(make_sounds: Make) -> None:
    silence = np.zeros((800, 1), np.float32)
    folder = make_sounds(["a.wav", "b.wav"], a=silence, b=silence)
    with pytest.raises(
        UserError, match=r"sounds has no recording that can be used: all 2 are bad, as .*a.wav is silent"
    ):
        kept(folder, skip_bad=True)


def test_what_was_changed_is_told(make_sounds: Make, tone: Tone) -> None:
    folder = make_sounds(["a.wav", "b.wav"], a=(tone(0.1, 16000), 16000), b=tone(peak=1.5))
    assert kept(folder).about["notes"] == [
        "1 of 2 recordings have 16,000 samples a second, resampled to 8,000",
        "1 of 2 recordings go beyond 1, and are cut there: level: peak brings them to 0.95",
    ]
    assert len(kept(folder, Form(8000, level="peak")).about["notes"]) == 1


@given(st.integers(1, 10**6), st.none() | st.integers(1, 10**4))
def test_pieces_are_all_of_a_recording(length: int, piece: int | None) -> None:
    found = lengths_of(length, piece)
    assert sum(found) == length
    assert piece is None or all(each >= piece for each in found) or len(found) == 1
    assert piece is None or max(found) < 2 * piece


def test_long_recordings_are_cut_into_pieces(make_sounds: Make) -> None:
    found = kept(make_sounds(["a/1.wav", "b/2.wav"], seconds=0.25), Form(8000, cut=0.1))
    assert (found.reference.items.lengths.tolist(), found.about["pieces"]) == ([800, 1200, 800, 1200], [0, 0, 1, 1])
    assert found.reference.labels.tolist() == [0, 0, 1, 1]
