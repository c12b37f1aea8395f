from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganlit.data.images.form import Form as PictureForm
from ganlit.data.video.collection import Seen
from ganlit.data.video.form import Form, Trained
from ganlit.data.video.modality import VideoModality
from ganlit.errors import UserError

Make = Callable[..., Path]
Shoot = Callable[..., np.ndarray]
TRAINED = Trained(Form(PictureForm(16, 3)), 4, 1)


def opened(place: Path) -> Seen:
    return VideoModality().open(str(place), "train", Path())


def brought(place: Path, any_size: bool = False, trained: Trained = TRAINED, **options: Any) -> Seen:
    return VideoModality().bring(place, trained, False, any_size, **options)


def test_a_folder_is_opened_as_it_is(make_clips: Make, shoot: Shoot) -> None:
    folder = make_clips(["x/a.mp4", "y/b.mp4"], a=shoot(8, (24, 18)), b=shoot(8, (24, 18), dark=60))
    found = opened(folder)
    assert (found.name, found.paths, found.classes) == ("clips", ["x/a", "y/b"], ("x", "y"))
    assert (found.modality.rate, found.together, found.labels.tolist()) == (10, 64, [0, 1])
    assert (found[0:2].shape, found[0:2].dtype) == ((2, 3, 8, 18, 24), torch.uint8)
    assert torch.equal(found[torch.tensor([1])], found[0:2][1:])
    assert found.chosen([1]).paths == ["y/b"]
    assert found.chosen([1]).whole.digest == found.digest != found.chosen([1]).digest


def test_the_same_files_elsewhere_are_the_same(make_clips: Make) -> None:
    one, other = (opened(make_clips(["a.mp4", "b"], name)) for name in ("one", "other"))
    assert one.digest == other.digest


def test_clips_of_several_lengths_come_one_by_one(make_clips: Make, shoot: Shoot) -> None:
    found = opened(make_clips(["a.mp4", "b.mp4"], b=shoot(5)))
    assert found.together == 1
    assert [found[place : place + 1].shape[2] for place in range(2)] == [8, 5]
    with pytest.raises(UserError, match=r"b.mp4 is 5 frames of 16x16 while .*a.mp4 is 8 frames of 16x16: these are"):
        found[0:2]


def test_uneven_times_do_not_matter_where_nothing_is_trained(make_clips: Make, shoot: Shoot) -> None:
    found = opened(make_clips(["a.mp4"], a=(shoot(5), [0, 100, 200, 900, 1000])))
    assert found[0:1].shape == (1, 3, 5, 16, 16)


def test_they_are_brought_to_a_training(make_clips: Make, shoot: Shoot) -> None:
    folder = make_clips(["a.mp4", "b.mp4"], b=shoot(6))
    assert brought(folder)[0:2].shape == (2, 3, 4, 16, 16)
    assert brought(folder, True)[0:1].shape == (1, 3, 8, 16, 16)
    assert brought(folder, frames=2)[0:1].shape == (1, 3, 2, 16, 16)
    first = brought(folder)[0:1].float().mean((1, 3, 4)).round()
    last = brought(folder, trained=TRAINED._replace(end=True))[0:1].float().mean((1, 3, 4)).round()
    assert (first.tolist(), last.tolist()) == ([[20, 28, 36, 44]], [[52, 60, 68, 76]])
    assert brought(folder, True, TRAINED._replace(end=True))[0:2].shape == (2, 3, 4, 16, 16)
    strode = brought(folder, trained=TRAINED._replace(frames=3, stride=2, end=True))
    assert strode[0:1].float().mean((1, 3, 4)).round().tolist() == [[44, 60, 76]]


def test_they_are_taken_as_they_are_where_any_size_will_do(make_clips: Make, shoot: Shoot) -> None:
    folder = make_clips(["a.mp4"], a=shoot(6, (20, 18)))
    assert brought(folder, True)[0:1].shape == (1, 3, 6, 18, 20)
    assert brought(folder, True, fit="crop")[0:1].shape == (1, 3, 6, 16, 16)


@pytest.mark.parametrize(
    ("spoilt", "options", "said"),
    [
        ({"a": (20, 16)}, {}, r"a.mp4 is 20x16, not 16x16: add --fit crop\.$"),
        ({"a": 3}, {}, r"a.mp4 has 3 frames, fewer than the 4 that are wanted: remove it\.$"),
        ({"a": [0, 100, 200, 900, 1000]}, {}, r"a.mp4 has frames that are .* s apart: add --fps 10 or less to take"),
        ({}, {"fps": 20}, r"a.mp4 has 10 frames a second, fewer than the 20 that are wanted: add --fps 10 or less\.$"),
        ({"a": b"words"}, {}, r"a.mp4 is no clip that can be read \(.*\): remove it\.$"),
        ({}, {"fps": 0}, "--fps is 0"),
        ({}, {"frames": 0}, "--frames is 0"),
    ],
)
def test_what_does_not_fit_is_named_with_the_option_that_helps(
    make_clips: Make, shoot: Shoot, spoilt: dict[str, Any], options: Any, said: str
) -> None:
    kinds: dict[type, Callable[[Any], Any]] = {
        tuple: lambda size: shoot(8, size),
        int: shoot,
        list: lambda times: (shoot(len(times)), times),
        bytes: lambda content: content,
    }
    given = {name: kinds[type(what)](what) for name, what in spoilt.items()}
    with pytest.raises(UserError, match=said):
        brought(make_clips(["a.mp4"], **given), **options)[0:1]


def test_what_is_no_clip_is_not_opened(make_folder: Make) -> None:
    folder = make_folder(["a.txt"], a=b"words")
    with pytest.raises(UserError, match="photos is a folder without clips: put clips into it"):
        opened(folder)
    with pytest.raises(UserError, match=r"a.txt is neither a clip, for it has not the suffix of one, nor a zip"):
        opened(folder / "a.txt")
