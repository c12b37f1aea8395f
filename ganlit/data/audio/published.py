"""Sets of recordings by name: used as they lie on disk, else fetched from their publishers."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from secrets import token_hex
from typing import NamedTuple

from ganlit.data.audio.tree import Folder
from ganlit.data.tree import Labelling
from ganlit.errors import UserError, printable
from ganlit.records.downloads import digest_of, download

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}


class Packed(NamedTuple):
    """An archive."""

    url: str
    digest: str  # SHA-256


class Set(NamedTuple):
    """A set as its publisher hands it out."""

    folders: tuple[str, ...]  # in which it may lie below the root; the first as the archive unpacks
    choose: Callable[[Path, str], dict[str, str]]  # from where it lies and a split, the class of each path, or ""
    splits: tuple[str, ...]
    archives: dict[str, Packed]  # by split; of all that there is under ""
    classes: tuple[str, ...] = ()  # in order; by default sorted


def spoken(folder: Path, split: str, words: tuple[str, ...] = ()) -> dict[str, str]:
    """Speech Commands: a folder a word, and lists of what is validated and tested on (Warden, arXiv 1804.03209)."""
    listed = {name: _lines(folder / file) for name, file in LISTS.items()}
    found = {path: path.split("/")[0] for path in _waves(folder, "[!_]*/*.wav")}
    inside = listed[split] if split in LISTS else found.keys() - set().union(*listed.values())
    return {path: word for path, word in found.items() if path in inside and (not words or word in words)}


def digits(folder: Path, split: str) -> dict[str, str]:
    """SC09: the digits among them, as WaveGAN takes them."""
    return spoken(folder, split, DIGITS)


def read_aloud(folder: Path, split: str) -> dict[str, str]:
    """LJSpeech: one reader."""
    return dict.fromkeys(_waves(folder, "wavs/*.wav"), "")


def accents(folder: Path, split: str) -> dict[str, str]:
    """VCTK: a folder a speaker, and of two microphones the first."""
    found = _waves(folder, "wav48_silence_trimmed/*/*_mic1.flac") or _waves(folder, "wav48/*/*.wav")
    return {path: path.split("/")[1] for path in found}


def books(folder: Path, split: str) -> dict[str, str]:
    """LibriTTS: parts, in them a folder a speaker and in this one a chapter."""
    parts = "train-*" if split == "train" else split
    return {path: path.split("/")[1] for path in _waves(folder, f"{parts}/*/*/*.wav")}


COMMANDS = ("SpeechCommands/speech_commands_v0.02", "speech_commands_v0.02", "SpeechCommands", "speech_commands")
PARTED = ("train", "validation", "test")
SPEECH_COMMANDS = Packed(
    "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
    "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
)
LJSPEECH = Packed(
    "https://data.keithito.com/data/speech/LJSpeech-1.1.tar.bz2",
    "be1a30453f28eb8dd26af4101ae40cbf2c50413b1bb21936cbcdc6fae3de8aa5",
)
VCTK = Packed(
    "https://datashare.is.ed.ac.uk/bitstream/handle/10283/3443/VCTK-Corpus-0.92.zip",
    "f96258be9fdc2cbff6559541aae7ea4f59df3fcaf5cf963aae5ca647357e359c",
)
LIBRITTS = {
    part: Packed(f"http://www.openslr.org/resources/60/{part}.tar.gz", digest)
    for part, digest in {
        "dev-clean": "da0864e1bd26debed35da8a869dd5c04dfc27682921936de7cff9c8a254dbe1a",
        "dev-other": "d413eda26f3a152ac7c9cf3658ef85504dfb1b625296e5fa83727f5186cca79c",
        "test-clean": "234ea5b25859102a87024a4b9b86641f5b5aaaf1197335c95090cde04fe9a4f5",
        "test-other": "33a5342094f3bba7ccc2e0500b9e72d558f72eb99328ac8debe1d9080402f10d",
        "train-clean-100": "c5608bf1ef74bb621935382b8399c5cdd51cd3ee47cec51f00f885a64c6c7f6b",
        "train-clean-360": "ce7cff44dcac46009d18379f37ef36551123a1dc4e5c8e4eb73ae57260de4886",
        "train-other-500": "e35f7e34deeb2e2bdfe4403d88c8fdd5fbf64865cae41f027a185a6965f0a5df",
    }.items()
}
"""Addresses and digests are those of torchaudio's datasets."""

