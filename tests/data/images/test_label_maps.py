"""Maps of labels: numbers in files of any kind, a channel for each class in networks, and what is no such map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlit.data.images.decoding import decoded
from ganlit.data.images.folder import Folder
from ganlit.data.images.form import Form
from ganlit.data.images.label_maps import NONE, numbers, one_hot, painted
from ganlit.data.images.label_modality import LabelMaps
from ganlit.data.images.pairs import Pairs
from ganlit.errors import UserError

LOADING: dict[str, Any] = {"batch": 2, "val_images": 2, "test_images": 2}
COUNT = 5


def drawn(seed: int, height: int = 8, width: int = 8, count: int = COUNT) -> np.ndarray:
    """Numbers of classes, and here and there of none."""
    stream = np.random.default_rng(seed)
    found = stream.integers(0, count, (height, width), dtype=np.uint8)
    return np.where(stream.random((height, width)) < 0.1, NONE, found).astype(np.uint8)


def as_palette(found: np.ndarray) -> Image.Image:
    """With colours that mean nothing, one of them transparent."""
    image = Image.fromarray(found).convert("P")
    image.putdata(found.ravel().tolist())
    image.putpalette(np.random.default_rng(0).integers(0, 256, 768, dtype=np.uint8).tobytes())
    image.info["transparency"] = 1
    return image


@pytest.fixture
def places(tmp_path: Path) -> tuple[str, str]:
    """Maps in turn grey and of a palette, and pictures whose colours follow from their numbers."""
    for side in "AB":
        (tmp_path / side).mkdir()
    for seed in range(4):
        found = drawn(seed)
        image = as_palette(found) if seed % 2 else Image.fromarray(found)
        image.save(tmp_path / "A" / f"{seed}.png")
        Image.fromarray(np.stack([found, 255 - found, found], axis=2)).save(tmp_path / "B" / f"{seed}.png")
    return str(tmp_path / "A"), str(tmp_path / "B")


def pairs(places: tuple[str, str], **options: Any) -> Pairs:
    data = Pairs(places[0], **({"resolution": 8, "target": places[1], "source_labels": COUNT} | LOADING | options))
    data.prepare_data()
    data.setup("fit")
    return data


@given(st.lists(st.sampled_from([*range(COUNT), NONE]), min_size=1, max_size=20))
def test_a_class_has_a_channel_and_none_has_not(row: list[int]) -> None:
    stored = torch.tensor(row, dtype=torch.uint8).view(1, 1, 1, -1)
    channels = one_hot(stored, COUNT)
    assert channels.shape == (1, COUNT, 1, len(row))
    for place, number in enumerate(row):
        assert channels[0, :, 0, place].tolist() == [float(each == number) for each in range(COUNT)]
    assert torch.equal(numbers(channels), stored)
    assert numbers(channels / 3).unique().tolist() == [NONE]  # of which a network is sure of nothing


def test_every_class_has_a_colour_of_its_own() -> None:
    colours = painted(torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)).flatten(2)[0].T
    assert len({tuple(colour) for colour in colours.tolist()}) == 256
    assert colours[NONE].tolist() == [0, 0, 0]


@pytest.mark.parametrize("options", [{}, {"resolution": 4, "tile": 8, "flip": True}])
def test_networks_see_each_pixels_class_beside_its_colour(places: tuple[str, str], options: dict[str, Any]) -> None:
    """Windows and flips move both sides alike, whatever kind of file a map is."""
    data = pairs(places, **options)
    batch = data.dataset[torch.arange(len(data.dataset))]
    pair = data.to_network(batch)
    assert pair.source.shape[1] == COUNT
    assert torch.equal(numbers(pair.source), batch.target[:, :1])
    assert torch.equal(pair.target, data.modality.to_network(batch.target))
    assert torch.equal(data.modality_of("source").to_stored(pair.source), batch.source)
    assert (data.modality_of("label"), data.modality_of("target")) == (None, data.modality)


def test_what_is_translated_is_seen_as_in_training(places: tuple[str, str]) -> None:
    data = pairs(places)
    brought = data.modality_of("source").bring(Path(places[0]), data.form_of("source"), labelled=False, any_size=True)
    assert brought.paths == ["0", "1", "2", "3"]
    for place in range(4):
        stored = brought.kept(slice(place, place + 1)).stored
        assert torch.equal(stored, data.measured[torch.tensor([place])].source)
        assert torch.equal(stored[0, 0], torch.from_numpy(drawn(place)))


def test_black_and_white_are_two_classes(tmp_path: Path) -> None:
    found = drawn(0, count=2) == 1
    Image.fromarray(found).save(tmp_path / "mask.png")
    items = decoded(Folder(tmp_path), Form(8, 1, labels=2)).reference.items
    assert torch.equal(items[0, 0], torch.from_numpy(found.astype(np.uint8)))


@pytest.mark.parametrize(("fit", "height", "width"), [("resize", 12, 12), ("crop", 9, 14), ("pad", 5, 7)])
def test_nothing_between_two_classes_is_made_up(fit: Any, height: int, width: int, tmp_path: Path) -> None:
    found = drawn(3, height, width, count=2) * 100  # NONE * 100 wraps, so that only 0 and 100 are classes here
    found[found > 100] = 0
    Image.fromarray(found).save(tmp_path / "map.png")
    stored = decoded(Folder(tmp_path), Form(8, 1, fit, labels=101)).reference.items[0, 0]
    assert set(stored.unique().tolist()) == ({0, 100, NONE} if fit == "pad" else {0, 100})
    if fit == "pad":
        assert torch.equal(stored[1:6, :7], torch.from_numpy(found))
        assert (stored == NONE).sum() == 64 - found.size


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (
            Image.new("RGB", (8, 8)),
            r"2\.png is RGB, and no map .*: save its classes as a grey or palette PNG",
        ),
        (Image.new("LA", (8, 8)), r"2\.png is alpha, and no map"),
        (Image.new("I;16", (8, 8)), r"2\.png is 16-bit grey, and numbers of classes take 8 bits: save it"),
        (Image.new("L", (8, 8), 7), r"2\.png holds class 7, where 5 are numbered .*: set source_labels to 8 or more"),
        (Image.new("L", (8, 9), 1), r"2\.png is 8x8 while its partner .*2\.png is 8x9"),
    ],
)
def test_what_is_no_map_is_refused(places: tuple[str, str], image: Image.Image, message: str) -> None:
    image.save(Path(places[0]) / "2.png")
    with pytest.raises(UserError, match=message):
        pairs(places)


def test_values_that_mean_nothing_are_refused(places: tuple[str, str]) -> None:
    with pytest.raises(UserError, match=r"source_channels is of no use beside source_labels"):
        pairs(places, source_channels=3)
    for count in (0, 256):
        with pytest.raises(UserError, match=rf"source_labels is {count}"):
            pairs(places, source_labels=count)


def test_maps_are_shown_in_colours(places: tuple[str, str], tmp_path: Path) -> None:
    kind, stored = LabelMaps(COUNT), torch.from_numpy(drawn(0))[None, None]
    for rows in ([stored], [kind.glance(stored)]):
        (file,) = kind.show(rows, 1, tmp_path / "shown")
        shown = np.asarray(Image.open(file))
        assert np.array_equal(shown, painted(stored)[0].movedim(0, -1).numpy())
    assert kind.for_extractor(stored).shape == (1, 3, 8, 8)
    assert kind.write(stored[0], tmp_path / "map").suffix == ".png"
    assert np.array_equal(np.asarray(Image.open(tmp_path / "map.png")), drawn(0))


def test_maps_are_cached_apart_from_pictures(places: tuple[str, str]) -> None:
    source, grey = Folder(Path(places[0])), Form(8, 1, convert=True)
    folders = {decoded(source, grey._replace(labels=count)).folder for count in (0, COUNT, COUNT + 1)}
    assert len(folders) == 3
