from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlit.configuration.names import kind_of, recognised
from ganlit.data.video.filmstrip import PADDING, strips
from ganlit.data.video.modality import VideoModality
from ganlit.data.video.reading import film
from ganlit.errors import UserError
from ganlit.records.media import Place

Make = Callable[..., Path]
Shoot = Callable[..., np.ndarray]


def clips(count: int = 2, channels: int = 3, frames: int = 6, height: int = 16, width: int = 16) -> torch.Tensor:
    """Smooth clips in which something goes down."""
    rows = torch.arange(height)[:, None] * 5 + torch.arange(width) * 3
    moved = torch.stack([rows + 10 * frame for frame in range(frames)])
    shades = torch.arange(count)[:, None] * 20 + torch.arange(channels) * 30
    return (moved + shades[..., None, None, None]).to(torch.uint8)


def read(file: Path) -> torch.Tensor:
    """[C, T, H, W]."""
    frames = np.stack([np.asarray(frame.picture().image) for frame in film(file)])
    return torch.from_numpy(frames).movedim(3, 0)


@given(st.lists(st.integers(0, 255), min_size=1))
def test_what_is_stored_goes_to_networks_and_back(values: list[int]) -> None:
    kind, stored = VideoModality(10), torch.tensor(values, dtype=torch.uint8).view(1, 1, -1, 1, 1)
    seen = kind.to_network(stored)
    assert (seen.dtype, bool((seen.abs() <= 1).all())) == (torch.float32, True)
    assert torch.equal(kind.to_stored(seen), stored)
    assert kind.to_stored(seen * 0 + 9).unique().tolist() == [255]


@pytest.mark.parametrize("size", [(16, 16), (17, 15)])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_written_as_mp4(tmp_path: Path, channels: int, size: tuple[int, int]) -> None:
    item = clips(1, channels, 6, *size)[0]
    file = VideoModality(12.5).write(item, tmp_path / "in" / "a.b")
    assert file == tmp_path / "in" / "a.b.mp4"
    found = read(file)
    assert found.shape == (3, 6, *size)
    assert (found.float() - item.float()).square().mean().sqrt() < 4
    assert [frame.time for frame in film(file)] == pytest.approx([number / 12.5 for number in range(6)], abs=1e-3)


def test_extractors_get_colours() -> None:
    kind = VideoModality()
    grey = kind.for_extractor(clips(channels=1))
    assert grey.shape == (2, 3, 6, 16, 16)
    assert torch.equal(grey[:, :1], grey[:, 2:])
    with pytest.raises(UserError, match="These clips have 2 channels"):
        kind.for_extractor(clips(channels=2))


def test_they_last() -> None:
    assert VideoModality(12).seconds(clips(4)) == 2
    assert VideoModality().seconds(clips(25)) == 6


def test_they_are_shown_as_strips_and_films(tmp_path: Path) -> None:
    kind = VideoModality(10)
    picture, *films = kind.show([clips(6), clips(4, 1, 3)], 5, tmp_path / "kimg0")
    assert picture == tmp_path / "kimg0.png"
    strip = 16 * (6 + 1)
    assert Image.open(picture).size == (5 * (strip + PADDING) + PADDING, 2 * (16 + PADDING) + PADDING)
    assert [film.name for film in films] == [f"kimg0-{row}{column}.gif" for row in range(2) for column in range(4)]
    assert Place.of(films[5]) == Place("kimg0", 1, 1)
    with Image.open(films[0]) as image:
        assert (image.n_frames, image.info["duration"], image.info["loop"]) == (6, 100, 0)
    assert (read(films[0]).float() - clips()[0].float()).square().mean().sqrt() < 8


def test_a_strip_ends_with_one_line_over_time() -> None:
    clip = clips(1, 1, 16)
    strip = strips(clip, 4)[0, 0]
    assert strip.shape == (16, 5 * 16)
    for number, frame in enumerate((0, 5, 10, 15)):
        assert torch.equal(strip[:, number * 16 : (number + 1) * 16], clip[0, 0, frame])
    assert torch.equal(strip[:, -16:], clip[0, 0, :, 8])


def test_large_ones_are_shown_small() -> None:
    seen = VideoModality().glance(clips(2, 3, 200, 20, 256))
    assert (seen.shape, seen.dtype) == ((2, 3, 128, 10, 128), torch.uint8)
    assert VideoModality().glance(clips()).shape == clips().shape


def test_it_recognises_clips(make_clips: Make, make_folder: Make, tmp_path: Path) -> None:
    kind, folder = VideoModality(), make_clips(["a.mp4", "b.webm", "c.txt", "d.txt"], b=b"", c=b"", d=b"")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as packed:
        packed.write(folder / "a.mp4")
    assert kind.recognises(str(folder)) == 0.5
    places = [folder / "a.mp4", tmp_path / "set.zip", "ucf101", folder / "c.txt", "digits", "sc09", ""]
    assert [kind.recognises(str(place)) for place in places] == [1, 1, 1, 0, 0, 0, 0]
    assert recognised(str(folder)).name == recognised(str(folder / "a.mp4")).name == "video"
    assert recognised(str(make_clips(["a.gif", "b.gif"], "gifs"))).name == "video"
    assert recognised(str(make_folder(["x/frame_001.png", "x/frame_002.png"], "shots"))).name == "video"
    assert recognised(str(make_folder(["cat/001.png", "cat/002.png"]))).name == "images"
    assert recognised(str(make_folder(["a.wav"], "sounds", a=b""))).name == "audio"


def test_an_empty_folder_is_of_no_kind_but_beside_one_that_is(make_clips: Make, tmp_path: Path) -> None:
    (tmp_path / "nothing" / "in_it").mkdir(parents=True)
    empty, clips = str(tmp_path / "nothing"), str(make_clips(["a.mp4"]))
    with pytest.raises(UserError, match=r"nothing is an empty folder: put clips, images, .*recordings or texts into"):
        kind_of(empty)
    assert kind_of(empty, clips).name == kind_of(clips, empty).name == "video"
    assert kind_of("of this name there is no set").name == "images"
    with pytest.raises(UserError, match="nothing is an empty folder: put clips into it"):
        kind_of(empty, clips).open(empty, "train", tmp_path)


def test_rates_that_mean_nothing_are_refused() -> None:
    with pytest.raises(UserError, match=r"VideoModality\.rate is 0"):
        VideoModality(0)
