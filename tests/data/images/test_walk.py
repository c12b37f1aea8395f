from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganlit.data.images.folder import Folder
from ganlit.data.source import BadItem
from ganlit.data.walk import walked
from ganlit.errors import UserError

Make = Callable[..., Path]
SKIP = "or set skip_bad: true to leave such out."


@pytest.fixture
def photos(make_folder: Make) -> Path:
    return make_folder(["a/1.png", "b/2.png"])


def refused(folder: Path) -> dict[str, str]:
    """What cannot be used, by path, with why."""
    source, found = Folder(folder), {}
    for index, member in enumerate(source.members):
        try:
            source.picture(index)
        except BadItem as bad:
            found[member] = str(bad).removeprefix(f"{folder}/{member} ")
    return found


def test_links_to_folders_and_pictures_are_followed(photos: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "whole").symlink_to(photos / "a")
    (linked / "picked").mkdir()
    (linked / "picked" / "one.png").symlink_to("../../photos/b/2.png")
    source = Folder(linked)
    assert (source.members, source.classes) == (["picked/one.png", "whole/1.png"], ("picked", "whole"))
    assert refused(linked) == {}
    (tmp_path / "other").symlink_to(linked)
    assert Folder(tmp_path / "other").members == source.members


@pytest.mark.parametrize("target", ["/", ".", "..", "../..", "../../.."])
def test_a_link_does_not_lead_out_to_what_it_lies_in(target: str, photos: Path) -> None:
    (photos / "a" / "out").symlink_to(target)
    real = os.path.realpath(photos / "a" / target)
    assert refused(photos) == {
        "a/out": f"is a link to {real}, in which it lies itself: remove it, {SKIP}",
    }


def test_a_link_out_of_a_folder_that_is_linked_is_not_followed_either(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "far" / "near").mkdir(parents=True)
    (tmp_path / "far" / "near" / "up").symlink_to("..")
    (photos / "c").symlink_to(tmp_path / "far" / "near")
    assert list(refused(photos)) == ["c/up"]


@pytest.mark.parametrize(("link", "target"), [("0", "a"), ("z", "a"), ("a/deep", "../b")])
def test_a_folder_is_walked_once_and_is_what_it_is(link: str, target: str, photos: Path) -> None:
    (photos / link).symlink_to(target)
    before = Path(target).name
    assert refused(photos) == {
        link: f"is a folder that is in the source already, as {before}/: remove it, {SKIP}",
    }
    assert Folder(photos).classes == ("a", "b")


def test_links_that_lead_nowhere_are_named(photos: Path) -> None:
    (photos / "a" / "gone.png").symlink_to("nowhere.png")
    (photos / "a" / "self.png").symlink_to("self.png")
    assert refused(photos) == {
        "a/gone.png": "is a link that leads nowhere (No such file or directory): mend or remove it.",
        "a/self.png": "is a link that leads nowhere (Too many levels of symbolic links): mend or remove it.",
    }


def test_what_is_no_file_is_named_and_not_waited_for(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(photos / "a" / "pipe.png")
    (photos / "a" / "zeros.png").symlink_to("/dev/zero")
    (photos / "a" / "piped.png").symlink_to("pipe.png")
    monkeypatch.chdir(photos)  # the address of a socket is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("b/socket.png")
        kinds = {path: said.partition(",")[0] for path, said in refused(photos).items()}
    assert kinds == {
        **dict.fromkeys(("a/pipe.png", "a/piped.png"), "is a named pipe"),
        "a/zeros.png": "is a device",
        "b/socket.png": "is a socket",
    }


def test_what_is_empty_is_not_opened(make_folder: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of /proc are: a look into some of them waits for ever."""
    folder = make_folder(["a.png"], a=b"")
    monkeypatch.setattr("PIL.Image.open", lambda path: pytest.fail("opened"))
    assert refused(folder) == {"a.png": f"is not an image: remove it, {SKIP}"}


def test_a_folder_may_be_called_like_a_picture(make_folder: Make) -> None:
    assert Folder(make_folder(["a.png/1.png", "b/1.png"])).classes == ("a.png", "b")


def test_hidden_things_are_passed_over_wherever_they_are(make_folder: Make) -> None:
    folders = [".git/x.png", "a/.ipynb_checkpoints/x.png", "__MACOSX/a/x.png", "lost+found/x.png"]
    assert Folder(make_folder(["a/1.png", *folders, "a/Thumbs.db", "a/.DS_Store"])).members == ["a/1.png"]


@pytest.fixture
def forbid(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """As for one who may not read a folder: the tests may be run by root, who may."""
    scandir, forbidden = os.scandir, set[str]()

    def scanned(path: str) -> object:
        if str(path) in forbidden:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scanned)
    return lambda path: forbidden.add(str(path))


def test_a_folder_that_may_not_be_read_is_named_before_half_of_the_data_is_taken(
    photos: Path, forbid: Callable[[Path], None]
) -> None:
    forbid(photos / "a")
    said = rf"^{photos}/a is a folder that cannot be read \(Permission denied\): let it be read, or move it out of"
    with pytest.raises(UserError, match=said):
        Folder(photos)
    forbid(photos / "b")
    with pytest.raises(UserError, match=r"/a is a folder that cannot be read \(Permission denied\), one of 2: let"):
        Folder(photos)
    forbid(photos)
    with pytest.raises(UserError, match=r"photos cannot be read \(Permission denied\): let it be read"):
        Folder(photos)


def test_a_picture_that_may_not_be_read_is_named(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(path: Path) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("PIL.Image.open", opened)
    assert refused(photos)["a/1.png"] == "cannot be read (Permission denied): let it be read."


def test_names_that_are_no_text_are_shown_escaped(tmp_path: Path) -> None:
    for number, name in enumerate((b"caf\xe9", b"two\nlines\x1b[31m", "straße 写真".encode())):
        os.makedirs(os.path.join(os.fsencode(tmp_path), b"set\n", name))
        (tmp_path / "set\n" / os.fsdecode(name) / f"{number}.png").touch()
    source = Folder(tmp_path / "set\n")
    assert source.name == "set\\n"
    assert source.classes == ("caf\\udce9", "straße 写真", "two\\nlines\\x1b[31m")
    assert [source.label(index) for index in range(3)] == [0, 1, 2]
    assert source.title(2) == f"{tmp_path}/set\\n/two\\nlines\\x1b[31m/1.png"


def test_a_walk_gives_what_it_finds_before_it_has_found_all(photos: Path, forbid: Callable[[Path], None]) -> None:
    """A first look takes no longer in a folder of millions."""
    walking = walked(photos)
    assert next(walking).path == "a/1.png"
    forbid(photos / "b")
    assert next(walking).unread
