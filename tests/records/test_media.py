from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from ganlit.records.media import (
    LARGEST,
    Place,
    companions,
    embedded,
    kind_of,
    named,
    one_under_the_other,
    write_film,
    write_picture,
)
from ganlit.records.samples import latest, pictures, place


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.png", "image"),
        ("a.wav", "audio"),
        ("a.mp4", "video"),
        ("a.gif", "video"),
        ("a.csv", "text"),
        ("a.txt", "text"),
        ("a.ckpt", None),
    ],
)
def test_a_file_is_what_its_suffix_says(name: str, kind: str | None) -> None:
    assert kind_of(Path(name)) == kind


def test_a_suffix_goes_behind_names_with_dots() -> None:
    assert named(Path("samples/kimg000001.5"), ".png") == Path("samples/kimg000001.5.png")


def test_what_would_be_replaced_with_a_picture_is_found(tmp_path: Path) -> None:
    for name in ("near.png", "near.jpg", "nearly", "far.csv"):
        (tmp_path / name).touch()
    assert companions(tmp_path / "near.png") == []
    (tmp_path / "near.csv").touch()
    (tmp_path / "near-0.wav").touch()
    assert [path.name for path in companions(tmp_path / "near.png")] == ["near-0.wav", "near.csv"]


def test_what_belongs_together_stands_one_under_the_other() -> None:
    sources, made = ([torch.tensor([number]) for number in numbers] for numbers in ([0, 1, 2, 3, 4], [5, 6, 7, 8, 9]))
    assert torch.cat(one_under_the_other([sources, made], 2)).tolist() == [0, 1, 5, 6, 2, 3, 7, 8]
    assert torch.cat(one_under_the_other([sources], 5)).tolist() == [0, 1, 2, 3, 4]


def test_pictures_become_a_film_that_rests_on_its_last(tmp_path: Path) -> None:
    sizes = [(900, 300), (900, 300), (450, 300)]
    files = [
        write_picture(Image.new("RGB", size, (90 * number, 0, 0)), tmp_path / f"{number}.0")
        for number, size in enumerate(sizes)
    ]
    with Image.open(write_film(files, tmp_path / "film.1", seconds=0.1, across=600)) as film:
        assert (film.size, film.n_frames, film.info["loop"]) == ((600, 200), 3, 0)
        seen = []
        for number in range(3):
            film.seek(number)
            seen.append((film.info["duration"], film.convert("RGB").getpixel((300, 100))[0]))
    assert [duration for duration, _ in seen] == [100, 100, 800]
    assert [red for _, red in seen] == pytest.approx([0, 90, 180], abs=3)
    with Image.open(write_film(files[:1], tmp_path / "still")) as film:
        assert (film.size, film.n_frames) == ((640, 213), 1)


def test_the_pictures_of_a_run_are_one_of_each_kimg(tmp_path: Path) -> None:
    assert pictures(tmp_path) == []
    for kimg in (10.0, 2.0, 100_000_000.0):
        write_picture(Image.new("L", (2, 2)), place(tmp_path, kimg))
    write_picture(Image.new("L", (2, 2)), place(tmp_path, 2.0).with_name("kimg000002.0-prior"))
    write_picture(Image.new("L", (2, 2)), tmp_path / "samples" / "real")
    assert [path.stem for path in pictures(tmp_path)] == ["kimg000002.0", "kimg000010.0", "kimg100000000.0"]


def test_pages_take_files_in_by_kind(tmp_path: Path) -> None:
    small = embedded(write_picture(Image.new("RGB", (7, 5)), tmp_path / "small"))
    assert (small.kind, small.across, small.scaled) == ("image", 7, False)
    assert small.source.startswith("data:image/png;base64,")
    large = embedded(write_picture(Image.effect_noise((1500, 1000), 90), tmp_path / "large"))
    assert (large.across, large.scaled) == (1400, True)
    for name, start in (("a.wav", "data:audio/"), ("a.mp4", "data:video/mp4;base64,"), ("a.csv", "x,y")):
        (tmp_path / name).write_text("x,y")
        assert embedded(tmp_path / name).source.startswith(start)
    (tmp_path / "half.png").write_bytes(b"half")
    assert embedded(tmp_path / "half.png") is None
    assert embedded(tmp_path / "none.png") is None
    (tmp_path / "long.wav").write_bytes(bytes(LARGEST + 1))
    assert embedded(tmp_path / "long.wav") is None
    (tmp_path / "a.ckpt").touch()
    assert embedded(tmp_path / "a.ckpt") is None


def test_the_latest_samples_are_found_whatever_they_are(tmp_path: Path) -> None:
    assert latest(tmp_path) is None
    for kimg, names in {9.5: ["a.png"], 12.0: ["-0.wav", "-1.wav", "-prior.png", ".png"]}.items():
        for name in names:
            path = place(tmp_path, kimg)
            path.parent.mkdir(exist_ok=True)
            path.with_name(path.name + name).touch()
    (tmp_path / "samples" / "real.png").touch()
    place(tmp_path, 15.0).with_name("kimg000015.0.wav").touch()  # whose picture a kill has prevented
    (tmp_path / "samples" / "kimg000099.0.partial").touch()
    found = latest(tmp_path)
    assert found.kimg == 12
    assert [file.name for file in found.files] == [
        f"kimg000012.0{name}" for name in (".png", "-prior.png", "-0.wav", "-1.wav")
    ]


def test_a_file_is_called_by_its_place_in_a_picture(tmp_path: Path) -> None:
    there = Place("kimg000000.1-prior", 2, 3)
    assert there.path(tmp_path, ".wav") == tmp_path / "kimg000000.1-prior-23.wav"
    assert Place.of(there.path(tmp_path, ".wav")) == there
    assert Place.of(Path("kimg000000.1.png")) is None
