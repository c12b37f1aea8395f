from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image
from points import Rows, write
from squares import Answer, part, tiny

from ganlit.configuration.rebuild import build, load
from ganlit.data.images.label_maps import painted
from ganlit.data.images.label_modality import LabelMaps
from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError
from ganlit.networks.pairs import ThereAndBack
from ganlit.records.durable import write_weights
from ganlit.records.samples import latest
from ganlit.studies.evaluation import inputs
from ganlit.studies.evaluation.generate import generate
from ganlit.studies.evaluation.translate import Shown, through, translate, turn

Command = Callable[..., Answer]


@pytest.fixture(scope="module")
def configuration() -> str:
    generator = part("ConvVAE", resolution=16, channels=1, z_dim=4, width=4)
    return tiny("Translation", {"generator": generator, "criteria": [part("L1")]}, data={"batch": 8})


@pytest.fixture(scope="module")
def few(place: Path) -> Path:
    """Eleven of the squares: ten in two folders, and one beside them."""
    for index in range(10):
        shelf = ("dark", "light")[index % 2]
        (place / "few" / shelf).mkdir(parents=True, exist_ok=True)
        shutil.copy(place / "squares" / shelf / f"{index}.png", place / "few" / shelf)
    shutil.copy(place / "squares" / "dark" / "10.png", place / "few" / "a.b.png")
    return place / "few"


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def reconstruction(run: str, *files: Path) -> list[np.ndarray]:
    """What the averaged generator makes of pictures."""
    images = ImageModality()
    stored = torch.stack([torch.from_numpy(pixels(file).copy())[None] for file in files])
    with torch.no_grad():
        made = load(run).ema(images.to_network(stored), torch.zeros(len(files), dtype=torch.int64))
    return [item[0].numpy() for item in images.to_stored(made.output)]


def near(one: np.ndarray, other: np.ndarray) -> bool:
    """Up to rounding, which a batch may change."""
    return one.shape == other.shape and int(np.abs(one.astype(int) - other.astype(int)).max()) <= 1


def test_a_run_translates_a_folder_under_the_same_names(ganlit: Command, place: Path, few: Path) -> None:
    assert ganlit("fit", "--config", "tiny.yaml", "--fidelity", "null").code == 0
    answer = ganlit("translate", "runs/tiny", "few", "--out", "new")
    assert answer.code == 0
    assert "11 images in new, the first 8 below what they were made of in new-grid.png" in answer.out
    assert names(place / "new") == names(few)
    for name in ("a.b.png", "dark/4.png", "light/9.png"):
        assert near(pixels(place / "new" / name), reconstruction("runs/tiny", few / name)[0])
    rows = pixels(place / "new-grid.png")
    assert rows.shape[:2] == (2 * 18 + 2, 8 * 18 + 2)
    assert np.array_equal(rows[2:18, 2:18, 0], pixels(few / "a.b.png"))  # they are sorted
    assert np.array_equal(rows[20:36, 2:18, 0], pixels(place / "new" / "a.b.png"))

    assert [file.name for file in latest(place / "runs" / "tiny").files] == [
        "kimg000000.1.png",
        "kimg000000.1-prior.png",
    ]
    answer = ganlit("translate", "runs/tiny", "few/dark")  # into the run
    assert "5 images in runs/tiny/translated, below what they were made of" in answer.out
    refused = ganlit("translate", "runs/tiny", "few/dark")
    assert refused.code == 2
    assert refused.err == "error: runs/tiny/translated is not an empty folder: give another --out.\n"


def test_a_zip_and_a_file_are_translated_like_a_folder(averages: Path, few: Path, ganlit: Command) -> None:
    with ZipFile("few.zip", "w") as archive:
        for name in names(few):
            archive.write(few / name, name)
    for source, out in {"few": "folder", "few.zip": "zipped", "few/light/3.png": "alone"}.items():
        assert ganlit("translate", "vae.safetensors", source, "--out", out).code == 0
    assert names(averages / "zipped") == names(averages / "folder") == names(few)
    for name in names(few):
        assert (averages / "zipped" / name).read_bytes() == (averages / "folder" / name).read_bytes()
    assert names(averages / "alone") == ["3.png"]
    assert near(pixels(averages / "alone" / "3.png"), pixels(averages / "folder" / "light" / "3.png"))


