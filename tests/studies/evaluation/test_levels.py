"""A codec of sound at use: recordings of any length to codes in levels, and back."""

from __future__ import annotations

import json
import re
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from squares import Answer, part, tiny, within

from ganlit.cli.main import main
from ganlit.configuration.names import import_named
from ganlit.configuration.rebuild import build, load
from ganlit.data.audio.modality import AudioModality
from ganlit.errors import UserError
from ganlit.metrics.protocol import called, making_of
from ganlit.records.durable import write_weights
from ganlit.studies.evaluation.encode import decode, encode
from ganlit.studies.evaluation.translate import translate

Command = Callable[..., Answer]

RATE, MULTIPLE = 8000, 8
LENGTHS = {"short": 801, "in/long": 6003}
CODEC = part(
    "Codec",
    quantizer=part("ResidualQuantizer", levels=3, codes=16, dim=8, code_dim=4, cosine=True),
    rate=RATE,
    width=4,
    decoder_width=16,
    strides=[2, 4],
)


def write(path: Path, samples: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    time, stream = np.arange(samples) / RATE, np.random.default_rng(samples)
    sound = 0.4 * np.sin(2 * np.pi * 440 * time * (1 + time)) + stream.normal(0, 0.1, samples)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, samples, "NONE", ""))
        file.writeframes((sound * 20000).astype("<i2").tobytes())


