from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganlit.data.audio.recordings import Recordings, Spectrograms, Vocoding
from ganlit.errors import UserError
from ganlit.networks.audio.spectrograms import MelSpectrogram

Make = Callable[..., Path]
Tone = Callable[..., np.ndarray]
NAMES = [f"{word}/{number}.wav" for word in ("one", "two") for number in range(5)]


def mel() -> MelSpectrogram:
    return MelSpectrogram(8000, 128, 32, bands=10)


def data_of(folder: Path, segment: int = 256, kind: type[Recordings] = Recordings, **options: Any) -> Recordings:
    given = {"batch": 4, "val_images": 4, "test_images": 4} | options
    if kind in (Vocoding, Spectrograms):
        data = kind(mel(), str(folder), segment, **given)
    else:
        data = Recordings(str(folder), given.pop("rate", 8000), segment, **given)
    data.prepare_data()
    data.setup("fit")
    return data


def test_windows_come_to_networks(make_sounds: Make) -> None:
    data = data_of(make_sounds(NAMES))
    batch = data.to_network(next(iter(data.train_dataloader())))
    assert (batch.item.shape, batch.item.dtype, batch.label.shape) == ((4, 1, 256), torch.float32, (4,))
    assert (data.classes, data.populated.tolist()) == (("one", "two"), [0, 1])
    assert data.reference.name == "sounds-heard256"
    assert data.grid(2, 2).label.tolist() == [0, 1, 0, 1]