def test_folders_that_are_called_as_splits_all_count(averages: Path, few: Path, ganlit: Command) -> None:
    for split in ("train", "test"):
        shutil.copytree(few / "dark", Path("splits", split))
    assert ganlit("translate", "vae.safetensors", "splits", "--out", "of-splits").code == 0
    assert len(names(averages / "of-splits")) == 10


def test_memory_holds_a_piece_at_a_time(
    averages: Path, few: Path, ganlit: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "SAMPLED", 4)
    sizes = []
    original = ImageModality.to_network
    monkeypatch.setattr(ImageModality, "to_network", lambda self, x: sizes.append(len(x)) or original(self, x))
    assert ganlit("translate", "vae.safetensors", "few", "--out", "pieces").code == 0
    assert sizes == [4, 4, 3]
    assert len(names(averages / "pieces")) == 11


@pytest.mark.parametrize(
    ("mode", "size", "options", "said"),
    [
        ("L", (20, 16), [], "odd/1.png is 20x16, not 16x16: add --fit crop, or leave such images out by --skip_bad."),
        ("L", (20, 20), [], "is 20x20, not 16x16: add --fit resize, or leave"),
        ("RGB", (16, 16), [], "is RGB while channels is 1: add --convert, or leave"),
        ("RGB", (20, 16), [], "is RGB while channels is 1: add --fit crop --convert, or leave"),
        ("RGB", (20, 16), ["--convert"], "is 20x16, not 16x16: add --fit crop, or leave"),
        ("L", (20, 16), ["--fit", "pad"], "is 20x16, larger than 16x16: add --fit crop, or leave"),
        ("L", (20, 16), ["--fit", "any"], "): give what it was trained on."),
    ],
)
def test_a_picture_of_another_form_is_named_with_the_option_that_helps(
    averages: Path, ganlit: Command, tmp_path: Path, mode: str, size: tuple[int, int], options: list[str], said: str
) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    Image.new("L", (16, 16), 9).save(odd / "0.png")
    Image.new(mode, size, "white").save(odd / "1.png")
    answer = ganlit("translate", "vae.safetensors", str(odd), "--out", str(tmp_path / "new"), *options)
    assert answer.code == 2
    assert "/odd" in answer.err
    assert said in answer.err
    if "add " in said:
        helpful = said.partition("add ")[2].partition(", or")[0].split()
        again = ganlit("translate", "vae.safetensors", str(odd), "--out", str(tmp_path / "new"), *options, *helpful)
        assert again.code == 0
        assert [pixels(tmp_path / "new" / f"{n}.png").shape for n in range(2)] == [(16, 16)] * 2


def test_a_network_that_takes_any_size_is_given_pictures_as_they_are(averages: Path, tmp_path: Path) -> None:
    sizes = {"small": (16, 16), "wide": (24, 12), "odd": (15, 16)}
    place = tmp_path / "sizes"
    place.mkdir()
    for name, size in sizes.items():
        Image.new("L", size, 99).save(place / f"{name}.png")
    translate("kl.safetensors", str(place), out=str(tmp_path / "own"))
    assert [pixels(tmp_path / "own" / f"{name}.png").shape[::-1] for name in sizes] == [*sizes.values()]
    translate("kl.safetensors", str(place), out=str(tmp_path / "larger"), fit="crop", resolution=32)
    assert [pixels(tmp_path / "larger" / f"{name}.png").shape for name in sizes] == [(32, 32)] * 3
    with pytest.raises(UserError, match=r"odd.png is 15x16, not square: add --fit crop, or leave"):
        translate("kl.safetensors", str(place), out=str(tmp_path / "never"), fit="resize")
    with pytest.raises(UserError, match=r"odd.png is 15x16, not 16x16: add --fit crop, or leave"):
        translate("kl.safetensors", str(place), out=str(tmp_path / "never"), resolution=16)  # of which all shall be
    with pytest.raises(UserError, match=r"--resolution is 0"):
        translate("kl.safetensors", str(place), out=str(tmp_path / "never"), resolution=0)


