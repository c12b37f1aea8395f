"""What boards make of films: W&B plays them, and so does TensorBoard those that are GIFs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import wandb
from PIL import Image

from ganlit.callbacks.loggers.tensorboard import TensorBoard
from ganlit.callbacks.loggers.wandb_media import media
from ganlit.data.video.modality import VideoModality
from ganlit.data.video.writing import write_mp4


@pytest.fixture
def shown(tmp_path: Path) -> list[Path]:
    """What samples are of two clips: a strip and two GIFs."""
    clips = (torch.arange(5)[None, None, :, None, None] * 50).expand(2, 1, 5, 16, 16).to(torch.uint8)
    return VideoModality(10).show([clips], 2, tmp_path / "kimg0")


def test_wandb_gets_films_as_what_they_are(shown: list[Path], tmp_path: Path) -> None:
    long = write_mp4(torch.zeros(3, 4, 16, 16, dtype=torch.uint8), tmp_path / "long", 10)
    found = media("samples", [*shown, long])
    assert list(found) == ["samples", "samples/video"]
    assert isinstance(found["samples"], wandb.Image)
    films = found["samples/video"]
    assert [type(each) for each in films] == [wandb.Video] * 3
    assert [(each._format, each._caption) for each in films] == [
        ("gif", "kimg0-00"),
        ("gif", "kimg0-01"),
        ("mp4", "long"),
    ]


def test_tensorboard_shows_the_strip_of_their_frames_and_plays_them(shown: list[Path], tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = TensorBoard()
    board.folder = tmp_path
    board.log_media("samples", shown, 0.25)
    board.finalize("success")
    seen = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert "samples" in seen.Tags()["images"]
    (strip,) = seen.Images("samples")
    assert (strip.step, strip.width, strip.height) == (250, *Image.open(shown[0]).size)
    for number, film in enumerate(shown[1:], 1):
        (played,) = seen.Images(f"samples/{number}")
        assert (played.step, played.width, played.height) == (250, *Image.open(film).size)
        assert played.encoded_image_string == film.read_bytes()
