"""Where recordings come from: folders, zips, lists, and sets by name."""

from __future__ import annotations

import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ganlit.data.audio import published
from ganlit.data.audio.catalogue import open_all, open_source
from ganlit.data.source import BadItem
from ganlit.errors import UserError

Make = Callable[..., Path]
Tone = Callable[..., np.ndarray]


def opened(place: Path | str, split: str = "train", **options: Any) -> Any:
    return open_source(str(place), split, Path("datasets"), **options)


def heard(source: Any) -> dict[str, str | None]:
    """By stem the names of the classes of what can be read."""
    found = [(source.stem(index), source.recording(index)[1]) for index in range(len(source))]
    return {stem: None if label is None else source.classes[label] for stem, label in found}


def refused(source: Any, index: int = 0) -> str:
    with pytest.raises(BadItem) as raised:
        source.recording(index)
    return str(raised.value)


def test_sub_folders_are_classes_and_what_is_not_sound_is_passed_over(make_sounds: Make) -> None:
    folder = make_sounds(["cat/a.wav", "cat/deep/b.FLAC", "dog/a.ogg", ".git/c.wav"])
    for path in ("cat/a.txt", "cat/a.lab", "notes.csv"):
        (folder / path).write_text("words")
    source = opened(folder)
    assert heard(source) == {"cat/a": "cat", "cat/deep/b": "cat", "dog/a": "dog"}
    assert (source.name, source.classes) == ("sounds", ("cat", "dog"))
    assert sorted(source.beside) == ["cat/a.lab", "cat/a.txt", "notes.csv"]
    assert heard(opened(folder, labels=False)) == {"cat/a": None, "cat/deep/b": None, "dog/a": None}


def test_a_folder_of_splits_is_one_of_them_and_a_readme_beside_them_is_none(make_sounds: Make) -> None:
    folder = make_sounds(["train/a.wav", "test/b.wav"])
    (folder / "README.txt").write_text("words")
    assert (list(heard(opened(folder))), list(heard(opened(folder, "test")))) == (["a"], ["b"])
    assert list(heard(open_all(folder, labels=False))) == ["test/b", "train/a"]
    with pytest.raises(UserError, match="sounds has no split val"):
        opened(folder, "val")


def test_labels_may_be_those_of_dataset_json(make_sounds: Make) -> None:
    folder = make_sounds(["a.wav", "b.wav"])
    (folder / "dataset.json").write_text(json.dumps({"labels": [["a.wav", 1], ["b.wav", 0]], "classes": ["x", "y"]}))
    assert heard(opened(folder)) == {"a": "y", "b": "x"}


def test_a_zip_is_read_without_unpacking(make_sounds: Make, tmp_path: Path) -> None:
    folder = make_sounds(["cat/a.wav", "b.flac"])
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as packed:
        for path in ("cat/a.wav", "b.flac"):
            packed.write(folder / path, path)
        packed.writestr("cat/words.txt", "words")
    source = opened(tmp_path / "set.zip")
    assert heard(source) == {"b": None, "cat/a": None}
    whole = open_source(str(folder), "train", Path(), labels=False)
    assert (source.sound(1).samples == whole.sound(1).samples).all()


def test_places_that_are_nothing_are_refused(make_sounds: Make, tmp_path: Path) -> None:
    empty = make_sounds([], "empty")
    words = make_sounds(["a.txt"], "words", a=b"words")
    (tmp_path / "broken.zip").write_text("no zip")
    for place, said in {
        str(empty): f"{empty} is an empty folder: put recordings into it",
        str(words): f"{words} is a folder without recordings: put recordings into it",
        "nothere/": "nothere/ does not exist: give a folder of recordings, a zip, or a list",
        "ljspech": "There is no dataset or path ljspech: did you mean ljspeech?",
        str(tmp_path / "broken.zip"): "broken.zip is neither a folder nor a zip that can be read",
        " ": "The source is empty",
    }.items():
        with pytest.raises(UserError) as raised:
            opened(place)
        assert said in str(raised.value)


