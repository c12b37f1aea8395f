from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from jsonargparse import ArgumentParser

from ganlit.data.base import GanDataModule
from ganlit.data.video.clips import Clips
from ganlit.data.video.prediction import Prediction
from ganlit.errors import UserError

Make = Callable[..., Path]
Shoot = Callable[..., np.ndarray]
NAMES = [f"{word}/{number}.mp4" for word in ("one", "two") for number in range(3)]
FOUR = ["a.mp4", "b.mp4", "c.mp4", "d.mp4"]


def data_of(folder: Path, frames: int = 4, kind: type[Clips] = Clips, **options: Any) -> Clips:
    given = {"resolution": 16, "batch": 3, "val_images": 3, "test_images": 3} | options
    data = kind(str(folder), **({} if kind is Prediction else {"frames": frames}), **given)
    data.prepare_data()
    data.setup("fit")
    return data


def test_windows_come_to_networks(make_clips: Make) -> None:
    data = data_of(make_clips(NAMES))
    stored = next(iter(data.train_dataloader()))
    batch = data.to_network(stored)
    assert (stored.item.shape, stored.item.dtype) == ((3, 3, 4, 16, 16), torch.uint8)
    assert (batch.item.shape, batch.item.dtype, batch.label.shape) == ((3, 3, 4, 16, 16), torch.float32, (3,))
    assert -1 <= batch.item.min() < batch.item.max() <= 1
    assert (stored.item.float().mean((1, 3, 4)).diff(dim=1).round() == 8).all()  # one frame after another
    assert (data.classes, data.populated.tolist()) == (("one", "two"), [0, 1])
    assert data.reference.name == "clips-seen4"
    assert data.grid(2, 2).label.tolist() == [0, 1, 0, 1]