SETS: dict[str, Set] = {
    "sc09": Set((*COMMANDS, "sc09"), digits, PARTED, {"": SPEECH_COMMANDS}, DIGITS),
    "speech_commands": Set(COMMANDS, spoken, PARTED, {"": SPEECH_COMMANDS}),
    "ljspeech": Set(("LJSpeech-1.1", "ljspeech"), read_aloud, ("train",), {"": LJSPEECH}),
    "vctk": Set(("VCTK-Corpus-0.92", "VCTK-Corpus", "vctk"), accents, ("train",), {"": VCTK}),
    "libritts": Set(
        ("LibriTTS", "libritts"), books, ("train", *LIBRITTS), {**LIBRITTS, "train": LIBRITTS["train-clean-100"]}
    ),
}


class Published(Folder):
    """A set that lies in a folder.

    Args:
        name: of the set, and its split.
        folder: where it lies.
        chosen: the class of each path that is wanted, or "".
        order: of the classes; by default sorted.
    """

    def __init__(self, name: str, folder: Path, chosen: dict[str, str], order: tuple[str, ...] = ()) -> None:
        self.chosen = chosen
        self.order = order
        super().__init__(folder, None)
        self.name = name

    def wanted(self, path: str) -> bool:
        return path in self.chosen

    @property
    def listing(self) -> None:
        """Its own names say what is what."""
        return None

    def unlisted(self) -> Labelling | None:
        there = {*self.chosen.values()} - {""}
        names = tuple(name for name in self.order if name in there) or tuple(sorted(there))
        number = {name: number for number, name in enumerate(names)}
        return Labelling({path: number[name] for path, name in self.chosen.items()}, names) if names else None


def find_published(name: str, split: str, root: Path) -> Published:
    """A set by name, from below a folder or fetched into it.

    Raises:
        UserError: it has no such split, or is neither there nor can be fetched.
    """
    known = SETS[name]
    if split not in known.splits:
        raise UserError(f"{name} has no split {split}: set split to one of {', '.join(known.splits)}.")
    there = next((root / folder for folder in known.folders if known.choose(root / folder, split)), None)
    folder = there or _fetched(name, split, root)
    if not (chosen := known.choose(folder, split)):
        raise UserError(f"{printable(str(folder))} has nothing of {name} in the split {split}: fetch it anew.")
    return Published(f"{name}-{split}", folder, chosen, known.classes)


def _fetched(name: str, split: str, root: Path) -> Path:
    """The folder into which the publisher's archive has been unpacked.

    Raises:
        UserError: it cannot be.
    """
    known = SETS[name]
    url, digest = known.archives.get(split) or known.archives[""]
    folder, archive = root / known.folders[0], root / PurePosixPath(url).name
    wrong = download(url, archive, digest) if digest_of(archive) != digest else None
    if wrong is None:
        try:
            _unpack(archive, folder)
            return folder
        except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
            wrong = f"{archive} cannot be unpacked: {error}"
    raise UserError(
        f"{name} is not in {root} and cannot be fetched ({wrong}): get {url} and unpack it as {folder}, or set "
        f"data.init_args.root to where {PurePosixPath(known.folders[0]).name} lies."
    )


def _unpack(archive: Path, folder: Path) -> None:
    """Unpacks an archive, whose one folder is the set, or all of which is; what is there already stays as it is."""
    beside = folder.parent / f".{folder.name}-{token_hex(4)}"
    beside.mkdir(parents=True)
    try:
        if ".tar" in archive.name:
            with tarfile.open(archive) as packed:
                # Python 3.11 has it from its fourth release on; without it the digest alone says what is unpacked.
                packed.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
                packed.extractall(beside)
        else:
            shutil.unpack_archive(archive, beside)
        inner = beside / folder.name
        folder.mkdir(exist_ok=True)
        for each in [*(inner if inner.is_dir() else beside).iterdir()]:
            if not (folder / each.name).exists():
                each.replace(folder / each.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _lines(file: Path) -> set[str]:
    return set(file.read_text().split()) if file.is_file() else set()


def _waves(folder: Path, pattern: str) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob(pattern))
