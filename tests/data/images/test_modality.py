from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganlit.data.images.modality import ImageModality, grid
from ganlit.data.images.pictures import Pictures
from ganlit.errors import UserError

MODALITY = ImageModality()


def test_a_grid_holds_the_images_row_by_row() -> None:
    values = torch.tensor([0, 64, 128, 255], dtype=torch.uint8)
    drawn = np.asarray(grid([values.view(4, 1, 1, 1).expand(4, 1, 2, 2)], columns=2).convert("L"))
    assert drawn.shape == (10, 10)  # two images and three margins of two pixels each way
    assert [int(drawn[y, x]) for y in (3, 7) for x in (3, 7)] == values.tolist()


def test_rows_of_another_size_or_colour_are_brought_to_the_largest() -> None:
    rows = [torch.full((1, 1, 4, 4), 200, dtype=torch.uint8), torch.full((2, 3, 8, 6), 100, dtype=torch.uint8)]
    drawn = np.asarray(grid(rows, columns=3))
    assert drawn.shape == (12, 26, 3)
    assert drawn[4, 4].tolist() == [200] * 3
    assert drawn[4, 12].tolist() == drawn[4, 20].tolist() == [100] * 3


def test_what_is_stored_comes_back_from_networks() -> None:
    stored = torch.arange(256, dtype=torch.uint8).view(4, 1, 8, 8)
    assert torch.equal(MODALITY.to_stored(MODALITY.to_network(stored)), stored)
    assert MODALITY.to_stored(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]
    assert MODALITY.for_extractor(stored).shape == (4, 3, 8, 8)


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_is_written_as_it_is_and_read_again(tmp_path: Path, channels: int) -> None:
    image = torch.arange(16 * channels, dtype=torch.uint8).view(channels, 4, 4)
    file = MODALITY.write(image, tmp_path / "new" / "1.5")
    assert file == tmp_path / "new" / "1.5.png"
    assert Image.open(file).mode == {1: "L", 3: "RGB"}[channels]
    found = MODALITY.open(str(file.parent), "train", Path())
    assert isinstance(found, Pictures)
    assert torch.equal(found[0:1], image[None].expand(1, 3, 4, 4))


@pytest.mark.parametrize(("depth", "dtype"), [(16, torch.uint16), ("float", torch.float32)])
def test_deeper_images_come_back_from_networks_and_are_shown_and_seen_in_8_bits(
    depth: Any, dtype: torch.dtype, tmp_path: Path
) -> None:
    kind, network = ImageModality(depth), torch.linspace(-1, 1, 192).view(1, 3, 8, 8)
    stored = kind.to_stored(network)
    assert stored.dtype == dtype
    torch.testing.assert_close(kind.to_network(stored), network, rtol=0, atol=1 / 32767)
    seen, grey = kind.for_extractor(stored), kind.for_extractor(stored[:, :1])
    assert (seen.dtype, seen.shape, grey.shape) == (torch.uint8, (1, 3, 8, 8), (1, 3, 8, 8))
    assert (seen.int() - MODALITY.to_stored(network).int()).abs().max() <= 1
    [file] = kind.show([stored, MODALITY.to_stored(network)], 1, tmp_path / "grid")
    drawn = np.asarray(Image.open(file)).astype(int)
    assert np.abs(drawn[2:10, 2:10] - drawn[12:20, 2:10]).max() <= 1


@pytest.mark.parametrize(("channels", "shown"), [(2, [0]), (4, [0, 1, 2]), (7, [0, 1, 2])])
def test_of_many_channels_the_first_are_shown_and_no_extractor_sees_them(
    channels: int, shown: list[int], tmp_path: Path
) -> None:
    stored = torch.arange(channels, dtype=torch.uint8).view(1, channels, 1, 1).expand(-1, -1, 4, 4)
    [file] = MODALITY.show([stored], 1, tmp_path / "grid")
    assert np.asarray(Image.open(file))[1, 1].tolist() == (shown if len(shown) > 1 else [0, 0, 0])
    with pytest.raises(UserError, match=f"^These images have {channels} channels, and extractors see grey or RGB: "):
        MODALITY.for_extractor(stored)


def test_folders_zips_and_names_are_recognised(tmp_path: Path, make_folder: Any, make_zip: Any) -> None:
    folder = make_folder(["a.png", "b/c.jpg", "d.txt", "e.txt"])
    assert MODALITY.recognises(str(folder)) == 0.5
    assert MODALITY.recognises(str(make_zip(["a.png"]))) == MODALITY.recognises("CIFAR10") == 1
    assert MODALITY.recognises(str(tmp_path / "none")) == MODALITY.recognises("digitz") == 0


def test_a_folder_without_images_is_refused(make_folder: Any) -> None:
    folder = make_folder(["a.txt"])
    with pytest.raises(UserError, match="is no folder of images, for no file in it has the suffix of one"):
        MODALITY.open(str(folder), "train", Path())


def test_images_of_another_ratio_stand_whole_in_the_middle() -> None:
    rows = [torch.full((1, 1, 4, 8), 200, dtype=torch.uint8), torch.full((1, 1, 3, 2), 100, dtype=torch.uint8)]
    drawn = np.asarray(grid(rows, columns=2).convert("L"))
    assert drawn.shape == (8, 22)
    assert (drawn[2:6, 2:10] == 200).all()
    assert (drawn[2:6, 14:17] == 100).all()  # three columns of eight, enlarged from two
    assert not drawn[2:6, 12:14].any()
    assert not drawn[2:6, 17:20].any()


@pytest.mark.parametrize(("height", "width"), [(3000, 1500), (600, 400), (40, 9000), (30, 20)])
def test_a_glance_is_small_and_shows_all(height: int, width: int) -> None:
    ramp = torch.linspace(0, 255, width).round().to(torch.uint8).expand(1, 3, height, width)
    seen = MODALITY.glance(ramp)
    assert max(seen.shape[2:]) == min(512, max(height, width))
    assert seen.shape[2] / seen.shape[3] == pytest.approx(height / width, rel=0.02, abs=1 / 512)
    assert seen.dtype == torch.uint8
    assert int(seen[..., 0].max()) < 16
    assert int(seen[..., -1].min()) > 239