def frames(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(int)


def metadata(path: Path) -> dict[str, str]:
    with safe_open(path, "pt") as file:
        return file.metadata()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with codec.safetensors, of random weights, songs of unequal length, and what it was trained on."""
    folder = tmp_path_factory.mktemp("codec")
    for number in range(20):
        write(folder / "noise" / f"{number}.wav", 1000 + number)
    for name, samples in LENGTHS.items():
        write(folder / "songs" / f"{name}.wav", samples)
    data = part("Recordings", source="noise", rate=RATE, segment=800, batch=8, val_images=8, test_images=8)
    model = {"generator": CODEC, "discriminator": part("sounds.Listener"), "criteria": [part("L1")]}
    config = yaml.safe_dump(yaml.safe_load(tiny("Translation", model)) | {"data": data})
    with within(folder, config):
        import_named()
        torch.manual_seed(0)
        generator = build(config, Path("tiny.yaml")).ema.module.train()
        generator(torch.randn(8, 1, 800), torch.zeros(8, dtype=torch.int64))  # codebooks begin
        write_weights(generator, config, 0, folder / "codec.safetensors")
        yield folder


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a second has several, as an hour has otherwise."""
    monkeypatch.setattr(AudioModality, "tile", 8)


def sounds(folder: str) -> dict[str, np.ndarray]:
    return {name: frames(Path(folder) / f"{name}.wav") for name in LENGTHS}


def test_recordings_of_any_length_are_encoded_and_decoded(place: Path, ganlit: Command) -> None:
    answer = ganlit("encode", "codec.safetensors", "songs", "--out", "whole")
    assert answer.code == 0, answer.err
    total = sum(-(-samples // MULTIPLE) for samples in LENGTHS.values())
    assert f"codes [{total}, 3] of 2 recordings in whole.safetensors" in answer.out
    assert "3 levels of codes, 12 kbit/s" in answer.out
    assert re.search(r"0\.9 s of audio in [\d.]+ s: [\d.,]+ times real time", answer.out)
    held, paths = load_file("whole.safetensors"), json.loads(metadata(place / "whole.safetensors")["paths"])
    assert dict(zip(paths, held["ends"].tolist(), strict=True)) == LENGTHS
    assert int(held["lengths"].sum()) == total
    answer = ganlit("decode", "codec.safetensors", "whole.safetensors", "--out", "decoded")
    assert answer.code == 0, answer.err
    assert "times real time" in answer.out
    answer = ganlit("translate", "codec.safetensors", "songs", "--out", "translated")
    assert "times real time" in answer.out
    decoded, translated = sounds("decoded"), sounds("translated")
    for name, samples in LENGTHS.items():
        assert len(decoded[name]) == len(translated[name]) == samples
        assert np.abs(decoded[name]).max() > 100
        assert np.abs(decoded[name] - translated[name]).max() <= 1


@pytest.mark.usefixtures("small_tiles")
@pytest.mark.parametrize("levels", [None, 1])
def test_in_tiles_it_is_what_it_is_of_the_whole(place: Path, tmp_path: Path, levels: int | None) -> None:
    """By as much overlap as the codec says that it looks around, which nobody has to know."""
    reach, long = load("codec.safetensors").ema.module.reach, LENGTHS["in/long"]
    assert long > 3 * 6 * reach
    encode("codec.safetensors", "songs", out=str(tmp_path / "tiled"), levels=levels)
    decode("codec.safetensors", str(tmp_path / "tiled.safetensors"), out=str(tmp_path / "decoded"))
    translate("codec.safetensors", "songs", out=str(tmp_path / "translated"), levels=levels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AudioModality, "tile", 2**17)
        encode("codec.safetensors", "songs", out=str(tmp_path / "whole"), levels=levels)
        translate("codec.safetensors", "songs", out=str(tmp_path / "at-once"), levels=levels)
    tiled, whole = (load_file(tmp_path / f"{name}.safetensors") for name in ("tiled", "whole"))
    assert tiled["codes"].shape[1] == (levels or 3)
    assert torch.equal(tiled["codes"], whole["codes"])
    expected = sounds(str(tmp_path / "at-once"))
    for folder in ("decoded", "translated"):
        for name, made in sounds(str(tmp_path / folder)).items():
            assert np.abs(made - expected[name]).max() <= 1, (folder, name)


def test_seconds_make_them_alike(place: Path, ganlit: Command) -> None:
    answer = ganlit("encode", "codec.safetensors", "songs", "--out", "alike", "--seconds", "0.1005", "--levels", "2")
    assert "codes [2, 2, 101] of 2 recordings" in answer.out
    assert "2 levels of codes, 8 kbit/s" in answer.out
    held = load_file("alike.safetensors")
    assert ("lengths" not in held, held["ends"].tolist()) == (True, [804, 804])
    assert ganlit("decode", "codec.safetensors", "alike.safetensors", "--out", "alike").code == 0
    assert [len(each) for each in sounds("alike").values()] == [804, 804]


def test_numbers_at_fewer_levels_have_other_ids(place: Path, ganlit: Command) -> None:
    found = {}
    for levels in (None, 3, 1):
        given = [] if levels is None else ["--levels", str(levels)]
        names = ["--metrics", "mel,codes,fid@sounds.Bands", "--json", f"at{levels}.json"]
        answer = ganlit("evaluate", "codec.safetensors", *names, *given)
        assert answer.code == 0, answer.err
        assert f"{levels or 3} level{'s' * (levels != 1)} of codes, {4 * (levels or 3)} kbit/s" in answer.out
        numbers = json.loads(Path(f"at{levels}.json").read_text())
        found[levels] = {name: one["value"] for each in numbers.values() for name, one in each.items()}
    assert found[None] == found[3]  # the very same
    assert not found[1].keys() & found[3].keys()
    (mel,) = (name for name in found[1] if name.startswith("mel"))
    assert mel.endswith("/ema@levels1+4000bps-reconstruction")
    (fid,) = (name for name in found[1] if name.startswith("fid"))
    assert (called(fid), making_of(fid)) == ("rFID", "reconstruction")


@pytest.mark.parametrize("levels", [0, 4])
@pytest.mark.parametrize("command", ["translate", "encode", "evaluate"])
def test_there_are_no_more_levels_than_were_trained(
    place: Path, capsys: pytest.CaptureFixture[str], command: str, levels: int
) -> None:
    words = {"evaluate": ["--metrics", "mel"]}.get(command, ["songs", "--out", "never"])
    assert main([command, "codec.safetensors", *words, "--levels", str(levels)]) == 2
    said = f"--levels is {levels}: it must be at least 1 and at most 3."
    assert said in " ".join(capsys.readouterr().err.split())
    assert not Path("never").exists()


def test_of_items_from_anywhere_there_are_none(place: Path, ganlit: Command) -> None:
    answer = ganlit("evaluate", "noise", "--against", "songs", "--metrics", "fid", "--levels", "1")
    assert answer.err == "error: --levels is about a run, and noise is none: leave the option out.\n"


@pytest.mark.parametrize(
    ("name", "wrong"), [("lengths", torch.tensor([3, 4])), ("lengths", torch.tensor([-1])), ("ends", torch.tensor([1]))]
)
def test_a_file_whose_lengths_do_not_fit_is_refused(
    place: Path, tmp_path: Path, name: str, wrong: torch.Tensor
) -> None:
    encode("codec.safetensors", "songs", out=str(tmp_path / "mine"))
    held = load_file(tmp_path / "mine.safetensors") | {name: wrong}
    save_file(held, tmp_path / "wrong.safetensors", metadata(tmp_path / "mine.safetensors"))
    with pytest.raises(UserError, match="does not hold what encode writes"):
        decode("codec.safetensors", str(tmp_path / "wrong.safetensors"), out=str(tmp_path / "new"))
