from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from ganlit.cli.check import check
from ganlit.data.images.images import Images
from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError

Make = Callable[..., Path]
COMMON = {"split": "train", "root": Path("datasets"), "batch": 32}
NAMES = [f"{kind}/{number:02}.png" for kind in ("cat", "dog") for number in range(20)]


def report(capsys: pytest.CaptureFixture[str], source: Path | str, status: int, **options: Any) -> str:
    if status:
        with pytest.raises(SystemExit) as stopped:
            ImageModality().check(str(source), **(COMMON | options))
        assert stopped.value.code == status
    else:
        ImageModality().check(str(source), **(COMMON | options))
    return capsys.readouterr().out


def options_of(text: str) -> dict[str, Any]:
    """The lines that the report recommends, as a config reads them."""
    return yaml.safe_load(text.split("What works, as init_args of the data:\n")[1])


def test_a_good_source_is_described(make_folder: Make, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_folder(NAMES)
    text = report(capsys, folder, status=0)
    assert "photos: 40 pictures, 40 of them readable" in text
    assert "classes  cat 20 · dog 20" in text
    assert "sizes    8x8 40" in text
    assert "kinds    RGB 40" in text
    assert "Nothing would stop a training." in text
    assert options_of(text) == {"source": str(folder), "resolution": 8, "channels": 3}


def test_every_problem_is_reported_and_the_recommended_options_work(
    make_folder: Make, paint: Callable[..., Image.Image], capsys: pytest.CaptureFixture[str]
) -> None:
    depth = Image.fromarray(np.full((8, 8), 40000, np.uint16))
    bad = {
        "odd": paint(size=(9, 8)),
        "large": paint(size=(40, 40)),
        "grey": paint(mode="L"),
        "clear": paint(mode="RGBA"),
        "deep": depth,
        "text": b"text",
        "none": b"",
        **{f"t{number}": b"" for number in range(3)},
    }
    folder = make_folder([*NAMES, *(f"cat/{name}.png" for name in bad)], **bad)
    text = report(capsys, folder, status=1)
    for line in (
        "10 problems would stop a training:",
        "size: 2",
        "cat/odd.png is 9x8, not 8x8: set fit: crop.",
        "cat/large.png is 40x40, not 8x8: set fit: resize.",
        "grey beside RGB: 1",
        "cat/grey.png is grey while channels is 3",
        "cat/clear.png has an alpha channel",
        "cat/deep.png has 16 bits a channel",
        "not an image: 5",
        "cat/none.png is not an image",
    ):
        assert line in text
    assert text.count("is not an image") == 3
    options = options_of(text)
    assert options == {
        "source": str(folder),
        "resolution": 8,
        "channels": 3,
        "fit": "crop",
        "convert": True,
        "skip_bad": True,
    }
    data = Images(**options)
    data.setup("fit")
    assert len(data.reference.items) == 45


@pytest.mark.parametrize(
    ("size", "resolution", "expected"),
    [
        ((28, 28), None, {"resolution": 32, "fit": "pad"}),
        ((100, 100), None, {"resolution": 64, "fit": "resize"}),
        ((100, 100), 128, {"resolution": 128, "fit": "resize"}),
        ((60, 100), None, {"resolution": 32, "fit": "crop"}),
        ((64, 64), 64, {"resolution": 64}),
    ],
)
def test_a_form_that_networks_take_is_recommended(
    make_folder: Make,
    paint: Callable[..., Image.Image],
    capsys: pytest.CaptureFixture[str],
    size: tuple[int, int],
    resolution: int | None,
    expected: dict[str, Any],
) -> None:
    folder = make_folder(["a.png", "b.png"], a=paint(0, size=size, mode="L"), b=paint(1, size=size, mode="L"))
    stopped = resolution not in (None, size[0]) or size[0] != size[1]
    options = options_of(report(capsys, folder, status=int(stopped), resolution=resolution, batch=2))
    assert options == {"source": str(folder), "channels": 1, **expected}
    assert len(Images(**options).reference.items) == 2


def test_a_source_smaller_than_a_batch_is_a_problem(make_folder: Make, capsys: pytest.CaptureFixture[str]) -> None:
    text = report(capsys, make_folder(["1.png", "2.png"]), status=1)
    assert "2 usable pictures are fewer than a batch of 32: set batch to 2 or less." in text
    assert options_of(text)["batch"] == 2


def test_options_that_are_given_are_judged(make_folder: Make, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_folder(NAMES)
    assert "is 8x8, not 16x16: set fit: pad or fit: resize" in report(capsys, folder, status=1, resolution=16)
    assert "is RGB while channels is 1" in report(capsys, folder, status=1, channels=1)
    report(capsys, folder, status=0, resolution=16, fit="resize", channels=1, convert=True)


@pytest.mark.parametrize("make", ["missing", "empty", "unreadable"])
def test_what_cannot_be_opened_or_used_at_all_is_a_problem(
    make: str, make_folder: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = {
        "missing": lambda: tmp_path / "none",
        "empty": lambda: make_folder([]),
        "unreadable": lambda: make_folder(["a.png"], a=b""),
    }
    words = {"missing": "does not exist", "empty": "is an empty folder", "unreadable": "not an image: 1"}
    text = report(capsys, sources[make](), status=1)
    assert words[make] in text
    assert "What works" not in text


@pytest.mark.parametrize(
    ("values", "recommended"),
    [
        (np.linspace(0, 1, 64, dtype=np.float32), {"depth": "float"}),
        (np.linspace(0.25, 7.5, 64, dtype=np.float32), {"depth": "float", "range": [0.0, 7.5]}),
        (np.linspace(0, 4095, 64).astype(np.uint16), {"depth": "float", "range": [0.0, 4095.0]}),
        (np.linspace(0, 65535, 64).astype(np.uint16), {"convert": True}),
    ],
)
def test_a_depth_is_recommended_with_which_the_values_can_be_seen(
    values: np.ndarray, recommended: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", values.reshape(8, 8))
    options = options_of(report(capsys, tmp_path, status=1, batch=2))
    assert options == {"source": str(tmp_path), "resolution": 8, "channels": 1, **recommended}
    asked = {"depth": options.get("depth", 8), "range": tuple(options.get("range", (0.0, 1.0)))}
    report(capsys, tmp_path, status=0, batch=2, convert=options.get("convert", False), **asked)


def test_zips_are_checked(make_zip: Make, capsys: pytest.CaptureFixture[str]) -> None:
    document = {"labels": [[f"{number}.png", number % 2] for number in range(39)] + [["39.png", -1], ["no.png", 0]]}
    text = report(capsys, make_zip([*(f"{number}.png" for number in range(40)), "../x.png"], document), status=1)
    for topic in ("numbered -1 to 1 where 0 to 2 is meant", "missing: 1", "unsafe path: 1", "0 20 · 1 19 · -1 1"):
        assert topic in text


def test_labels_from_1_cost_no_picture(make_zip: Make, capsys: pytest.CaptureFixture[str]) -> None:
    source = make_zip(NAMES, {"labels": [[name, 1 + number % 3] for number, name in enumerate(NAMES)]})
    text = report(capsys, source, status=1)
    assert "has 3 classes, numbered 1 to 3 where 0 to 2 is meant: set labels: renumber" in text
    assert "classes  1 14 · 2 13 · 3 13" in text
    options = options_of(text)
    assert options == {"source": str(source), "labels": "renumber", "resolution": 8, "channels": 3}
    assert len(Images(**options).reference.items) == 40
    assert options_of(report(capsys, source, status=0, labels="renumber")) == options


def test_poses_are_no_classes(make_zip: Make, capsys: pytest.CaptureFixture[str]) -> None:
    source = make_zip(NAMES, {"labels": [[name, [0.5] * 25] for name in NAMES]})
    options = options_of(report(capsys, source, status=1))
    assert options == {"source": str(source), "labels": False, "resolution": 8, "channels": 3}
    assert len(Images(**options).reference.items) == 40
    text = report(capsys, source, status=0, labels=False)
    assert "classes  none" in text
    assert options_of(text) == options


def test_what_is_whole_is_not_left_out_by_advice(
    make_folder: Make, paint: Callable[..., Image.Image], capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture without a label, a link that leads nowhere: nothing of them is damaged."""
    folder = make_folder([*NAMES, "loose.png"])
    (folder / "cat" / "gone.png").symlink_to("nowhere.png")
    text = report(capsys, folder, status=1)
    assert "skip_bad" not in text
    assert "What works once the rest is mended, as init_args of the data:\n" in text


def test_odd_names_are_written_as_yaml_reads_them(
    make_folder: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_folder(NAMES, "a: b #1 'c'\n写真")
    assert options_of(report(capsys, folder, status=0))["source"] == str(folder)


@pytest.mark.parametrize("batch", [0, -1, 10**12])
def test_a_batch_is_a_number_of_items(batch: int) -> None:
    with pytest.raises(UserError, match=rf"^--batch is {batch}: it must be at least 1 and at most 10,000,000"):
        check("digits", batch=batch)


def test_digits_are_fine(capsys: pytest.CaptureFixture[str]) -> None:
    text = report(capsys, "digits", status=0)
    assert "kinds    grey 5000" in text
    assert options_of(text) == {"source": "digits", "resolution": 32, "channels": 1}
