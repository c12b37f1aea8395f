from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ganlit.data.images.decoding import decoded
from ganlit.data.images.fitting import Form
from ganlit.data.images.folder import Folder
from ganlit.data.images.images import Images
from ganlit.data.stage import copy, expanded, staged
from ganlit.data.store import Stored
from ganlit.errors import UserError


@pytest.fixture
def stored(make_folder: Callable[..., Path]) -> Stored:
    return decoded(Folder(make_folder([f"{name}/{index}.png" for name in "ab" for index in range(20)])), Form(8, 3))


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


def home(scratch: Path) -> Path:
    """The folder of the only dataset there."""
    (folder,) = (path for path in (scratch / f"ganlit-{os.getuid()}").iterdir() if not path.name.startswith("."))
    return folder


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """What a full disk does, by other means: the kernel refuses the bytes beyond."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_variables_and_home_are_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/local/7")
    monkeypatch.setenv("HOME", "/home/me")
    assert expanded(Path("$TMPDIR")) == Path("/local/7")
    assert expanded(Path("${TMPDIR}/sets")) == Path("/local/7/sets")
    assert expanded(Path("~/sets")) == Path("/home/me/sets")


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_is_named(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOBTMP", raising=False)
    if value is not None:
        monkeypatch.setenv("JOBTMP", value)
    with pytest.raises(UserError, match=r"data.init_args.stage is \$JOBTMP/sets, but JOBTMP is not set on "):
        expanded(Path("$JOBTMP/sets"))


def test_a_home_that_nobody_has_is_named() -> None:
    with pytest.raises(UserError, match=r"data.init_args.stage is ~no-one-here/sets, but nobody of that name"):
        expanded(Path("~no-one-here/sets"))


def test_the_copy_is_the_same_and_is_what_is_mapped(stored: Stored, scratch: Path) -> None:
    said: list[str] = []
    assert staged(stored, scratch) is None
    copy(stored, scratch, said.append)
    found = staged(stored, scratch)
    assert found.folder == stored.folder
    assert found.reference._replace(items=None, labels=None) == stored.reference._replace(items=None, labels=None)
    assert torch.equal(found.reference.items, stored.reference.items)
    assert torch.equal(found.reference.labels, stored.reference.labels)
    assert f"photos: 0.0 MB in {home(scratch)} (" in said[0]


def test_what_is_there_and_whole_is_left_as_it_is(stored: Stored, scratch: Path) -> None:
    copy(stored, scratch)
    before = (home(scratch) / "pixels").stat()
    copy(stored, scratch)
    assert os.path.samestat((home(scratch) / "pixels").stat(), before)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        *(("pixels", content) for content in (b"cut", bytes(40 * 3 * 8 * 8), None)),
        *(("about.json", content) for content in (b"", b'{"shape": [1]}', b"[]")),
    ],
)
def test_what_a_crash_has_left_is_copied_anew(file: str, content: bytes | None, stored: Stored, scratch: Path) -> None:
    copy(stored, scratch)
    damaged = home(scratch) / file
    damaged.unlink() if content is None else damaged.write_bytes(content)
    unfinished = damaged.parent.with_name(f".{damaged.parent.name}-0a1b2c3d")
    unfinished.mkdir()
    assert staged(stored, scratch) is None
    copy(stored, scratch)
    assert torch.equal(staged(stored, scratch).reference.items, stored.reference.items)
    names = sorted(path.name for path in damaged.parents[1].iterdir())
    assert names == [f".{damaged.parent.name}.lock", damaged.parent.name]


def test_a_copy_of_other_pixels_is_none(stored: Stored, scratch: Path) -> None:
    copy(stored, scratch)
    about = home(scratch) / "about.json"
    about.write_text(about.read_text().replace(stored.reference.digest, "0" * 32))
    assert staged(stored, scratch) is None


def test_a_disk_without_room_costs_the_copy_alone(
    stored: Stored, scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with no_file_larger_than(1000):
        copy(stored, scratch)
    told = capsys.readouterr().out
    assert "cannot be written (File too large): this node reads from" in told
    assert str(stored.folder) in told
    assert staged(stored, scratch) is None
    assert [path.suffix for path in (scratch / f"ganlit-{os.getuid()}").iterdir()] == [".lock"]


def test_a_folder_that_cannot_be_written_costs_the_copy_alone(
    stored: Stored, scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scratch.touch()
    copy(stored, scratch)
    assert "cannot be written (Not a directory): this node reads from" in capsys.readouterr().out
    assert staged(stored, scratch) is None


def attached(data: Images, local_rank: int = 0, rank: int = 0, told: object = None) -> Images:
    """As a Trainer of one process, or as a rank that hears what rank 0 broadcasts."""
    strategy = SimpleNamespace(broadcast=lambda own: own if rank == 0 else told, barrier=lambda: None)
    data.trainer = SimpleNamespace(
        strategy=strategy, local_rank=local_rank, global_rank=rank, world_size=1 if rank == 0 else 2
    )
    return data


def test_a_training_reads_the_copy_and_nothing_else_does(
    make_folder: Callable[..., Path], scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder([f"{index}.png" for index in range(20)])
    monkeypatch.delenv("JOBTMP", raising=False)
    data = attached(Images(str(folder), 8, batch=4, val_images=4, test_images=4, stage=Path("$JOBTMP")))
    data.prepare_data()
    data.setup("test")
    with pytest.raises(UserError, match="JOBTMP is not set"):
        data.setup("fit")
    monkeypatch.setenv("JOBTMP", str(scratch))
    before = data.reference.items.clone()
    data.setup("fit")
    (home(scratch) / "pixels").write_bytes(bytes(before.numel()))
    assert torch.equal(data.reference.items, torch.zeros_like(before))  # a private mapping of the file in scratch
    assert data.dataset.images is data.reference.items


def test_other_ranks_map_what_the_first_has_found_without_looking_at_the_source(
    make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    options = {"resolution": 8, "batch": 4, "val_images": 4, "test_images": 4}
    first = attached(Images(str(make_folder([f"{index}.png" for index in range(20)])), **options))
    first.prepare_data()
    told = {"trained": (first.stored.folder, first.reference.digest)}
    other = attached(Images(str(tmp_path / "not mounted here"), **options), 1, 1, told)
    other.setup("fit")
    assert torch.equal(other.reference.items, first.reference.items)


def test_a_rank_that_sees_another_cache_decodes_and_must_find_the_same(make_folder: Callable[..., Path]) -> None:
    names = [f"{index}.png" for index in range(20)]
    options = {"resolution": 8, "batch": 4, "val_images": 4, "test_images": 4}
    source, elsewhere = make_folder(names), Path("/cache/of/another/machine")
    digest = Images(str(source), **options).reference.digest
    attached(Images(str(source), **options), 0, 2, {"trained": (elsewhere, digest)}).setup("fit")
    others = Images(str(make_folder(names[1:], "others")), **options)
    with pytest.raises(UserError, match=r"rank 2 has found other images as .* than rank 0"):
        attached(others, 0, 2, {"trained": (elsewhere, digest)}).setup("fit")
