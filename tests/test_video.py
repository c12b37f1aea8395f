"""Video goes all the way that images go: from noise, to what comes next, and to codes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from audited import audited
from clips import paths, squares
from PIL import Image
from torch import Tensor

from ganlit.augment.adaptive import ADA
from ganlit.cli.main import main
from ganlit.configuration.names import recognised
from ganlit.contracts import Labelled
from ganlit.data.video.modality import VideoModality
from ganlit.data.video.reading import film, header_of_film
from ganlit.data.video.writing import write_mp4
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.regularizers.gradient import R1
from ganlit.networks.several import Several
from ganlit.networks.video.stylegan import FrameDiscriminator, MotionDiscriminator, MotionGenerator
from ganlit.records import durable
from ganlit.studies.audit.equality import Equality
from ganlit.tasks.synthesis import Synthesis

TOYS = Path(__file__).parent / "toys"
FRAMES = 8


def write(folder: Path, clips: Tensor, rate: float = 10) -> Path:
    """Clips [n, C, T, H, W] in two classes."""
    for number, clip in enumerate(clips):
        write_mp4(clip, folder / ("slow", "fast")[number % 2] / f"{number:02}", rate)
    return folder


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which `films` lies, of squares that move, `stills`, of such as do not, and a clip of another size."""
    folder = tmp_path_factory.mktemp("video")
    clips = squares(paths(16, FRAMES, 0))
    write(folder / "films", clips)
    write(folder / "stills", clips[:, :, :1].expand_as(clips))
    write_mp4(torch.zeros(1, 6, 18, 22, dtype=torch.uint8), folder / "wide" / "dark", 10)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("WANDB_MODE", "disabled")
        patch.setenv("GANLIT_CACHE", str(folder / "cache"))
        yield folder


def said(*words: str) -> str:
    with redirect_stdout(io.StringIO()) as told:
        assert main(list(words)) == 0
    return told.getvalue()


def fit(name: str, *words: str) -> Path:
    said("fit", "--config", str(TOYS / f"{name}.yaml"), *words)
    return Path("runs") / name


@pytest.fixture(scope="module")
def run(place: Path) -> Path:
    """From noise."""
    return fit("films")


@pytest.fixture(scope="module")
def predictor(place: Path) -> Path:
    return fit("ahead")


@pytest.fixture(scope="module")
def tokenizer(place: Path) -> Path:
    return fit("codes")


def measured(run: Path) -> set[str]:
    """What has numbers in the record of a run, by the first word of its id."""
    with (run / "metrics.csv").open() as file:
        found = {name for row in csv.DictReader(file) for name, value in row.items() if value}
    return {name.partition("/")[0] for name in found if "films-" in name}


def frames(file: Path) -> np.ndarray:
    """[T, H, W, 3] of a film."""
    return np.stack([np.asarray(frame.picture().image.convert("RGB")) for frame in film(file)])