def test_what_is_broken_is_told_or_left_out(averages: Path, few: Path, ganlit: Command) -> None:
    bad = shutil.copytree(few, "bad")
    (Path(bad) / "dark" / "broken.png").write_bytes((few / "a.b.png").read_bytes()[:48])
    (Path(bad) / "words.txt").write_text("words")
    answer = ganlit("translate", "vae.safetensors", "bad", "--out", "none")
    assert answer.code == 2
    assert "bad/dark/broken.png is truncated or damaged" in answer.err
    assert answer.err.endswith("or leave such images out by --skip_bad.\n")
    answer = ganlit("translate", "vae.safetensors", "bad", "--out", "none", "--skip_bad")
    assert answer.code == 0, answer.err
    assert "left out 2 of 13 images: bad/dark/broken.png" in answer.out
    assert "bad/words.txt is not an image: remove it." in answer.out
    assert names(averages / "none") == names(few)
    Path("worse").mkdir()
    Path("worse/broken.png").write_text("x")
    answer = ganlit("translate", "vae.safetensors", "worse", "--out", "nothing", "--skip_bad")
    assert (answer.code, "worse has no image that can be used: of all, worse/broken.png" in answer.err) == (2, True)


def test_no_two_items_become_one_file(averages: Path, ganlit: Command) -> None:
    Path("twins/in").mkdir(parents=True)
    for name in ("a.png", "a.bmp"):
        Image.new("L", (16, 16)).save(f"twins/in/{name}")
    answer = ganlit("translate", "vae.safetensors", "twins", "--out", "one")
    assert answer.code == 2
    assert "twins has 2 images of the path in/a, which differ in their suffixes" in answer.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["vae.safetensors", "few", "--out", "few/new"], "--out few/new would lie among the items of few"),
        (["vae.safetensors", "few", "--out", "few"], "few is not an empty folder: give another --out."),
        (["vae.safetensors", "nowhere"], "There is nothing at nowhere: name a folder, a file or a zip of items."),
        (
            ["vae.safetensors", "tiny.yaml"],
            "is neither an image, for it has not the suffix of one, nor a zip",
        ),
        (["vae.safetensors", "words"], "words is no folder of images, for no file in it has the suffix of one"),
        (["few", "few"], "few is not a run directory"),
        (
            ["dcgan.safetensors", "few"],
            "holds a Synthesis, which takes no data: have it make items by python",
        ),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence(
    averages: Path, few: Path, ganlit: Command, given: list[str], said: str
) -> None:
    Path("words").mkdir(exist_ok=True)
    Path("words/words.txt").touch()
    config = tiny()
    write_weights(build(config, Path()).ema.module, config, 0, Path("dcgan.safetensors"))
    answer = ganlit("translate", *given, *([] if "--out" in given else ["--out", "never"]))
    assert (answer.code, said in answer.err, answer.err.count("\n")) == (2, True, 1), answer.err
    assert not Path("never").exists()


def test_classes_are_those_of_the_run_by_name(averages: Path, few: Path, tmp_path: Path) -> None:
    for name, shelves in {"second": ["light"], "both": ["dark", "light"], "wrong": ["dark", "lihgt"]}.items():
        for shelf in shelves:
            shutil.copytree(few / shelf.replace("hg", "gh"), tmp_path / name / shelf)
    for name in ("second", "both"):
        translate("tinted.safetensors", str(tmp_path / name), out=str(tmp_path / f"{name}-out"))
    assert np.array_equal(pixels(tmp_path / "both-out" / "dark" / "0.png"), pixels(few / "dark" / "0.png"))
    brighter = pixels(few / "light" / "1.png").astype(int) + 32  # a step of 0.25
    for name in ("both-out", "second-out"):
        assert np.abs(pixels(tmp_path / name / "light" / "1.png") - brighter).max() <= 1
    for place, said in {
        few: "tinted.safetensors makes something else of each class, and not every image of .*few has one",
        tmp_path / "wrong": "has the class lihgt, but tinted.safetensors knows dark, light; did you mean light?",
    }.items():
        with pytest.raises(UserError, match=said):
            translate("tinted.safetensors", str(place), out=str(tmp_path / "never"))