def test_files_that_are_nothing_are_named(make_sounds: Make) -> None:
    source = opened(make_sounds(["text.wav", "void.wav"], text=b"Some words.\n" * 9, void=b""))
    assert refused(source, 0).endswith(
        "text.wav is no recording that can be read (invalid data found when processing input): remove it, or set "
        "skip_bad: true to leave such out."
    )
    assert "void.wav is no recording: remove it" in refused(source, 1)


LISTED = [
    {"path": "b.wav", "label": "dog", "start": 0.02, "end": 0.05},
    {"path": "in/a.wav", "label": "cat"},
    {"path": "in/a.wav", "label": "cat", "start": 0.05},
]


def write_list(file: Path, rows: list[dict[str, Any]]) -> Path:
    if file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        columns = list(dict.fromkeys(key for row in rows for key in row))
        lines = [columns, *([str(row.get(column, "")) for column in columns] for row in rows)]
        file.write_text("\n".join(map((",", "\t")[file.suffix == ".tsv"].join, lines)))
    return file


@pytest.mark.parametrize("name", ["list.csv", "list.tsv", "list.jsonl"])
def test_a_list_says_what_is_meant(make_sounds: Make, name: str) -> None:
    folder = make_sounds(["b.wav", "in/a.wav"])
    source = opened(write_list(folder / name, LISTED))
    assert heard(source) == {"b-0.02-0.05": "dog", "in/a": "cat", "in/a-0.05": "cat"}
    assert [len(source.sound(index).samples) for index in range(3)] == [240, 800, 400]
    assert (source.sound(2).samples == source.sound(1).samples[400:]).all()
    assert (source.name, source.classes) == ("list", ("cat", "dog"))
    before = source.fingerprint
    (folder / "b.wav").touch()
    assert opened(folder / name).fingerprint != before


def test_a_list_may_have_splits_and_numbers_for_classes(make_sounds: Make) -> None:
    folder = make_sounds(["a.wav", "b.wav", "c.wav"])
    rows = [
        {"path": f"{name}.wav", "label": label, "split": split}
        for name, label, split in [("a", 10, "train"), ("b", 9, "train"), ("c", 9, "test")]
    ]
    source = opened(write_list(folder / "list.csv", rows))
    assert (heard(source), source.classes, source.name) == ({"a": "10", "b": "9"}, ("9", "10"), "list-train")
    assert heard(opened(folder / "list.csv", "test")) == {"c": "9"}
    with pytest.raises(UserError, match="has no split val: set split to one of train, test"):
        opened(folder / "list.csv", "val")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "file,label\na.wav,cat\n",
            "list.csv has file, label in its first line, not path: call the column of the files so.",
        ),
        ("path,start\na.wav,soon\n", "list.csv line 2 has the start 'soon': let it be a number of seconds."),
        ("path,start,end\na.wav,2,1\n", "list.csv line 2 ends at 1 s, not behind its start at 2: mend it."),
        ("path\n", "list.csv lists nothing"),
        ("path,label\n,cat\n", "list.csv line 2 has no path"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "list.csv").write_text(content)
    with pytest.raises(UserError) as raised:
        opened(tmp_path / "list.csv")
    assert said in str(raised.value)


def test_a_line_of_json_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "list.jsonl").write_text('{"path": "a.wav"}\n{"path": \n')
    with pytest.raises(UserError, match=r"list.jsonl line 2 is not JSON"):
        opened(tmp_path / "list.jsonl")


def test_what_is_listed_and_not_there_is_named(make_sounds: Make) -> None:
    folder = make_sounds(["a.wav"])
    rows = [{"path": "a.wav", "label": "cat"}, {"path": "a.wav"}, {"path": "gone.wav", "label": "cat"}]
    source = opened(write_list(folder / "list.csv", rows))
    assert "list.csv line 3 (a.wav) has no label: add it, or set labels: false to do without" in refused(source, 1)
    assert "list.csv line 4 (gone.wav) is listed but not there: mend the path" in refused(source, 2)


