from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlit.data import store
from ganlit.data.images import decoding
from ganlit.data.images.decoding import decoded
from ganlit.data.images.fitting import Form
from ganlit.data.images.folder import Folder
from ganlit.data.images.source import Source
from ganlit.data.source import BadItem
from ganlit.data.store import mapped, seal
from ganlit.errors import UserError

FORM = Form(8, 3)


class Few(Source):
    """Pictures from memory, which counts how often they are read."""

    name = "few-train"

    def __init__(self, images: list[Image.Image], labels: list[int | None]) -> None:
        self.images = images
        self.numbers = labels
        self.fingerprint = "few"
        self.reads = 0

    def __len__(self) -> int:
        return len(self.images)

    def title(self, index: int) -> str:
        return f"few: {index}"

    def opened(self, index: int) -> Image.Image:
        self.reads += 1
        return self.images[index].copy()

    def label(self, index: int) -> int | None:
        return self.numbers[index]


@pytest.fixture
def few(paint: Callable[..., Image.Image]) -> Few:
    return Few([paint(seed) for seed in range(5)], [1, 0, 2, 2, 1])


def test_pixels_labels_and_classes_are_the_sources(few: Few) -> None:
    reference = decoded(few, FORM).reference
    expected = np.stack([np.asarray(image).transpose(2, 0, 1) for image in few.images])
    assert torch.equal(reference.items, torch.from_numpy(expected))
    assert reference.labels.tolist() == few.numbers
    assert reference.labels.dtype == torch.int64
    assert (reference.name, reference.classes) == ("few-train", ("0", "1", "2"))


def test_a_source_without_labels_has_the_one_class_0(few: Few) -> None:
    few.numbers = [None] * 5
    reference = decoded(few, FORM).reference
    assert (reference.labels.tolist(), reference.classes) == ([0] * 5, ())


def test_a_second_start_reads_nothing(few: Few) -> None:
    first, second = decoded(few, FORM), decoded(few, FORM)
    assert few.reads == 5
    assert first.reference.digest == second.reference.digest
    assert torch.equal(first.reference.items, second.reference.items)


def test_other_files_or_another_form_are_decoded_anew(few: Few) -> None:
    decoded(few, FORM)
    decoded(few, Form(4, 3, "resize"))
    few.fingerprint = "changed"
    decoded(few, FORM)
    assert few.reads == 15


def test_the_digest_knows_pixels_and_labels_alone(few: Few, paint: Callable[..., Image.Image]) -> None:
    digests = [decoded(few, FORM).reference.digest]
    few.fingerprint = "moved"
    digests.append(decoded(few, FORM).reference.digest)
    few.fingerprint, few.numbers = "other labels", [1, 0, 2, 2, 0]
    digests.append(decoded(few, FORM).reference.digest)
    few.fingerprint, few.images[4] = "other pixels", paint(9)
    digests.append(decoded(few, FORM).reference.digest)
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_many_blocks_keep_the_order(few: Few, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BLOCK", 2)
    assert decoded(few, FORM).reference.labels.tolist() == few.numbers


def test_writing_to_the_images_leaves_the_file_alone(few: Few) -> None:
    changed = decoded(few, FORM).reference.items
    before = changed.clone()
    changed.zero_()
    assert torch.equal(decoded(few, FORM).reference.items, before)


def test_a_bad_picture_is_refused_or_left_out(
    make_folder: Callable[..., Path], paint: Callable[..., Image.Image]
) -> None:
    names = ["cat/1.png", "cat/2.png", "cat/cut.png", "dog/3.png", "dog/large.png"]
    source = Folder(make_folder(names, cut=b"no", large=paint(size=(9, 9))))
    with pytest.raises(BadItem, match=r"photos/cat/cut.png is not an image: remove it, or set skip_bad: true"):
        decoded(source, FORM)
    stored = decoded(source, FORM, skip_bad=True)
    assert stored.reference.labels.tolist() == [0, 0, 1]
    assert [(Path(title).name, reason) for title, reason in stored.skipped] == [
        ("cut.png", "is not an image"),
        ("large.png", "is 9x9, not 8x8"),
    ]
    about = json.loads((stored.folder / "about.json").read_text())
    assert about["counts"] == [2, 1]
    assert about["skipped"] == [list(entry) for entry in decoded(source, FORM, skip_bad=True).skipped]
    with pytest.raises(BadItem):
        decoded(source, FORM)


def test_a_source_of_bad_pictures_alone_is_refused(few: Few) -> None:
    with pytest.raises(UserError, match="few-train has no picture that can be used: all 5 are bad"):
        decoded(few, Form(4, 3), skip_bad=True)


def test_a_failed_decoding_leaves_nothing(few: Few, cache: Path) -> None:
    with pytest.raises(BadItem):
        decoded(few, Form(4, 3))
    assert [path.suffix for path in (cache / "images").iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        *(("pixels", content) for content in (b"cut", bytes(5 * 3 * 8 * 8), b"\xff" + bytes(5 * 3 * 8 * 8 - 1))),
        *(("about.json", content) for content in (b"", b"{}", b"[]", b"7", b'"seal"', b"\xff", b"[" * 100_000)),
    ],
)
def test_a_damaged_cache_is_decoded_anew(file: str, content: bytes, few: Few) -> None:
    stored = decoded(few, FORM)
    before = stored.reference.items.clone()
    (stored.folder / file).write_bytes(content)
    assert torch.equal(decoded(few, FORM).reference.items, before)
    assert few.reads == 10
    assert sorted(path.name[0] for path in stored.folder.parent.iterdir()) == [".", "f"]  # the lock, and few


