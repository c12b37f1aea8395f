"""Pictures that nobody can train on, met by a command: one sentence each, which names the picture and what helps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from squares import part, tiny

SIDE = 8


@pytest.fixture(scope="module")
def configuration() -> str:
    """Pictures of eight pixels in colour, to be made twice as large; nothing of the networks is built."""
    settings = yaml.safe_load(tiny("Translation", {"criteria": ["L1"]}))
    options = {"source": "kinds", "resolution": SIDE, "batch": 2, "val_images": 2, "test_images": 2}
    degradation = part("Downsample", scale=2)
    return yaml.safe_dump(settings | {"data": part("Restoration", degradation=degradation, **options)})


def noise(seed: int, width: int = SIDE, height: int = SIDE, channels: int = 3) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(pixels)


def deep() -> Image.Image:
    return Image.fromarray(np.arange(SIDE**2, dtype=np.uint16).reshape(SIDE, SIDE) * 1000)


KINDS: dict[str, tuple[str, Image.Image, dict[str, Any]]] = {
    "pixel": ("png", noise(0, 1, 1), {}),
    "print": ("jpg", noise(0).convert("CMYK"), {}),
    "deep": ("png", deep(), {}),
    "moving": ("gif", noise(0), {"save_all": True, "append_images": [noise(1)]}),
    "clear": ("png", noise(0, channels=4), {}),
    "palette": ("png", noise(0).convert("P"), {}),
}


def kind(name: str, place: Path) -> str:
    """A folder with good pictures and one of a kind."""
    folder = place / "kinds" / name
    suffix, picture, options = KINDS[name]
    folder.mkdir(parents=True, exist_ok=True)
    picture.save(folder / f"x.{suffix}", **options)
    for seed in range(3):
        noise(seed + 9).save(folder / f"{seed}.png")
    return f"kinds/{name}"


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("pixel", [], "kinds/pixel/x.png is 1x1, not 8x8: set fit: pad or fit: resize, or set skip_bad: true to leave"),
        ("pixel", ["fit=tiles"], "kinds/pixel/x.png is 1x1, smaller than a tile of 8x8"),
        (
            "print",
            [],
            "kinds/print/x.jpg is in CMYK or another print colour space: save it as RGB, or set convert: true",
        ),
        (
            "deep",
            [],
            "kinds/deep/x.png has 16 bits a channel: save it with 8, set convert: true to keep the upper 8, or",
        ),
        ("moving", [], "kinds/moving/x.gif holds 2 frames: save one of them, or set convert: true to take the first"),
        ("clear", [], "kinds/clear/x.png has an alpha channel: flatten it, or set convert: true to composite it on bl"),
        ("palette", ["degradation.init_args.scale=3"], "Downsample.scale is 3, which does not divide images of 8 x 8"),
    ],
)
def test_a_picture_of_another_kind_is_named(
    name: str, options: list[str], sentence: str, ganlit: Any, place: Path
) -> None:
    words = [f"--data.init_args.{option}" for option in options]
    answer = ganlit("data", "check", kind(name, place), "--config", "tiny.yaml", *words, "--picture", "page")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"error: {sentence}")
    assert answer.err.count("\n") == 1
    assert not (place / "page.png").exists()


def test_all_of_them_can_be_brought_into_the_form_where_that_is_meant(ganlit: Any, place: Path) -> None:
    for name in KINDS:
        kind(name, place)
    words = ["--config", "tiny.yaml", "--data.init_args.fit=resize", "--data.init_args.convert=true"]
    answer = ganlit("data", "check", "kinds", *words, "--data.init_args.labels=false", "--picture", "all")
    assert answer.code == 0, answer.err
    assert "data     kinds: 24 images to train on\n" in answer.out


def test_a_picture_larger_than_memory_is_named(ganlit: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)  # to be as it was
    monkeypatch.setenv("GANLIT_MAX_IMAGE_PIXELS", "1000")
    noise(0, 40, 30).save(Path(kind("palette", place)) / "large.png")
    words = ["--config", "tiny.yaml", "--data.init_args.fit=tiles", "--picture", "page"]
    answer = ganlit("data", "check", "kinds/palette", *words)
    Path("kinds/palette/large.png").unlink()
    assert answer.code == 2
    reason = "is too large (Image size (1200 pixels) exceeds limit of 1000 pixels)"
    advice = "shrink it, or set GANLIT_MAX_IMAGE_PIXELS to more"
    assert answer.err == f"error: kinds/palette/large.png {reason}: {advice}.\n"


@pytest.mark.parametrize(
    ("change", "module", "sentence"),
    [
        ({"B/b.png": noise(7, 6)}, "Pairs", "sides/B/b.png is 6x8 while its partner sides/A/b.png is 8x8: bring both"),
        ({"B/b.png": None}, "Pairs", "sides/A/b.png has no partner of the path b in B: add it, or move this away."),
        ({"A/b.png": None}, "Pairs", "sides/B/b.png has no partner of the path b in A: add it, or move this away."),
        ({"B/a.png": None, "B/b.png": None}, "Pairs", "sides/B is an empty folder"),
        ({"B/a.png": None, "B/b.png": None}, "Unpaired", "sides/B is an empty folder"),
        ({"A/a.png": None, "A/b.png": None}, "Unpaired", "sides/A is an empty folder"),
        (
            {"B/b.png": noise(0, channels=4)},
            "Pairs",
            "sides/B/b.png has an alpha channel: flatten it, or set convert: t",
        ),
    ],
)
def test_sides_that_are_no_pairs_are_named(
    change: dict[str, Image.Image | None], module: str, sentence: str, ganlit: Any, place: Path
) -> None:
    for side in ("A", "B"):
        (place / "sides" / side).mkdir(parents=True, exist_ok=True)
        for seed, name in enumerate(("a", "b")):
            noise(seed).save(place / "sides" / side / f"{name}.png")
    for name, picture in change.items():
        if picture is None:
            (place / "sides" / name).unlink()
        else:
            picture.save(place / "sides" / name)
    options = {"source": "sides/A", "target": "sides/B", "resolution": SIDE, "batch": 2}
    words = [f"--data={module}", *(f"--data.{name}={value}" for name, value in options.items())]
    answer = ganlit("data", "check", "--config", "tiny.yaml", *words, "--picture", "page")
    assert answer.code == 2
    assert answer.err.startswith(f"error: {sentence}")
    assert answer.err.count("\n") == 1
    assert "skip_bad" not in answer.err  # which sides do not know
