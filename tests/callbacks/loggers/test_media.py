"""What boards make of samples that are not only pictures."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
import wandb
from PIL import Image

from ganlit.callbacks.loggers.tensorboard import TensorBoard
from ganlit.callbacks.loggers.wandb_media import media
from ganlit.records.media import sound_of


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A picture, two sounds and some numbers of one validation."""
    picture, sounds, numbers = tmp_path / "a.png", [tmp_path / f"a-{n}.wav" for n in range(2)], tmp_path / "a.csv"
    Image.new("L", (4, 4)).save(picture)
    for path in sounds:
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(np.tile(np.array([[0, 2**14]], "<i2"), (100, 1)).tobytes())
    numbers.write_text("x,y\n1,<2>\n")
    return [picture, *sounds, numbers]


def test_wandb_gets_them_by_kind_the_first_under_the_name_itself(files: list[Path]) -> None:
    found = media("samples", [*files, files[0].with_suffix(".ckpt")])
    assert list(found) == ["samples", "samples/audio", "samples/text"]
    assert isinstance(found["samples"], wandb.Image)
    assert [type(each) for each in found["samples/audio"]] == [wandb.Audio] * 2
    assert "1,&lt;2&gt;" in found["samples/text"].html
    assert media("samples", []) == {}


def test_sounds_that_cannot_be_played_are_left_out(tmp_path: Path) -> None:
    deep, other = tmp_path / "deep.wav", tmp_path / "other.wav"
    with wave.open(str(deep), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(3)
        file.setframerate(8000)
        file.writeframes(bytes(9))
    other.write_bytes(b"fLaC")
    assert sound_of(deep) is sound_of(other) is None


def test_tensorboard_plays_sounds_and_shows_text(files: list[Path], tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = TensorBoard()
    board.folder = tmp_path
    board.log_media("samples", files, 0.25)
    board.finalize("success")
    seen = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert seen.Images("samples")[0].step == 250
    sound = seen.Audio("samples/1")[0]
    assert (sound.sample_rate, sound.length_frames, sound.step) == (8000, 100, 250)
    assert "samples/3/text_summary" in seen.Tags()["tensors"]
