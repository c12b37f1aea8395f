from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jsonargparse import ArgumentParser
from PIL import Image

from ganlit.data.base import GanDataModule
from ganlit.data.images import decoding
from ganlit.data.images.degradations.maps import Invert
from ganlit.data.images.fitting import Form
from ganlit.data.images.folder import Folder
from ganlit.data.images.images import Images, LabelledImages
from ganlit.data.images.modality import ImageModality
from ganlit.data.images.pairs import Pairs
from ganlit.data.images.restoration import Restoration
from ganlit.errors import UserError


def labelled(count: int, flip: bool) -> LabelledImages:
    images = torch.randint(0, 256, (count, 3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(count))
    return LabelledImages(images, torch.arange(count) % 3, flip)


@given(st.integers(1, 9), st.booleans(), st.data())
def test_a_batch_is_gathered_as_its_items(count: int, flip: bool, data: st.DataObject) -> None:
    dataset = labelled(count, flip)
    assert len(dataset) == count * (1 + flip)
    indices = data.draw(st.lists(st.integers(0, len(dataset) - 1), min_size=1, max_size=9))
    batch = dataset[torch.tensor(indices)]
    for index, image, label in zip(indices, *batch, strict=True):
        own = dataset.images[index % count]
        assert torch.equal(image, own if index < count else own.flip(-1))
        assert label == dataset.labels[index % count]


def test_gathering_leaves_the_images_alone() -> None:
    dataset = labelled(4, flip=True)
    before = dataset.images.clone()
    dataset[torch.arange(8)].item.zero_()
    assert torch.equal(dataset.images, before)


def test_digits_are_served_from_the_first_batch_to_the_grid() -> None:
    data = Images("digits", 32, channels=1, batch=50, tick=5, flip=True)
    data.prepare_data()
    data.setup("fit")
    assert data.classes == tuple("0123456789")
    assert (data.reference.name, data.reference.items.shape) == ("digits-train", (5000, 1, 32, 32))
    batches = list(data.train_dataloader())
    assert len(batches) == 100
    assert batches[0].item.shape == (50, 1, 32, 32)
    assert (batches[0].item.dtype, batches[0].label.dtype) == (torch.uint8, torch.int64)
    assert data.grid(2, 10).label.tolist() == [*range(10), *range(10)]


def test_the_digest_of_digits_is_stable() -> None:
    """Real statistics are cached under it: whoever changes it makes every machine compute them anew."""
    assert Images("digits", 32, channels=1).reference.digest == "9288d0034b5efa04292fb7bcf863e9ed"


def test_what_was_skipped_is_told(make_folder: Callable[..., Path], caplog: pytest.LogCaptureFixture) -> None:
    folder = make_folder([f"{number}.png" for number in range(6)], **{"2": b"", "3": b"", "4": b"", "5": b""})
    data = Images(str(folder), 8, skip_bad=True, batch=2)
    with caplog.at_level(logging.INFO, "lightning.pytorch.utilities.rank_zero"):
        data.prepare_data()
    assert "photos: skipped 4 of 6 images, all listed in" in caplog.text
    assert "photos/2.png is not an image; " in caplog.text
    assert "photos/5.png" not in caplog.text
    assert len(data.reference.items) == 2


def test_mixed_sizes_are_refused_and_fit_after_a_resize(make_folder: Callable[..., Path], paint: Callable) -> None:
    folder = str(make_folder(["1.png", "2.png"], **{"2": paint(size=(12, 12))}))
    with pytest.raises(UserError, match=r"photos/2.png is 12x12, not 8x8: set fit: resize, or set skip_bad: true"):
        Images(folder, 8).prepare_data()
    assert len(Images(folder, 8, fit="resize").reference.items) == 2


def test_grey_beside_rgb_is_refused_and_fits_when_converted(make_folder: Callable[..., Path], paint: Callable) -> None:
    folder = str(make_folder(["1.png", "2.png"], **{"2": paint(mode="L")}))
    for channels, odd in ((3, "2.png is grey"), (1, "1.png is RGB")):
        with pytest.raises(
            UserError, match=f"{odd} while channels is {channels}: set channels: .*, else convert: true"
        ):
            Images(folder, 8, channels).prepare_data()
        assert Images(folder, 8, channels, convert=True).reference.items.shape == (2, channels, 8, 8)


@pytest.mark.parametrize("resolution", [0, -32, 2**14 + 1, 10**12])
def test_a_resolution_is_one_of_pictures(resolution: int) -> None:
    with pytest.raises(UserError, match=rf"^data.init_args.resolution is {resolution}: it must be at least 1 and"):
        Images("digits", resolution)
    with pytest.raises(UserError, match=rf"^--resolution is {resolution}: it must be at least 1 and at most 16,384"):
        ImageModality().check("digits", "train", Path(), 1, resolution)


def test_what_no_disk_can_hold_is_refused_before_anything_is_decoded(
    make_folder: Callable[..., Path], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=10**9))
    monkeypatch.setattr("ganlit.data.images.decoding.fitted", lambda *given: pytest.fail("decoded"))
    data = Images(str(make_folder(["1.png", "2.png"])), 2**14, fit="resize")
    said = rf"^The 2 pictures of photos take 1.6 GB, and 1.0 GB are free in {cache}/images: lower data.init_args.res"
    with pytest.raises(UserError, match=f"{said}olution from 16384, or set GANLIT_CACHE to another folder.$"):
        data.prepare_data()