def test_the_stream_hears_each_recording_once_a_pass_and_goes_on_where_it_was(
    make_sounds: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = data_of(make_sounds(NAMES), batch=5, tick=0.02)

    def from_(seen: int) -> list[torch.Tensor]:
        monkeypatch.setattr(data, "_images_seen", lambda: seen)
        return [batch.item for batch in data.train_dataloader()]

    whole = torch.cat(from_(0))
    assert whole.shape[0] == 20
    assert torch.equal(torch.cat(from_(10)), whole[10:])
    assert not torch.equal(whole[:10].sort(0).values, whole[10:].sort(0).values)  # other windows of the same


def test_a_share_is_held_out_and_never_heard(make_sounds: Make) -> None:
    data = data_of(make_sounds(NAMES), held_out=0.2, heard=512)
    assert (len(data.reference.items), len(data.dataset), len(data.trained_on.items)) == (2, 8, 8)
    assert (data.reference.name, data.trained_of("target").name) == (
        "sounds-heard512-held2",
        "sounds-heard512-trained8",
    )
    assert data.reference.items[:].shape == (2, 1, 512)
    held = set(range(10)) - set(data.trained.tolist())
    assert len(held) == 2
    assert data_of(make_sounds(NAMES), held_out=0.2, seed=5).reference.labels.tolist() == data.reference.labels.tolist()


def test_another_split_or_place_may_be_measured(make_sounds: Make) -> None:
    folder = make_sounds([f"{split}/{number}.wav" for split in ("train", "test") for number in range(4)])
    elsewhere = make_sounds(["a.wav", "b.wav", "c.wav", "d.wav"], "elsewhere")
    by_split, by_place = (data_of(folder, held_out=held) for held in ("test", str(elsewhere)))
    assert (by_split.reference.name, by_place.reference.name) == ("sounds-test-heard256", "elsewhere-heard256")
    assert by_split.trained_on.name == "sounds-train-heard256"


def test_pieces_of_one_recording_stay_together(make_sounds: Make) -> None:
    data = data_of(make_sounds(["a.wav", "b.wav", "c.wav", "d.wav"], seconds=0.5), cut=0.1, held_out=0.25)
    pieces = torch.tensor(data.stored.about["pieces"])
    assert (len(pieces), len(data.reference.items)) == (20, 5)
    assert len(set(pieces.tolist()) - set(pieces[data.trained].tolist())) == 1


def test_a_vocoder_is_given_spectrograms(make_sounds: Make) -> None:
    data = data_of(make_sounds(NAMES), kind=Vocoding, heard=512)
    pair = data.to_network(next(iter(data.train_dataloader())))
    assert (pair.source.shape, pair.target.shape) == ((4, 10, 8), (4, 1, 256))
    assert torch.equal(pair.source, mel()(pair.target))
    assert (data.modality_of("source").step, data.modality_of("label"), data.modality.rate) == (32, None, 8000)
    assert data.grid(1, 2).source.shape == (2, 10, 16)


@pytest.mark.parametrize("kind", [Vocoding, Spectrograms])
@pytest.mark.parametrize(("key", "length"), [("segment", 100), ("heard", 500)])
def test_a_window_has_whole_frames(kind: type[Vocoding | Spectrograms], key: str, length: int) -> None:
    with pytest.raises(UserError, match=rf"data.init_args.{key} is {length}, and the spectrogram has a hop of 32"):
        kind(mel(), "sounds", **({"segment": 256} | {key: length}))


def test_what_is_seen_as_spectrograms_is_stored_and_measured_as_sound(make_sounds: Make) -> None:
    data = data_of(make_sounds(NAMES), kind=Spectrograms)
    stored = next(iter(data.train_dataloader()))
    batch = data.to_network(stored)
    assert (batch.item.shape, stored.item.shape, stored.item.dtype) == ((4, 10, 8), (4, 1, 256), torch.int16)
    assert torch.equal(batch.item, mel()(stored.item / 2**15))
    assert data.reference.items[:2].shape == (2, 1, 256)
    heard = data.modality.to_stored(batch.item)
    assert (heard.shape, heard.dtype) == ((4, 1, 256), torch.int16)
    again = data.modality.to_network(heard)
    assert float((again - batch.item).abs().mean()) < 0.5 * float((again - batch.item.roll(1, 0)).abs().mean())
    with pytest.raises(UserError, match="makes spectrograms of 9 bands, while the data's have 10: set bands"):
        data.modality.to_stored(batch.item[:, :9])


def test_short_recordings_and_changes_are_told(make_sounds: Make, tone: Tone, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    for room in ("mapped", "audio.recordings"):
        monkeypatch.setattr(f"ganlit.data.{room}.rank_zero_info", told.append)
    data_of(make_sounds(["a.wav", "b.wav", "c.wav", "d.wav"], a=tone(0.02), b=(tone(0.1, 16000), 16000)))
    assert told == [
        "sounds: 1 of 4 recordings have 16,000 samples a second, resampled to 8,000",
        "sounds: 1 of 4 recordings are shorter than a window of 256 samples, and end in silence",
    ]


@pytest.mark.parametrize(
    ("spoilt", "options", "said"),
    [
        (
            {"rate": 8000},
            {"rate": 24000},
            "a.wav has 8,000 samples a second, fewer than the 24,000 that are wanted: set rate to 8000",
        ),
        ({"a": np.ones((10, 1)) / 2}, {}, "a.wav has 10 samples, less than 0.01 s: remove it, or set skip_bad: true"),
        ({"a": np.full((800, 1), np.nan)}, {}, "a.wav has 800 samples that are NaN or infinite: replace it"),
        ({"a": np.ones((800, 2)) / 2}, {}, "a.wav has 2 channels, not 1: set mix: true to average them."),
        (
            {"a": np.ones((800, 1)) * 9},
            {},
            "a.wav has samples of up to 9, where those of sound go to 1: set level: peak",
        ),
        ({"a": b"words"}, {}, "a.wav is no recording that can be read"),
    ],
)
def test_what_cannot_be_trained_on_is_named(make_sounds: Make, spoilt: Any, options: Any, said: str) -> None:
    with pytest.raises(UserError) as raised:
        data_of(make_sounds(["a.wav", "b.wav", "c.wav", "d.wav"], **spoilt), **options)
    assert said in str(raised.value)


def test_a_long_recording_is_to_be_cut(make_sounds: Make) -> None:
    folder = make_sounds(["a.wav"], seconds=1.0)
    with pytest.raises(
        UserError, match=r"sounds-heard256 has 1 recording to train on, fewer than a batch of 4: cut them"
    ):
        data_of(folder)
    assert len(data_of(folder, cut=0.12).dataset) == 8


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"segment": 0}, "data.init_args.segment is 0"),
        ({"rate": 0}, "data.init_args.rate is 0"),
        ({"heard": 0}, "data.init_args.heard is 0"),
        ({"held_out": 1.5}, "data.init_args.held_out is 1.5"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(options: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        Recordings(**({"source": "sounds", "rate": 8000, "segment": 256} | options))
