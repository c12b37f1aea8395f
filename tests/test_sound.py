"""Sound goes all the way that images go: from noise, and from spectrograms."""

from __future__ import annotations

import csv
import io
import json
import wave
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganlit.cli.main import main
from ganlit.configuration.names import recognised
from ganlit.data.audio.modality import AudioModality
from ganlit.records import durable

TOYS = Path(__file__).parent / "toys"
IDS = "bands@0/4000/tones-heard256-held10@"


def write(path: Path, pitch: float, seconds: float, rate: int = 8000, channels: int = 1) -> Path:
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(round(pitch)).uniform(-0.05, 0.05, len(time))
    samples = np.repeat((0.5 * np.sin(2 * np.pi * pitch * time) + noise)[:, None], channels, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which `tones` lies."""
    folder = tmp_path_factory.mktemp("sound")
    for number in range(20):
        write(folder / "tones" / "low" / f"{number}.wav", 300 + 10 * number, 0.1)
        write(folder / "tones" / "high" / f"{number}.wav", 1500 + 20 * number, 0.12)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("WANDB_MODE", "disabled")
        patch.setenv("GANLIT_CACHE", str(folder / "cache"))
        yield folder


def said(*words: str) -> str:
    with redirect_stdout(io.StringIO()) as told:
        assert main(list(words)) == 0
    return told.getvalue()


@pytest.fixture(scope="module")
def run(place: Path) -> Path:
    """From noise."""
    said("fit", "--config", str(TOYS / "sounds.yaml"))
    return Path("runs/tones")


@pytest.fixture(scope="module")
def vocoder(place: Path) -> Path:
    said("fit", "--config", str(TOYS / "vocoder.yaml"))
    return Path("runs/vocoder")


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def frames(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (8000, 2, 1)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_it_is_trained_and_measured_on_what_was_held_out(run: Path) -> None:
    last = {name.partition("/")[0] for name, value in rows(run)[-1].items() if IDS in name and value}
    assert last >= {"fid80", "kid80-100x10", "probe-is80"}
    assert (run / "overview.png").exists()


def test_its_samples_are_spectrograms_and_sounds(run: Path) -> None:
    names = [path.name for path in sorted((run / "samples").iterdir())]
    assert {"real.png", "real-00.wav", "kimg000000.0.png", "kimg000000.0-00.wav", "kimg000000.8-03.wav"} <= {*names}
    assert frames(run / "samples" / "real-00.wav").shape == (256,)
    assert Image.open(run / "samples" / "real.png").width == 10 * 162 + 2


def test_it_is_resumed_bitwise(run: Path) -> None:
    said("fit", "--config", str(TOYS / "sounds.yaml"), "--name", "stopped", "--kimg", "0.5")
    said("fit", "--config", str(TOYS / "sounds.yaml"), "--name", "stopped", "--resume")
    whole, resumed = (durable.load(path / "checkpoints" / "last.ckpt") for path in (run, run.with_name("stopped")))
    assert all(torch.equal(value, resumed["state_dict"][name]) for name, value in whole["state_dict"].items())


def test_what_is_generated_is_written_measured_and_checked(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said("generate", str(run), "--count", "40")
    assert "40 recordings in runs/tones/generated, together in runs/tones/generated-grid.png" in told
    assert frames(run / "generated" / "000007.wav").shape == (256,)
    assert isinstance(recognised("runs/tones/generated"), AudioModality)
    told = said("evaluate", "runs/tones/generated", "--against", str(run), "--metrics", "fid@sounds.Bands")
    assert "40 recordings of generated against 10 of tones-heard256-held10" in told
    assert "40 recordings of tones against 10" in said(
        "evaluate", "tones", "--against", str(run), "--metrics", "fid@sounds.Bands"
    )
    assert "generated: 40 recordings, 40 of them readable" in said("data", "check", "runs/tones/generated")
    assert "fid80/" in said("evaluate", str(run), "--metrics", "fid@sounds.Bands")


def test_two_folders_of_recordings_are_compared(run: Path) -> None:
    """Of unequal length and rate: each recording is heard by itself, and what has more is brought to the lower rate."""
    for number in range(20):
        write(Path(f"finer/high/{number}.wav"), 1500 + 20 * number, 0.12 + 0.01 * number, 16000)
        write(Path(f"finer/low/{number}.wav"), 300 + 10 * number, 0.1, 16000)
    told = said("evaluate", "tones", "--against", "finer", "--metrics", "fid@sounds.Bands,memorisation@sounds.Bands")
    assert "40 recordings of tones against 40 of finer" in told
    same = said("evaluate", "tones", "--against", "tones", "--metrics", "fid@sounds.Bands", "--json", "same.json")
    assert "40 recordings of tones against 40 of tones" in same
    (value,) = json.loads(Path("same.json").read_text())["fid"].values()
    assert abs(value["value"]) < 1e-6
    said(
        "evaluate", "tones", "--against", "finer", "--metrics", "memorisation@sounds.Bands", "--neighbours", "near.png"
    )
    assert Path("near-00.wav").exists()


def test_a_vocoder_takes_recordings_of_any_length(vocoder: Path) -> None:
    write(Path("songs/long.wav"), 700, 1.03)
    write(Path("songs/short.wav"), 900, 0.2501)
    told = said("translate", "runs/vocoder", "songs", "--out", "whole", "--tile", "whole")
    assert "2 recordings in whole, " in told
    assert {path.name for path in Path("whole").iterdir()} == {"long.wav", "short.wav"}
    assert [len(frames(Path("whole") / name)) for name in ("long.wav", "short.wav")] == [8240, 2001]
    said("translate", "runs/vocoder", "songs", "--out", "tiled", "--tile", "2048", "--overlap", "256")
    one, other = (frames(Path(out) / "long.wav").astype(int) for out in ("whole", "tiled"))
    assert np.abs(one).max() > 100
    assert np.abs(one - other).max() <= 1  # by which they are rounded


def test_its_samples_show_what_griffin_lim_makes_of_the_same(vocoder: Path) -> None:
    assert frames(vocoder / "samples" / "real-00.wav").shape == (512,)
    sounds = sorted((vocoder / "samples").glob("kimg000000.8-*.wav"))
    assert len(sounds) == 12  # of four recordings Griffin-Lim's sound, ours, and the real
    real = frames(vocoder / "samples" / "real-00.wav")
    assert (frames(sounds[8]) == real).all()
    assert not (frames(sounds[0]) == real).all()


def test_recordings_are_made_as_spectrograms_and_heard(place: Path) -> None:
    """Networks see 8 bands of as many frames alone; all that is written and measured are sounds."""
    networks = {
        player: f"{{class_path: Spectrogram{kind}, init_args: {{network: {{class_path: DC{kind}, init_args: "
        "{resolution: 8, channels: 1, width: 4}}}}"
        for player, kind in {"generator": "Generator", "discriminator": "Discriminator"}.items()
    }
    spectrogram = "{class_path: MelSpectrogram, init_args: {rate: 8000, size: 128, hop: 32, bands: 8}}"
    data = f"{{class_path: Spectrograms, init_args: {{spectrogram: {spectrogram}, source: tones, segment: 256, batch: 8"
    data += ", tick: 0.08, val_images: 10, test_images: 10, held_out: 0.25}}"
    given = [f"--model.init_args.{player}={network}" for player, network in networks.items()]
    said("fit", "--config", str(TOYS / "sounds.yaml"), "--name=spec", "--kimg=0.08", *given, f"--data={data}")
    run = Path("runs/spec")
    measured = {name.partition("/")[0] for row in rows(run) for name, value in row.items() if IDS in name and value}
    assert measured >= {"fid10", "probe-is10"}
    made = [frames(path) for path in sorted((run / "samples").glob("kimg000000.1-*.wav"))]
    assert [each.shape for each in made] == [(256,)] * 12
    assert all(np.abs(each.astype(int)).max() > 0 for each in made)
    assert "4 recordings in runs/spec/generated" in said("generate", str(run), "--count", "4")
    assert frames(run / "generated" / "000003.wav").shape == (256,)


@pytest.mark.parametrize(
    ("name", "made", "said"),
    [
        (
            "low",
            {"rate": 4000},
            "low.wav has 4,000 samples a second, fewer than the 8,000 that are wanted: add --upsample",
        ),
        ("stereo", {"channels": 2}, "stereo.wav has 2 channels, not 1: add --mix"),
        ("few", {"seconds": 10 / 8000}, "few.wav has 10 samples, less than 0.01 s: remove it"),
    ],
)
def test_what_does_not_fit_is_refused(
    vocoder: Path, name: str, made: dict, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(Path(f"wrong/{name}.wav"), **{"pitch": 500, "seconds": 0.2} | made)
    assert main(["translate", "runs/vocoder", str(path), "--out", f"none-{name}"]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_networks_of_another_segment_are_refused_in_its_words(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--name", "wrong", "--model.init_args.generator.init_args.segment", "128"]
    assert main(["fit", "--config", str(TOYS / "sounds.yaml"), *given]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "has recordings of [1, 256] (channels, samples) but the generator makes [1, 128]: set rate, segment" in told