@pytest.fixture
def sets(tmp_path: Path, tone: Tone) -> Path:
    """The layouts of published sets, of a few short recordings each."""
    commands = "SpeechCommands/speech_commands_v0.02"
    paths = [f"{commands}/{word}/{who}_nohash_0.wav" for word in ("seven", "one", "bed") for who in ("a", "b", "c")]
    paths += [f"{commands}/_background_noise_/hum.wav", "LJSpeech-1.1/wavs/LJ001-0001.wav"]
    paths += [f"VCTK-Corpus-0.92/wav48_silence_trimmed/p225/p225_001_mic{mic}.flac" for mic in (1, 2)]
    paths += ["LibriTTS/train-clean-100/19/198/19_198_0.wav", "LibriTTS/dev-clean/84/1/84_1_0.wav"]
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / path, tone(0.02), 8000)
    (tmp_path / "LJSpeech-1.1" / "metadata.csv").write_text("LJ001-0001|Words|words\n")
    for name, who in {"validation_list": "b", "testing_list": "c"}.items():
        listed = [f"{word}/{who}_nohash_0.wav" for word in ("seven", "one", "bed")]
        (tmp_path / commands / f"{name}.txt").write_text("\n".join(listed))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "split", "wanted", "classes"),
    [
        ("sc09", "train", ["one/a_nohash_0", "seven/a_nohash_0"], ("one", "seven")),
        ("SC09", "validation", ["one/b_nohash_0", "seven/b_nohash_0"], ("one", "seven")),
        (
            "speech_commands",
            "test",
            [f"{word}/c_nohash_0" for word in ("bed", "one", "seven")],
            ("bed", "one", "seven"),
        ),
        ("ljspeech", "train", ["wavs/LJ001-0001"], ()),
        ("vctk", "train", ["wav48_silence_trimmed/p225/p225_001_mic1"], ("p225",)),
        ("libritts", "train", ["train-clean-100/19/198/19_198_0"], ("19",)),
        ("libritts", "dev-clean", ["dev-clean/84/1/84_1_0"], ("84",)),
    ],
)
def test_sets_by_name_lie_as_they_are_published(
    sets: Path, name: str, split: str, wanted: list[str], classes: tuple[str, ...]
) -> None:
    source = open_source(name, split, sets)
    assert (sorted(heard(source)), source.classes, source.name) == (wanted, classes, f"{name.lower()}-{split}")


def test_digits_are_in_their_order(sets: Path) -> None:
    source = open_source("sc09", "train", sets)
    assert {stem.split("/")[0] for stem in heard(source)} == {"one", "seven"}
    assert all(stem.startswith(label) for stem, label in heard(source).items())


def test_a_set_that_is_missing_is_fetched_checked_and_unpacked(
    sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, asked = tmp_path / "root", []

    def download(url: str, path: Path, digest: str | None = None) -> None:
        asked.append((url, digest))
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w:gz") as packed:
            packed.add(sets / "LibriTTS" / "dev-clean", "LibriTTS/dev-clean")

    monkeypatch.setattr(published, "download", download)
    assert heard(open_source("libritts", "dev-clean", root)) == {"dev-clean/84/1/84_1_0": "84"}
    assert asked == [published.LIBRITTS["dev-clean"]]
    open_source("libritts", "dev-clean", root)
    assert len(asked) == 1
    assert {path.name for path in root.iterdir()} == {"dev-clean.tar.gz", "LibriTTS"}


def test_a_set_that_cannot_be_had_says_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "download", lambda url, path, digest: "no network")
    with pytest.raises(UserError) as raised:
        open_source("ljspeech", "train", tmp_path)
    assert str(raised.value) == (
        f"ljspeech is not in {tmp_path} and cannot be fetched (no network): get "
        f"https://data.keithito.com/data/speech/LJSpeech-1.1.tar.bz2 and unpack it as {tmp_path}/LJSpeech-1.1, or set "
        "data.init_args.root to where LJSpeech-1.1 lies."
    )
    with pytest.raises(UserError, match="ljspeech has no split test: set split to one of train"):
        open_source("ljspeech", "test", tmp_path)