def test_pictures_are_decoded_no_further_ahead_than_memory_holds(
    make_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of 8x8x3 bytes; the writer has taken all but these of those that are decoded."""
    ahead, original = [], decoding.fitted
    monkeypatch.setattr(decoding, "BYTES", 2 * 8 * 8 * 3)
    monkeypatch.setattr(decoding, "fitted", lambda *given: ahead.append(given[1]) or original(*given))
    taken = decoding._pictures(Folder(make_folder([f"{number}.png" for number in range(9)])), Form(8, 3))
    for number, _ in enumerate(taken):
        assert len(ahead) <= number + 2


def test_labels_are_left_out_or_numbered_anew(make_zip: Callable[..., Path]) -> None:
    names = ["0.png", "1.png", "2.png"]
    source = str(make_zip(names, {"labels": [[name, label] for name, label in zip(names, (7, 1, 7), strict=True)]}))
    with pytest.raises(UserError, match=r"numbered 1 to 7 where 0 to 1 is meant: set labels: renumber"):
        Images(source, 8).prepare_data()
    with pytest.raises(UserError, match="numbered 1 to 7"):
        Images(source, 8, skip_bad=True).prepare_data()
    anew, without = Images(source, 8, labels="renumber"), Images(source, 8, labels=False)
    assert (anew.reference.labels.tolist(), anew.classes) == ([1, 0, 1], ("1", "7"))
    assert (without.reference.labels.tolist(), without.classes) == ([0, 0, 0], ())
    assert without.populated.tolist() == [0]


def test_what_was_cut_to_8_bits_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Image.new("I;16", (8, 8), 60_000).save(tmp_path / "1.png")
    with caplog.at_level(logging.INFO, "lightning.pytorch.utilities.rank_zero"):
        Images(str(tmp_path), 8, channels=1, convert=True).prepare_data()
    assert f"{tmp_path.name}: 1 of 1 pictures have 16 bits a channel, of which the upper 8 are kept" in caplog.text


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # jsonargparse renamed the method, Lightning 2.6 has not
def test_a_config_builds_it_with_the_options_of_the_base() -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(GanDataModule, "data")
    options = [
        "--data=ganlit.data.images.images.Images",
        "--data.source=digits",
        "--data.resolution=32",
        "--data.channels=1",
    ]
    data = parser.instantiate_classes(parser.parse_args([*options, "--data.batch=16", "--data.root=sets"])).data
    assert (data.batch, data.form.channels, data.root, data.seed) == (16, 1, Path("sets"), 0)
    with pytest.raises(Exception, match="channels"):
        parser.parse_args([*options, "--data.channels=grey"])
    for written, labels in (("true", True), ("false", False), ("renumber", "renumber")):
        assert parser.parse_args([*options, f"--data.labels={written}"]).data.init_args.labels == labels
    with pytest.raises(Exception, match="labels"):
        parser.parse_args([*options, "--data.labels=renumbered"])


@pytest.mark.parametrize("split", [False, True])
def test_held_out_images_are_measured_and_never_trained_on(make_folder: Callable[..., Path], split: bool) -> None:
    names = [f"{part}/{index}.png" for part in ("train", "val") for index in range(5)]
    folder = make_folder(names) if split else make_folder([f"{index}.png" for index in range(10)])
    data = Images(str(folder), 8, fit="crop", labels=False, held_out="val" if split else 0.5, batch=2, val_images=5)
    data.prepare_data()
    data.setup("fit")
    assert (len(data.dataset), len(data.measured), len(data.reference.items)) == (5, 5, 5)
    trained, measured = data.dataset[torch.arange(5)].item, data.measured[torch.arange(5)].item
    assert torch.equal(measured, data.reference.items)
    assert not any(torch.equal(one, other) for one in trained for other in measured)
    assert data.reference.name == ("photos-val" if split else "photos-held5")
    learnt = data.trained_of("target")
    assert learnt.name == ("photos-train" if split else "photos-trained5")
    assert learnt.digest != data.reference.digest
    assert torch.equal(learnt.items[:5], trained)
    assert torch.equal(learnt.items[torch.tensor([3, 1])], trained[[3, 1]])
    assert len(learnt.items) == len(learnt.labels) == 5
    assert torch.equal(next(iter(data.val_dataloader())).item, measured[data._choice(torch.arange(1))])


@pytest.mark.parametrize("share", [0, 1, True, 0.0, 1.5, -0.5, float("nan")])
def test_a_share_of_nothing_or_of_all_is_refused(share: float) -> None:
    for kind, more in ((Images, {}), (Pairs, {"target": "b"})):
        with pytest.raises(UserError, match=rf"^data.init_args.held_out is {share}: it must be .*above 0 and below 1"):
            kind("a", 8, held_out=share, **more)


def test_too_few_images_to_train_on_are_told_as_such(make_folder: Callable[..., Path]) -> None:
    folder = make_folder([f"{index}.png" for index in range(10)])
    data = Images(str(folder), 8, fit="crop", flip=True, held_out=0.3, batch=8)
    data.prepare_data()
    with pytest.raises(UserError, match="photos-trained7 has 7 images to train on, fewer than a batch"):
        data.setup("fit")


def test_what_was_trained_on_is_seen_as_what_is_measured_is(make_folder: Callable[..., Path]) -> None:
    folder = make_folder([f"{index}.png" for index in range(10)])
    data = Restoration(Invert(), str(folder), 8, tile=12, fit="crop", held_out=0.3, batch=2)
    data.prepare_data()
    learnt = data.trained_of("target")
    assert (len(learnt.items), learnt.items[:3].shape, data.reference.items.shape) == (7, (3, 3, 8, 8), (3, 3, 8, 8))
    whole = data.stored.reference.items[data.trained]
    assert torch.equal(learnt.items[:7], whole[:, :, 2:10, 2:10])
    assert data.trained_of("source").items is not learnt.items