def test_the_stream_shows_each_clip_once_a_pass_and_goes_on_where_it_was(
    make_clips: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = data_of(make_clips(NAMES), tick=0.012)

    def from_(seen: int) -> torch.Tensor:
        monkeypatch.setattr(data, "_images_seen", lambda: seen)
        return torch.cat([batch.item for batch in data.train_dataloader()])

    whole = from_(0)
    assert len(whole) == 12
    assert torch.equal(from_(6), whole[6:])
    assert not torch.equal(whole[:6].flatten(1).sort(0).values, whole[6:].flatten(1).sort(0).values)


def test_stride_and_rate(make_clips: Make) -> None:
    folder = make_clips(NAMES)
    strode = data_of(folder, stride=2)
    assert (strode.dataset[torch.arange(9)].item.float().mean((1, 3, 4)).diff(dim=1).round() == 16).all()
    assert strode.reference.name == "clips-seen4x2"
    slow = data_of(folder, fps=5, stride=1)
    assert slow.stored.reference.items.lengths.tolist() == [4] * 6
    assert torch.equal(slow.reference.items[:1].float().mean((1, 3, 4)).diff(dim=1).round(), torch.full((1, 3), 16.0))
    assert (slow.modality.rate, data_of(folder, frames=2, fps=5, stride=2).modality.rate) == (5, 2.5)


def test_a_share_is_held_out_and_never_seen(make_clips: Make) -> None:
    data = data_of(make_clips(NAMES), held_out=0.3)
    assert (len(data.reference.items), len(data.dataset), len(data.trained_on.items)) == (2, 4, 4)
    assert (data.reference.name, data.trained_on.name) == ("clips-seen4-held2", "clips-seen4-trained4")
    assert data_of(make_clips(NAMES, "others"), held_out=0.3, seed=4).trained.tolist() == data.trained.tolist()


def test_long_clips_are_cut(make_clips: Make) -> None:
    folder = make_clips(["a.mp4"], frames=32)
    with pytest.raises(UserError, match=r"clips-seen4 has 1 clip to train on, fewer than a batch"):
        data_of(folder)
    data = data_of(folder, cut=10)
    assert data.stored.reference.items.lengths.tolist() == [10, 10, 12]


def test_frames_are_brought_to_one_size_and_kind(make_clips: Make, shoot: Shoot) -> None:
    data = data_of(make_clips(["a.mp4", "b", "c.gif"], a=shoot(8, (24, 16))), fit="crop", channels=1, convert=True)
    assert data.reference.items[:].shape == (3, 1, 4, 16, 16)
    assert (data.reference.items[:].float().mean((1, 3, 4)).diff(dim=1) - 8).abs().max() <= 1


def test_short_clips_are_left_out_where_that_is_asked_for(
    make_clips: Make, shoot: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("ganlit.data.video.clips.rank_zero_info", told.append)
    folder = make_clips([*FOUR, "e.mp4"], b=shoot(3), e=shoot(3))
    with pytest.raises(UserError) as raised:
        data_of(folder)
    assert str(raised.value) == (
        f"{folder}/b.mp4 has 3 frames, fewer than the 4 of a window, as does one more: lower data.init_args.frames or "
        "stride until that is 3 or less, or set skip_bad: true to leave such out."
    )
    data = data_of(folder, skip_bad=True)
    assert told == ["clips: skipped 2 of 5 clips, which have fewer frames than the 4 of a window"]
    assert (len(data.dataset), data.reference.items[:].shape[0]) == (3, 3)
    assert data.dataset[torch.arange(3)].item[:, 0].float().mean((1, 2, 3)).round().unique().shape == (3,)
    with pytest.raises(UserError, match=r"lower data.init_args.frames or stride until that is 3 or less\.$"):
        data_of(folder, frames=64, skip_bad=True)


@pytest.mark.parametrize(
    ("spoilt", "options", "said"),
    [
        ({"a": b"words"}, {}, "a.mp4 is no clip that can be read"),
        ({"a": None}, {}, "a.mp4 has sound in it and nothing to see: remove it, or set skip_bad: true"),
        ({"a": 1}, {}, "a.mp4 has one frame, and is a picture: remove it, or set skip_bad: true"),
        ({"a": (20, 16)}, {}, "a.mp4 is 20x16, not 16x16: set fit: "),
        ({"a": [0, 100, 200, 900, 1000]}, {}, "a.mp4 has frames that are 0.1 to 0.7 s apart: set fps: 10 or less"),
        ({}, {"fps": 30}, "a.mp4 has 10 frames a second, fewer than the 30 that are wanted: set fps: 10 or less."),
        ({}, {"channels": 1}, "a.mp4 is RGB while channels is 1: set channels: 3 if all are RGB, else convert: true"),
    ],
)
def test_what_cannot_be_trained_on_is_named(
    make_clips: Make, shoot: Shoot, spoilt: dict[str, Any], options: Any, said: str
) -> None:
    for name, what in spoilt.items():
        if isinstance(what, int):
            spoilt = {name: shoot(what)}
        elif isinstance(what, tuple):
            spoilt = {name: shoot(8, what)}
        elif isinstance(what, list):
            spoilt = {name: (shoot(len(what)), what)}
    with pytest.raises(UserError) as raised:
        data_of(make_clips(FOUR, **spoilt), **options)
    assert said in str(raised.value)


def test_times_that_vary_are_made_even(make_clips: Make, shoot: Shoot) -> None:
    given = {"a": (shoot(5), [0, 100, 200, 900, 1000])}
    data = data_of(make_clips(["a.mp4", "b.mp4", "c.mp4"], frames=9, **given), fps=4)
    lengths = data.stored.reference.items.lengths.tolist()
    first = data.stored.reference.items[0].float().mean((1, 2, 3)).round()
    assert lengths == [5, 4, 4]
    assert first.tolist() == [20, 36, 36, 36, 52]  # at 0, 0.25, 0.5, 0.75 and 1 s


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"frames": 0}, "data.init_args.frames is 0"),
        ({"stride": 0}, "data.init_args.stride is 0"),
        ({"resolution": 0}, "data.init_args.resolution is 0"),
        ({"channels": 4}, "data.init_args.channels is 4"),
        ({"fps": 0}, "data.init_args.fps is 0"),
        ({"cut": 1}, "data.init_args.cut is 1"),
        ({"fit": "tiles"}, "data.init_args.fit is tiles"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(options: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        Clips(**({"source": "clips", "frames": 4, "resolution": 16} | options))


def test_what_comes_next_belongs_to_what_was_seen(make_clips: Make) -> None:
    data = data_of(make_clips(NAMES), kind=Prediction, past=3, next=2)
    stored = next(iter(data.train_dataloader()))
    pair = data.to_network(stored)
    assert (pair.source.shape, pair.target.shape) == ((3, 3, 3, 16, 16), (3, 3, 2, 16, 16))
    assert (stored.target.float().mean((1, 3, 4))[:, 0] - stored.source.float().mean((1, 3, 4))[:, -1] - 8 < 1).all()
    assert (data.reference.name, data.reference_of("source").name) == ("clips-seen5-behind3", "clips-seen5-past3")
    measured = data.measured[torch.arange(6)]
    assert torch.equal(data.reference.items[:], measured.target)
    assert torch.equal(data.reference_of("source").items[:], measured.source)
    assert data.trained_of("source").items[:2].shape == (2, 3, 3, 16, 16)
    assert data.grid(1, 2).source.shape == (2, 3, 3, 16, 16)
    with pytest.raises(UserError, match=r"data.init_args.past is 0"):
        Prediction("clips", 0, 1, 16)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("clips.Clips", {"source": "a", "frames": 4, "resolution": 16, "fps": 12.5, "batch": 3}),
        ("prediction.Prediction", {"source": "a", "past": 3, "next": 1, "resolution": 16, "stride": 2, "batch": 3}),
        ("prediction.DigitsPrediction", {"past": 3, "next": 1, "speeds": [1.0, 2.0], "batch": 3}),
        ("digits.MovingDigits", {"frames": 8, "digits": 2, "tick": 0.1}),
    ],
)
def test_configurations_can_have_them(kind: str, options: dict[str, Any]) -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(GanDataModule, "data")
    config = parser.parse_object({"data": {"class_path": f"ganlit.data.video.{kind}", "init_args": options}})
    data = parser.instantiate_classes(config).data
    assert (type(data).__name__, data.batch) == (kind.partition(".")[2], options.get("batch", 32))
