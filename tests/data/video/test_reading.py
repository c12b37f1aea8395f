from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from ganlit.data.objections import Objected
from ganlit.data.video.catalogue import open_source
from ganlit.data.video.reading import film, header_of_film
from ganlit.errors import UserError

Make = Callable[..., Path]
Shoot = Callable[..., np.ndarray]


def pixels_of(frames: Any) -> np.ndarray:
    return np.stack([np.asarray(frame.picture().image) for frame in frames])


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".gif", ".webm"])
def test_films_are_read_frame_by_frame(make_clips: Make, shoot: Shoot, suffix: str) -> None:
    file = make_clips([f"a{suffix}"], a=shoot(6, (18, 16))) / f"a{suffix}"
    frames = list(film(file))
    assert [frame.size for frame in frames] == [(18, 16)] * 6
    assert [round(frame.time, 2) for frame in frames] == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
    found = pixels_of(frames)
    assert np.abs(found.astype(int) - shoot(6, (18, 16))).max() <= (4 if suffix == ".webm" else 1)
    assert (header_of_film(file).size, round(header_of_film(file).rate)) == ((18, 16), 10)


def test_a_film_in_memory_is_read_and_closed(make_clips: Make) -> None:
    content = io.BytesIO((make_clips(["a.mp4"]) / "a.mp4").read_bytes())
    assert len(list(film(content))) == 8
    assert content.closed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"only words", "is no clip that can be read"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n", "is no clip that can be read"),
        (None, "has sound in it and nothing to see"),
    ],
)
def test_what_is_no_film_is_said(make_clips: Make, content: Any, said: str) -> None:
    file = make_clips(["a.mp4"], a=content) / "a.mp4"
    with pytest.raises(Objected, match=said):
        list(film(file))


def test_a_film_that_was_cut_is_not_taken_for_a_shorter_one(make_clips: Make) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), dtype=np.uint8)
    file = make_clips(["a.avi"], a=noise) / "a.avi"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(Objected, match=r"of 8 frames are there|can be read"):
        list(film(file))


def test_cover_art_is_no_film(tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (16, 16)).save(picture, "PNG")
    with av.open(str(tmp_path / "a.mp4"), "w") as content:
        sound = content.add_stream("aac", rate=8000)
        cover = content.add_stream("png", rate=1)
        cover.width = cover.height = 16
        cover.pix_fmt = "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        content.start_encoding()
        packet = av.Packet(picture.getvalue())
        packet.stream, packet.pts, packet.dts = cover, 0, 0
        content.mux(packet)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        content.mux(sound.encode(frame))
        content.mux(sound.encode())
    with pytest.raises(Objected, match="has sound in it and nothing to see"):
        list(film(tmp_path / "a.mp4"))


def test_without_pyav_a_sentence_says_so(make_clips: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    file = make_clips(["a.mp4"]) / "a.mp4"
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(UserError, match=r'Video needs the package av, .*pip install -e "\.\[video\]"'):
        list(film(file))


def test_folders_hold_films_and_numbered_pictures(make_clips: Make) -> None:
    folder = make_clips(["b/one.mp4", "b/two", "a/three.gif", "a/four", "a/poster.jpg"], poster=b"")
    source = open_source(str(folder), "train", Path())
    assert source.members == ["a/four", "a/three.gif", "b/one.mp4", "b/two"]
    assert [source.label(index) for index in range(4)] == [0, 0, 1, 1]
    assert source.classes == ("a", "b")
    assert [source.stem(index) for index in range(4)] == ["a/four", "a/three", "b/one", "b/two"]
    assert [len(list(source.clip(index))) for index in range(4)] == [8, 8, 8, 8]
    assert source.beside == ["a/poster.jpg"]


def test_frames_are_in_the_order_of_their_numbers_and_their_clips_by_name(make_clips: Make, shoot: Shoot) -> None:
    folder = make_clips([])
    folder.mkdir()
    for number, pixels in enumerate(shoot(12)):
        Image.fromarray(pixels).save(folder / f"cat_{number + 1}.png")
        Image.fromarray(pixels[::-1] + 1).save(folder / f"dog_{number + 1:02}.png")
    source = open_source(str(folder), "train", Path())
    assert source.members == ["cat", "dog"]
    assert source.classes == ()
    assert (pixels_of(source.clip(0)) == shoot(12)).all()
    assert (pixels_of(source.clip(1)) == shoot(12) + 1).all()


def test_a_folder_of_frames_is_one_clip(make_clips: Make) -> None:
    folder = make_clips(["a"]) / "a"
    source = open_source(str(folder), "train", Path())
    assert (len(source), source.title(0)) == (1, str(folder))
    (folder / "004.png").unlink()
    with pytest.raises(UserError, match="clips/a lacks frames: behind number 3 comes 5: number the frames anew"):
        list(open_source(str(folder), "train", Path()).clip(0))
    (folder / "004.png").write_bytes((folder / "003.png").read_bytes())
    (folder / "004.bmp").write_bytes((folder / "003.png").read_bytes())
    with pytest.raises(UserError, match="clips/a has two frames with the number 4: leave one of them"):
        list(open_source(str(folder), "train", Path()).clip(0))


def test_zips_are_read_as_folders_are(make_clips: Make, tmp_path: Path) -> None:
    folder = make_clips(["x/a.mp4", "x/b"])
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as packed:
        for path in sorted(folder.rglob("*.*")):
            packed.write(path, path.relative_to(folder))
    one, other = (open_source(str(place), "train", Path()) for place in (folder, tmp_path / "set.zip"))
    assert one.members == other.members == ["x/a.mp4", "x/b"]
    for index in range(2):
        assert (pixels_of(one.clip(index)) == pixels_of(other.clip(index))).all()
        assert one.undecoded(index) == other.undecoded(index)
        assert one.header(index) == other.header(index)


def test_sets_lie_as_their_publishers_have_them(make_clips: Make, tmp_path: Path) -> None:
    names = [f"UCF-101/{word}/v_{word}_{number}.avi" for word in ("Jump", "Run") for number in range(2)]
    root = make_clips([*names, "sky_timelapse/sky_train/sea/one", "sky_timelapse/sky_train/sea/two"], "root")
    (root / "ucfTrainTestlist").mkdir()
    (root / "ucfTrainTestlist" / "trainlist01.txt").write_text("Jump/v_Jump_0.avi 1\nRun/v_Run_1.avi 2\n")
    source = open_source("UCF101", "train", root)
    assert (source.name, source.members) == ("ucf101-train", ["Jump/v_Jump_0.avi", "Run/v_Run_1.avi"])
    assert source.classes == ("Jump", "Run")
    assert len(open_source("ucf101", "all", root)) == 4
    sky = open_source("sky_timelapse", "train", root)
    assert (sky.members, sky.label(0)) == (["sea/one", "sea/two"], None)
    with pytest.raises(UserError, match=r"testlist01.txt is not there: put the lists of ucf101 there, or set split"):
        open_source("ucf101", "test", root)
    with pytest.raises(UserError, match=r"faceforensics is not in .*: get it from https"):
        open_source("faceforensics", "train", root)
    with pytest.raises(UserError, match=r"sky_timelapse has no split val: set split to one of train, test\."):
        open_source("sky_timelapse", "val", root)