def near(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether films show the same, but for what is lost by writing them."""
    return one.shape == other.shape and np.abs(one.astype(int) - other).mean() < 4


def test_it_is_trained_and_measured(run: Path) -> None:
    assert measured(run) == {"velocity8", "position8", "bounces8"}
    assert (run / "overview.png").exists()


def test_its_samples_are_strips_and_films(run: Path) -> None:
    names = {path.name for path in (run / "samples").iterdir()}
    assert {"real.png", "real-00.gif", "kimg000000.0.png", "kimg000000.0-00.gif", "kimg000000.0-23.gif"} <= names
    strip = (FRAMES + 1) * 16  # and the line over time
    assert Image.open(run / "samples" / "real.png").width == 4 * (strip + 4) + 4
    with Image.open(run / "samples" / "real-00.gif") as moving:
        assert (moving.size, moving.n_frames, moving.info["duration"]) == ((16, 16), FRAMES, 100)


def test_it_is_resumed_bitwise(run: Path) -> None:
    fit("films", "--name", "stopped", "--kimg", "0.016")
    fit("films", "--name", "stopped", "--resume")
    whole, resumed = (durable.load(path / "checkpoints" / "last.ckpt") for path in (run, run.with_name("stopped")))
    assert whole["state_dict"].keys() == resumed["state_dict"].keys()
    assert all(torch.equal(value, resumed["state_dict"][name]) for name, value in whole["state_dict"].items())


def test_augmentations_are_alike_over_the_frames_of_a_run(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []

    def watched(self: ADA, items: Tensor, augmented: Callable = ADA.forward) -> Tensor:
        seen.append(torch.stack([items, found := augmented(self, items)]).detach())
        return found

    monkeypatch.setattr(ADA, "forward", watched)
    fit("films", "--name", "still", "--data.init_args.source=stills", "--kimg=0.008", "--fidelity=null")
    real = [pair for pair in seen if not pair[0].diff(dim=2).any()]
    assert real
    assert all(not after.diff(dim=2).any() for _, after in real)
    assert any((before != after).any() for before, after in real)


def game(discriminator: Any) -> Any:
    """What the networks are with which a batch is compared with its parts."""
    torch.manual_seed(0)
    size = {"channels": 1, "channel_base": 64, "channel_max": 4}
    adam = partial(torch.optim.Adam, lr=1e-3)
    generator = MotionGenerator(6, 16, content_dim=4, motion_dim=4, motion_z=2, w_dim=4, mapping_depth=1, **size)
    module = Synthesis(
        generator=generator,
        discriminator=discriminator(**size),
        loss=NonSaturating(),
        regularizers=[R1(weight=0.1, every=2)],
        generator_optimizer=adam,
        discriminator_optimizer=adam,
    )
    clips = VideoModality().to_network(squares(paths(8, 6, 0)))
    return audited(module, Labelled(clips, torch.zeros(8, dtype=torch.int64)))


def both(**size: Any) -> Several:
    return Several([FrameDiscriminator(16, **size), MotionDiscriminator(16, **size)])


def test_a_batch_is_the_same_in_parts_and_on_processes() -> None:
    equality = Equality(game(both))
    for found in (equality.micro_batches, equality.processes()):
        assert found.status == "does not apply"
        assert found.seen.startswith("discriminator.networks.0.minibatch_std (MinibatchStd)")
        assert float(found.seen.rpartition(" ")[2]) < 1e-12, found


def test_clips_of_any_length_and_rate_are_generated(run: Path) -> None:
    told = said("generate", str(run), "--count", "3")
    assert "3 clips in runs/films/generated, together in runs/films/generated-grid.png" in told
    usual = run / "generated" / "000001.mp4"
    assert header_of_film(usual) == ((16, 16), 10.0, FRAMES)
    said("generate", str(run), "--count", "3", "--frames", "15", "--fps", "20", "--out", "fine")
    assert header_of_film(Path("fine/000001.mp4")) == ((16, 16), 20.0, 15)
    assert near(frames(Path("fine/000001.mp4"))[::2], frames(usual))
    said("generate", str(run), "--seeds", "1", "--frames", "40", "--out", "long")
    assert near(frames(Path("long/000001.mp4"))[:FRAMES], frames(usual))
    assert isinstance(recognised("fine"), VideoModality)
    assert "fine: 3 clips, 3 of them readable, 45 frames" in said("data", "check", "fine", "--batch", "3")


def test_what_is_generated_is_measured(run: Path) -> None:
    said("generate", str(run), "--count", "8", "--out", "eight")
    told = said("evaluate", "eight", "--against", str(run), "--metrics", "motion")
    assert "8 clips of eight against 16 of films-seen8" in told
    assert "velocity8/" in said("evaluate", str(run), "--metrics", "motion")


def test_two_folders_of_clips_are_compared() -> None:
    told = said("evaluate", "films", "--against", "films", "--metrics", "motion", "--json", "same.json")
    assert "16 clips of films against 16 of films" in told
    said("evaluate", "stills", "--against", "films", "--metrics", "motion", "--json", "still.json")
    same, still = (json.loads(Path(name).read_text()) for name in ("same.json", "still.json"))
    assert [value["value"] for (value,) in (same[name].values() for name in same)] == [0.0] * 3
    ((velocity,), (position,)) = (still[name].values() for name in ("velocity", "position"))
    assert velocity["value"] > 3  # percent of a side, of a mean speed of 0.8 pixels of 16
    assert position["value"] < velocity["value"]


def test_what_comes_next_is_written_of_each_clip(predictor: Path) -> None:
    assert measured(predictor) == {"psnr8"}
    told = said("translate", str(predictor), "films", "--out", "next")
    assert "16 clips in next, " in told
    found = frames(Path("next/slow/00.mp4"))
    assert found.shape == (4, 16, 16, 3)
    said("translate", str(predictor), "wide", "--out", "ahead")
    assert frames(Path("ahead/dark.mp4")).shape == (4, 18, 22, 3)
    names = {path.name for path in (predictor / "samples").iterdir()}
    assert {"kimg000000.0.png", "kimg000000.0-00.gif"} <= names


def test_clips_become_codes_and_come_back(tokenizer: Path) -> None:
    assert measured(tokenizer) >= {"velocity8", "position8", "bounces8"}
    assert "16 clips in back" in said("translate", str(tokenizer), "films", "--out", "back")
    assert "codes [16, 4, 4, 4] of 16 clips in codes.safetensors" in said(
        "encode", str(tokenizer), "films", "--out", "codes"
    )
    assert "16 clips in decoded" in said("decode", str(tokenizer), "codes.safetensors", "--out", "decoded")
    for name in ("slow/00.mp4", "fast/15.mp4"):
        one, other = (frames(Path(folder) / name) for folder in ("back", "decoded"))
        assert one.shape == (FRAMES, 16, 16, 3)
        assert (one == other).all()
    said("translate", str(tokenizer), "wide", "--out", "broad")
    assert frames(Path("broad/dark.mp4")).shape == (6, 18, 22, 3)


def test_networks_of_other_clips_are_refused_in_their_words(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--name", "wrong", "--model.init_args.generator.init_args.frames", "6"]
    assert main(["fit", "--config", str(TOYS / "films.yaml"), *given]) == 2
    told = " ".join(capsys.readouterr().err.split())
    shape = "(channels, frames, rows, columns)"
    assert f"has clips of [1, 8, 16, 16] {shape} but the generator makes [1, 6, 16, 16]" in told


def silent(path: Path) -> None:
    """A film in which there is nothing to see."""
    with av.open(str(path), "w") as content:
        stream = content.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        content.mux(stream.encode(frame))
        content.mux(stream.encode())


def hesitant(path: Path) -> None:
    """A film that stands still for a while."""
    first, *others = (Image.new("L", (16, 16), 20 * number) for number in range(FRAMES))
    first.save(path, save_all=True, append_images=others, duration=[100, 100, 900, *[100] * (FRAMES - 3)])


BAD: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "one frame": (
        "x.mp4",
        lambda path: write_mp4(torch.zeros(1, 1, 16, 16).byte(), path.with_suffix(""), 10),
        "has one",
    ),
    "text": ("x.mp4", lambda path: path.write_text("words"), "is no clip that can be read"),
    "two sizes": (
        "x.mp4",
        lambda path: write_mp4(torch.zeros(1, 8, 32, 32).byte(), path.with_suffix(""), 10),
        "is 32x32",
    ),
    "varying rate": ("x.gif", hesitant, "has frames that are 0.1 to 0.9 s apart: set fps: 10 or less"),
    "sound alone": ("x.mp4", silent, "has sound in it and nothing to see"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_training_on_bad_clips_ends_with_a_sentence(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    file, spoil, reason = BAD[name]
    write(Path(name), squares(paths(2, FRAMES, 0)))
    spoil(Path(name) / "slow" / file)
    given = [f"--data.init_args.source={name}", "--data.init_args.fps=null", f"--name={name.replace(' ', '-')}"]
    assert main(["fit", "--config", str(TOYS / "films.yaml"), *given]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert told.startswith(f"error: {name}/slow/{file} {reason}")
    assert told.count("error") == 1
