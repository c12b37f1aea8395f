from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganlit.data.audio.collection import Heard
from ganlit.data.audio.form import Form, Trained
from ganlit.data.audio.modality import AudioModality
from ganlit.errors import UserError

Make = Callable[..., Path]
Tone = Callable[..., np.ndarray]
TRAINED = Trained(Form(8000), 400)


def opened(place: Path, rate: int | None = None) -> Heard:
    return AudioModality(rate).open(str(place), "train", Path())


def brought(place: Path, any_size: bool = True, **options: Any) -> Heard:
    return AudioModality().bring(place, TRAINED, False, any_size, **options)


def test_a_folder_tells_its_rate_and_channels(make_sounds: Make, tone: Tone) -> None:
    folder = make_sounds(["a.wav", "b.wav"], b=(tone(0.1, 16000), 16000))
    found = opened(folder)
    assert (found.modality.rate, found.modality.channels) == (8000, 1)  # the lowest
    assert (found[0:2].shape, found[0:2].dtype) == ((2, 1, 800), torch.int16)
    stereo = opened(make_sounds(["a.wav"], "stereo", a=tone(channels=2)))
    assert (stereo.modality.channels, stereo[0:1].shape) == (2, (1, 2, 800))


def test_a_rate_that_is_known_is_the_one(make_sounds: Make) -> None:
    folder = make_sounds(["a.wav"], rate=16000)
    assert opened(folder, 8000)[0:1].shape == (1, 1, 800)
    with pytest.raises(
        UserError, match=r"a.wav has 16,000 samples a second, fewer than the 44,100 that are wanted: name"
    ):
        opened(folder, 44100)[0:1]


def test_whole_recordings_are_asked_for_one_by_one(make_sounds: Make, tone: Tone) -> None:
    folder = make_sounds(["a.wav", "b.wav", "c.wav"], b=tone(0.05))
    found = opened(folder)
    assert (len(found), found.together, found.paths) == (3, 1, ["a", "b", "c"])
    assert [found[place : place + 1].shape[2] for place in range(3)] == [800, 400, 800]
    several = found[torch.tensor([1, 0])]
    assert torch.equal(several[0, :, :400], found[1:2][0])
    assert not several[0, :, 400:].any()
    assert found.chosen([0, 2]).together == 64
    assert (found.chosen([2]).name, found.chosen([2]).whole.name, found.chosen([2]).paths) == (
        "sounds-1",
        "sounds",
        ["c"],
    )


def test_the_digest_is_of_the_content_the_labels_and_the_rate(make_sounds: Make) -> None:
    one, again = (make_sounds(["x/a.wav", "y/b.wav"], name) for name in ("one", "again"))
    assert opened(one).digest == opened(again).digest
    assert (opened(one).classes, opened(one).labels.tolist()) == (("x", "y"), [0, 1])
    others = [opened(make_sounds(["x/a.wav", "x/b.wav"], "other")), opened(one, 4000), opened(one).chosen([0])]
    assert len({opened(one).digest, *(other.digest for other in others)}) == 4


def test_what_is_brought_is_whole_or_as_long_as_in_training(make_sounds: Make, tone: Tone) -> None:
    folder = make_sounds(["a.wav", "b.wav"], a=(tone(0.2, 16000), 16000), b=tone(0.02))
    assert [brought(folder)[place : place + 1].shape[2] for place in range(2)] == [1600, 160]
    fixed = brought(folder, any_size=False)
    assert (fixed.together, fixed[1:2].shape) == (64, (1, 1, 400))
    assert not fixed[1:2][..., 160:].any()
    with pytest.raises(UserError, match=r"a.wav has 0.2 s, more than the 0.05 of the training: add --seconds 0.2, or"):
        fixed[0:1]
    assert brought(folder, any_size=False, seconds=0.1)[0:2].shape == (2, 1, 800)


def test_silence_may_be_translated_and_measured(make_sounds: Make) -> None:
    folder = make_sounds(["a.wav"], a=np.zeros((800, 1)))
    assert not any(found[0:1].any() for found in (brought(folder), opened(folder)))


def test_a_file_a_zip_or_a_list_is_brought_too(make_sounds: Make) -> None:
    folder = make_sounds(["a.wav", "b.wav"])
    (folder / "list.csv").write_text("path\nb.wav\n")
    assert (brought(folder / "a.wav").paths, brought(folder / "list.csv").paths) == (["a"], ["b"])
    assert brought(folder / "a.wav").kept(slice(0, 1)).beside == [None]


@pytest.mark.parametrize(
    ("given", "said", "options"),
    [
        (
            {"rate": 4000},
            "a.wav has 4,000 samples a second, fewer than the 8,000 that are wanted: add --upsample.",
            "upsample",
        ),
        ({"channels": 2}, "a.wav has 2 channels, not 1: add --mix.", "mix"),
        ({"peak": 900.0}, "where those of sound go to 1: add --level peak.", "level"),
    ],
)
def test_what_does_not_fit_names_the_option(make_sounds: Make, tone: Tone, given: Any, said: str, options: str) -> None:
    folder = make_sounds(["a.wav"], a=(tone(0.5, **given), given.get("rate", 8000)))
    with pytest.raises(UserError) as raised:
        brought(folder)[0:1]
    assert said in str(raised.value)
    chosen = {"level": "peak"} if options == "level" else {options: True}
    assert brought(folder, **chosen)[0:1].shape == (1, 1, 4000)


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (np.full((10, 1), 0.5), "a.wav has 10 samples, less than 0.01 s: remove it."),
        (np.full((800, 1), np.nan), "a.wav has 800 samples that are NaN or infinite: replace it."),
    ],
)
def test_what_is_no_sound_is_refused(make_sounds: Make, samples: np.ndarray, said: str) -> None:
    folder = make_sounds(["a.wav"], a=samples)
    for found in (brought(folder), opened(folder)):
        with pytest.raises(UserError) as raised:
            found[0:1]
        assert str(raised.value) == f"{folder}/{said}"