def test_a_cache_with_another_content_is_decoded_anew(few: Few) -> None:
    stored = decoded(few, FORM)
    about = json.loads((stored.folder / "about.json").read_text())
    for key in about:
        for other in ({**about, key: None}, {name: value for name, value in about.items() if name != key}):
            (stored.folder / "about.json").write_text(json.dumps(other))
            if other != about:
                assert mapped(stored.folder) is None, other
    few.fingerprint = "of others"
    shutil.copytree(stored.folder, (others := decoded(few, FORM).folder), dirs_exist_ok=True)
    (others / "about.json").write_text(json.dumps(about))
    assert mapped(others) is None
    assert torch.equal(decoded(few, FORM).reference.labels, torch.tensor(few.numbers))


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_a_seal_looks_evenly_at_what_is_too_large_to_read(size: int, gap: int) -> None:
    """At every byte of a file of no more than 8 x 16 bytes, at both ends and in every long stretch of a larger one."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "SLICES", 8)
        patch.setattr(store, "SLICE", 16)
        items = Path(folder, "pixels")
        items.write_bytes(bytes([1]) * size)
        before = seal("a", items, {})
        stretch = 1 if size <= 8 * 16 else -(-size // 7) + 16
        first = gap % max(1, size - stretch + 1)
        items.write_bytes(bytes([1]) * first + bytes(stretch) + bytes([1]) * (size - first - stretch))
        assert seal("a", items, {}) != before


def test_a_long_name_in_any_letters_is_a_folder(few: Few) -> None:
    few.name = "写真" * 60 + "x" * 300
    assert decoded(few, FORM).reference.name == few.name


def test_a_cache_is_read_by_whom_the_user_lets_read(few: Few) -> None:
    before = os.umask(0o027)
    try:
        folder = decoded(few, FORM).folder
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o750


def test_of_two_processes_one_decodes(few: Few) -> None:
    fork = multiprocessing.get_context("fork")

    started, answers = fork.Barrier(2), fork.Queue()

    def decode() -> None:
        started.wait(30)
        decoded(few, FORM)
        answers.put(few.reads)

    processes = [fork.Process(target=decode) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert sorted(answers.get() for _ in processes) == [0, 5]


def test_where_there_are_no_locks_two_may_decode_at_once(few: Few, monkeypatch: pytest.MonkeyPatch) -> None:
    faster = Few(few.images, few.numbers)
    write, made = decoding.write_pixels, []

    def overtaken(*args: object) -> dict[str, object]:
        monkeypatch.setattr(decoding, "write_pixels", write)
        made.append(decoded(faster, FORM).folder.stat())
        return write(*args)

    monkeypatch.setattr(decoding, "write_pixels", overtaken)
    monkeypatch.setattr(store, "alone", lambda folder, say: nullcontext())
    assert decoded(few, FORM).reference.labels.tolist() == few.numbers
    assert (few.reads, faster.reads) == (5, 5)
    assert os.path.samestat(decoded(few, FORM).folder.stat(), made[0])  # which others may have mapped
    assert [path.name[0] for path in decoded(few, FORM).folder.parent.iterdir()] == ["f"]


def test_a_cache_that_cannot_be_written_is_named(few: Few, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GANLIT_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"file/images cannot be written \(.*\): set GANLIT_CACHE to another folder"):
        decoded(few, FORM)
