"""Aligned and unaligned sides, from one place or two, and what keeps two files from being partners."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganlit.data.images.pairs import Pairs, TwoSided, Unpaired
from ganlit.errors import UserError

LOADING: dict[str, Any] = {"batch": 2, "val_images": 2, "test_images": 2}


def paint(seed: int, width: int = 8, height: int = 8) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def save(folder: Path, pictures: dict[str, Image.Image]) -> Path:
    for name, picture in pictures.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture.save(folder / name)
    return folder


def ready(data: TwoSided) -> TwoSided:
    data.prepare_data()
    data.setup("fit")
    return data


@pytest.fixture
def places(tmp_path: Path) -> tuple[str, str]:
    names = [f"{name}.png" for name in ("a", "b", "c", "d")]
    source = save(tmp_path / "A", {name: paint(seed) for seed, name in enumerate(names)})
    target = save(tmp_path / "B", {name: paint(seed).transpose(0) for seed, name in enumerate(names)})
    return str(source), str(target)


@pytest.mark.parametrize("swap", [False, True])
def test_halves_of_one_picture_are_a_pair(tmp_path: Path, swap: bool) -> None:
    whole = {f"{seed}.png": paint(seed, 16) for seed in range(3)}
    data = ready(Pairs(str(save(tmp_path / "wide", whole)), 8, swap=swap, **LOADING))
    for place, picture in enumerate(whole.values()):
        pixels = torch.from_numpy(np.asarray(picture)).permute(2, 0, 1)
        batch = data.measured[torch.tensor([place])]
        left, right = (batch.target, batch.source) if swap else (batch.source, batch.target)
        assert torch.equal(left[0], pixels[..., :8])
        assert torch.equal(right[0], pixels[..., 8:])


def test_files_of_one_path_are_a_pair(places: tuple[str, str]) -> None:
    data = ready(Pairs(places[0], 8, target=places[1], flip=True, **LOADING))
    batch = data.dataset[torch.arange(8)]
    assert torch.equal(batch.target, batch.source.flip(-1))
    pair = data.to_network(batch)
    assert torch.equal(pair.source, data.modality.to_network(batch.source))
    assert data.reference_of("source").items.shape == data.reference.items.shape


def test_a_part_can_be_held_out(places: tuple[str, str], tmp_path: Path) -> None:
    data = ready(Pairs(places[0], 8, target=places[1], held_out=0.25, **LOADING))
    assert (len(data.dataset), len(data.measured)) == (3, 1)
    for side in ("source", "target"):
        shown = getattr(data.dataset[torch.arange(3)], side)
        assert torch.equal(data.trained_of(side).items[:3], shown)
        assert not any(torch.equal(one, data.reference_of(side).items[0]) for one in shown)
    assert torch.equal(data.measured[torch.tensor([0])].target, data.measured[torch.tensor([0])].source.flip(-1))
    other = tmp_path / "other"
    save(other / "A", {"x.png": paint(9)})
    save(other / "B", {"x.png": paint(10)})
    held_out = [str(other / "A"), str(other / "B")]
    data = ready(Pairs(places[0], 8, target=places[1], held_out=held_out, **LOADING))
    assert (len(data.dataset), len(data.measured)) == (4, 1)
    assert torch.equal(data.reference.items[0], torch.from_numpy(np.array(paint(10))).permute(2, 0, 1))
    for split in ("train", "val"):
        save(tmp_path / "wide" / split, {f"{seed}.png": paint(seed, 16) for seed in range(3)})
    data = ready(Pairs(str(tmp_path / "wide"), 8, held_out="val", **LOADING))
    assert (len(data.dataset), data.reference.name) == (3, "wide-val-right")


def test_sources_may_be_smaller_and_are_cut_in_the_same_place(tmp_path: Path) -> None:
    small = {f"{seed}.png": paint(seed, 6, 6) for seed in range(4)}
    large = {name: picture.resize((12, 12), Image.Resampling.NEAREST) for name, picture in small.items()}
    source, target = save(tmp_path / "small", small), save(tmp_path / "large", large)
    options = {"source_resolution": 4, "tile": 12, **LOADING}
    data = ready(Pairs(str(source), 8, target=str(target), **options))
    batch = data.dataset[torch.arange(40)]
    assert batch.source.shape[2:] == (4, 4)
    assert torch.equal(batch.target, batch.source.repeat_interleave(2, -1).repeat_interleave(2, -2))
    assert data.reference.items.shape == (4, 3, 8, 8)
    assert data.reference_of("source").items.shape == (4, 3, 4, 4)


def test_unpaired_sides_may_be_unequal(places: tuple[str, str], tmp_path: Path) -> None:
    few = save(tmp_path / "few", {"x.png": paint(20), "y.png": paint(21)})
    data = ready(Unpaired(places[0], 8, target=str(few), **LOADING))
    assert len(data.dataset) == 4
    assert len(data.measured) == 2
    assert (len(data.trained_on.items), len(data.trained_of("target").items)) == (4, 2)
    assert data.reference.name == "few"
    assert data.reference_of("source").name == "A"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a.png": None}, r"A/a\.png has no partner of the path a in B: add it"),
        ({"a.jpg": paint(1)}, r"B has 2 pictures of the path a"),
        ({"z.png": paint(1)}, r"B/z\.png has no partner of the path z in A"),
        ({"b.png": paint(1, 9)}, r"B/b\.png is 9x8 while its partner .*A/b\.png is 8x8: bring both"),
        ({"b.png": b"no picture"}, r"B/b\.png is not an image: remove it\.$"),
    ],
)
def test_what_is_no_partner_is_named(places: tuple[str, str], change: dict[str, Any], message: str) -> None:
    for name, picture in change.items():
        file = Path(places[1]) / name
        if picture is None:
            file.unlink()
        elif isinstance(picture, bytes):
            file.write_bytes(picture)
        else:
            picture.save(file)
    with pytest.raises(UserError, match=message):
        ready(Pairs(places[0], 8, target=places[1], **LOADING))


def test_a_picture_of_odd_width_has_no_halves(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"odd\.png is 17 pixels wide, which no two halves share"):
        ready(Pairs(str(save(tmp_path / "wide", {"odd.png": paint(0, 17)})), 8, **LOADING))


def test_values_that_mean_nothing_are_refused(places: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"held_out is 0\.99 of 4 items, which leaves none to train on"):
        ready(Pairs(places[0], 8, target=places[1], held_out=0.99, **LOADING))
    with pytest.raises(UserError, match=r"source_resolution is 3, of which 8 is no multiple"):
        Pairs(places[0], 8, source_resolution=3)
    with pytest.raises(UserError, match=r"target is missing"):
        ready(Unpaired(places[0], 8, **LOADING))
    with pytest.raises(UserError, match=r"data\.init_args\.tile"):
        Pairs(places[0], 8, tile=4)
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match=r"none is an empty folder"):
        ready(Unpaired(places[0], 8, target=str(tmp_path / "none"), **LOADING))