def test_a_prior_makes_items_without_data(averages: Path, tmp_path: Path) -> None:
    for name, options in {"five": {"count": 5}, "one": {"seeds": "3"}, "others": {"seed": 1}}.items():
        generate("vae.safetensors", out=str(tmp_path / name), **options)
    third = [(tmp_path / name / "000003.png").read_bytes() for name in ("five", "one", "others")]
    assert third[0] == third[1] != third[2]
    never = str(tmp_path / "never")
    said = "kl.safetensors holds a Translation without a prior, .* by python -m ganlit translate kl.safetensors INPUT"
    with pytest.raises(UserError, match=said):
        generate("kl.safetensors", out=never)
    with pytest.raises(UserError, match=r"ConvVAE in .* knows no truncation: leave --truncation out"):
        generate("vae.safetensors", out=never, truncation=0.5)
    assert not Path(never).exists()


def test_points_are_translated_as_images_are(averages: Path, ganlit: Command) -> None:
    for name, point in {"a": (1.0, 2.0), "in/b": (0.0, 0.5)}.items():
        write(torch.tensor([point]), Path(f"points/{name}.csv"))
    answer = ganlit("translate", "mover.safetensors", "points", "--out", "moved")
    assert "2 points in moved, below what they were made of in moved-grid.png, moved-grid.csv" in answer.out
    assert Rows(averages / "moved").points.tolist() == [[2.0, 1.0], [1.0, -0.5]]
    answer = ganlit("translate", "mover.safetensors", "points", "--out", "moved", "--fit", "crop")
    assert (answer.code, "moved is not an empty folder" in answer.err) == (2, True)
    answer = ganlit("translate", "mover.safetensors", "points", "--out", "again", "--fit", "crop")
    assert (answer.code, "--fit is no option of points: leave it out" in answer.err) == (2, True)


def test_a_run_of_both_ways_goes_back_and_another_does_not(averages: Path, few: Path, ganlit: Command) -> None:
    ways = [torch.nn.Identity(), torch.nn.Identity()]
    module = SimpleNamespace(generator=ThereAndBack(*ways), ema=SimpleNamespace(module=ThereAndBack(*ways)))
    turn(module, "runs/cycle")
    assert module.generator is module.ema.module is ways[1]
    refused = ganlit("translate", "vae.safetensors", "few", "--out", "back", "--back", "true")
    assert refused.code == 2
    assert refused.err == "error: vae.safetensors holds a ConvVAE, which knows no way back: leave --back out.\n"


def test_what_is_drawn_for_a_file_follows_from_its_name_alone() -> None:
    def drawn(*paths: str) -> torch.Tensor:
        piece = SimpleNamespace(paths=list(paths), seen=lambda part: part, label=None)
        module = SimpleNamespace(seed=0, ema=lambda items, label: items + torch.randn(items.shape))
        return through(module, piece, "run", "items", lambda: None)(torch.zeros(1, 2))

    assert torch.equal(drawn("a"), drawn("a", "b"))
    assert not torch.equal(drawn("a"), drawn("b"))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("back", [False, True])
def test_maps_of_labels_are_shown_in_their_colours(tmp_path: Path, back: bool, channels: int) -> None:
    maps = torch.arange(3, dtype=torch.uint8).expand(2, 1, 3, 3)
    photos = torch.full((2, channels, 3, 3), 90, dtype=torch.uint8)
    sides = [(LabelMaps(3), maps), (ImageModality(), photos)]
    (source, given), (made, answer) = sides[::-1] if back else sides
    shown = Shown(source, made)
    shown.add(given, answer)
    (file,) = shown.write(tmp_path / "grid.png")
    rows = [torch.from_numpy(pixels(file)[y : y + 3, 2:5].copy()) for y in (2, 7)]
    expected = [items[0].movedim(0, -1) for items in (painted(maps), photos.expand(-1, 3, -1, -1))]
    assert all(map(torch.equal, rows, expected[::-1] if back else expected))
