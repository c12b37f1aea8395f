from __future__ import annotations

import errno
import math
import os
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlit.data.images.modality import ImageModality
from ganlit.data.video.modality import VideoModality
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating
from ganlit.networks.images.dcgan import DCDiscriminator, DCGenerator
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator
from ganlit.networks.text.lstm import LSTMGenerator
from ganlit.networks.text.transformer import TransformerGenerator
from ganlit.networks.video.stylegan import FrameDiscriminator, MotionGenerator
from ganlit.studies.evaluation.generate import generate, refuse_length
from ganlit.studies.evaluation.options import numbers
from ganlit.tasks.synthesis import Synthesis

SIZES = {"resolution": 16, "channels": 1, "classes": 3, "channel_base": 64, "channel_max": 4}


def trained(generator: torch.nn.Module, discriminator: torch.nn.Module) -> Synthesis:
    adam = partial(torch.optim.Adam, lr=0.001)
    return Synthesis(generator, discriminator, NonSaturating(), adam, adam).eval()


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> Synthesis:
    """A conditional run with noise in its layers, in place of one on the disk."""
    torch.manual_seed(1)
    generator = StyleGenerator(**SIZES, z_dim=4, w_dim=4, mapping_depth=1)
    generator.w_mean.normal_()
    for layer in generator.layers:
        layer.noise.strength.data.fill_(0.5)
    module = trained(generator, StyleDiscriminator(**SIZES))
    monkeypatch.setattr("ganlit.studies.evaluation.trained.load", lambda run, checkpoint: module)
    data = SimpleNamespace(modality=ImageModality())
    monkeypatch.setattr("ganlit.studies.evaluation.generate.setting", lambda run: SimpleNamespace(data=data))
    return module


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("L"))


def test_images_and_a_grid_are_written(tmp_path: Path) -> None:
    generate("run", count=6, out=str(tmp_path / "new"))
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [f"{n:06}.png" for n in range(6)]
    assert pixels(tmp_path / "new" / "000000.png").shape == (16, 16)
    assert pixels(tmp_path / "new-grid.png").shape == (2 * 18 + 2, 3 * 18 + 2)  # a column for each class


def test_by_default_they_lie_in_the_run(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    generate(str(tmp_path))
    assert len(list((tmp_path / "generated").iterdir())) == 64
    assert f"64 images in {tmp_path}/generated, together in {tmp_path}/generated-grid.png" in capsys.readouterr().out


def test_only_the_first_of_many_are_shown_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("ganlit.studies.evaluation.generate.TOGETHER", 3)
    generate("run", count=5, out=str(tmp_path / "new"))
    assert "5 images in" in (told := capsys.readouterr().out)
    assert "the first 3 together in" in told
    assert pixels(tmp_path / "new-grid.png").shape == (18 + 2, 3 * 18 + 2)


def test_a_seed_gives_its_image_in_any_company(tmp_path: Path) -> None:
    for name, seeds in {"one": "7", "list": "9,7", "range": "5-8"}.items():
        generate("run", seeds=seeds, out=str(tmp_path / name))
    generate("run", count=8, out=str(tmp_path / "all"))
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["000007.png"]
    assert sorted(path.name for path in (tmp_path / "range").iterdir()) == [f"00000{n}.png" for n in (5, 6, 7, 8)]
    one, *others = ((tmp_path / name / "000007.png").read_bytes() for name in ("one", "list", "range", "all"))
    assert others == [one] * 3
    assert (tmp_path / "list" / "000009.png").read_bytes() != one


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 9)), min_size=1), st.sampled_from([",", ", ", " "]))
def test_numbers_are_meant_as_they_are_typed(spans: list[tuple[int, int]], comma: str) -> None:
    words = comma.join(f"{first}-{first + more}" if more else str(first) for first, more in spans)
    expected = [range(first, first + more + 1) for first, more in spans]
    assert numbers(words, "--seeds") == numbers(f"[{words}]", "--seeds") == expected


def test_an_image_depends_on_the_seed_and_its_number_alone(tmp_path: Path) -> None:
    for name, options in {"few": {"count": 4}, "many": {"count": 7}, "other": {"count": 4, "seed": 1}}.items():
        torch.manual_seed(len(name))
        generate("run", out=str(tmp_path / name), **options)
    few, many, other = (
        [pixels(tmp_path / name / f"{n:06}.png") for n in range(4)] for name in ("few", "many", "other")
    )
    assert all(map(np.array_equal, few, many))
    assert not any(map(np.array_equal, few, other))
    assert not np.array_equal(few[0], few[3])  # of one class


@pytest.mark.parametrize(
    ("words", "turn"), [("1", [1]), ("1,2", [1, 2]), ("1-2", [1, 2]), ("[2, 0]", [2, 0]), ("0-1,1", [0, 1, 1])]
)
def test_classes_take_turns(tmp_path: Path, words: str, turn: list[int]) -> None:
    generate("run", count=6, out=str(tmp_path / "all"))
    generate("run", count=6, out=str(tmp_path / "some"), classes=words)
    equal = [np.array_equal(*(pixels(tmp_path / name / f"{n:06}.png") for name in ("all", "some"))) for n in range(6)]
    assert equal == [turn[n % len(turn)] == n % 3 for n in range(6)]


def test_a_class_without_items_in_the_training_is_not_made_up(tmp_path: Path, module: Synthesis) -> None:
    module.populated = [0, 2]
    generate("run", count=4, out=str(tmp_path / "all"))
    generate("run", count=4, out=str(tmp_path / "both"), classes="0,2")
    generate("run", count=4, out=str(tmp_path / "one"), classes="0")
    files = [[(tmp_path / name / f"{n:06}.png").read_bytes() for n in range(4)] for name in ("all", "both", "one")]
    assert files[0] == files[1]
    assert [one == other for one, other in zip(files[0], files[2], strict=True)] == [True, False, True, False]
    with pytest.raises(UserError, match="--classes: run has never seen an item of class 1; leave it out"):
        generate("run", count=4, out=str(tmp_path / "none"), classes="0-2")


def test_truncation_draws_towards_the_mean_of_a_class(tmp_path: Path, module: Synthesis) -> None:
    for layer in module.ema.module.layers:
        layer.noise.strength.data.zero_()
    images = {}
    for psi in (1.0, 0.0):
        generate("run", count=6, truncation=psi, out=str(tmp_path / str(psi)))
        images[psi] = [pixels(tmp_path / str(psi) / f"{n:06}.png") for n in range(6)]
    assert [np.array_equal(*images[1.0][n : n + 4 : 3]) for n in range(3)] == [False] * 3
    assert [np.array_equal(*images[0.0][n : n + 4 : 3]) for n in range(3)] == [True] * 3


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for out in (tmp_path, tmp_path / "mine.txt", tmp_path / "link"):
        with pytest.raises(UserError, match="is not an empty folder: give another --out"):
            generate("run", out=str(out))
    (tmp_path / "new-grid.png").write_text("mine")
    (tmp_path / "other-grid-0.wav").write_text("mine")
    for name, said in {"new": "new-grid.png exists already", "other": "other-grid.png would be beside"}.items():
        with pytest.raises(UserError, match=said):
            generate("run", out=str(tmp_path / name))
    assert not (tmp_path / "new").exists()
    assert (tmp_path / "new-grid.png").read_text() == "mine"


@pytest.mark.parametrize("place", ["file/new", "file/deep/new", "n" * 250, "/proc/nothing/new"])
def test_a_place_that_cannot_be_is_told_in_a_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match=r"--out .* cannot be written \(.*\): name another place\."):
        generate("run", out=str(tmp_path / place))


def test_a_folder_without_permission_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # which root always has
    with pytest.raises(UserError, match=r"new cannot be written \(no permission\)"):
        generate("run", out=str(tmp_path / "new"))


@pytest.mark.parametrize("method", ["write", "show"])
def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(ImageModality, method, full)
    with pytest.raises(UserError, match=r"--out .*new cannot be written \(No space left on device\)"):
        generate("run", out=str(tmp_path / "new"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"count": 0}, "--count is 0: it must be at least 1"),
        ({"count": -1}, "--count is -1"),
        ({"count": 10**12}, "--count is 1000000000000: it must be at least 1 and at most"),
        ({"seed": -1}, "--seed is -1: it must be at least 0"),
        ({"seed": 10**30}, "--seed is 1000000000000000000000000000000"),
        ({"truncation": -1.0}, r"--truncation is -1\.0: it must be at least 0"),
        ({"truncation": math.nan}, "--truncation is nan: it must be a finite number"),
        ({"truncation": math.inf}, "--truncation is inf: it must be a finite number"),
        ({"truncation": 1e300}, r"--truncation is 1e\+300: it must be at least 0 and at most 10"),
        ({"seeds": "0-15", "count": 4}, "--count is 4 beside --seeds 0-15, which says how many"),
        ({"seeds": "-1"}, "--seeds -1: -1 is no number from 0 on"),
        ({"seeds": "3-1"}, "--seeds 3-1: 3-1 is no number from 0 on, nor two that ascend"),
        ({"seeds": "a"}, "--seeds a: a is no number"),
        ({"seeds": "1.5"}, r"--seeds 1\.5: 1\.5 is no number"),
        ({"seeds": ""}, "--seeds names nothing"),
        ({"seeds": "[]"}, "--seeds names nothing"),
        ({"seeds": "0-999999999999"}, "--seeds 0-999999999999: the largest is 9,999,999"),
        ({"seeds": "9" * 9999}, "is no number"),
        ({"classes": "1,3"}, "--classes: there is no class 3; this run knows 0 to 2"),
        ({"classes": "1-99999999999"}, "--classes: there is no class 3"),
        ({"classes": "dog"}, "--classes dog: dog is no number"),
    ],
)
def test_what_means_nothing_is_refused(tmp_path: Path, options: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        generate("run", out=str(tmp_path / "new"), **options)
    assert not (tmp_path / "new").exists()


def test_what_the_generator_does_not_know_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = str(tmp_path / "new")
    module = trained(DCGenerator(16, 1, 4, 2), DCDiscriminator(16, 1, 2))
    monkeypatch.setattr("ganlit.studies.evaluation.trained.load", lambda run, checkpoint: module)
    with pytest.raises(UserError, match="DCGenerator in run knows no truncation: leave --truncation out"):
        generate("run", truncation=0.7, out=out)
    generate("run", count=2, out=out)


@pytest.fixture
def films(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of clips: six frames of 16x16, eight a second."""
    torch.manual_seed(0)
    small = {"content_dim": 4, "motion_dim": 4, "motion_z": 2, "distance": 4, "w_dim": 4, "mapping_depth": 1}
    generator = MotionGenerator(6, **SIZES, **small)
    module = trained(generator, FrameDiscriminator(**SIZES))
    monkeypatch.setattr("ganlit.studies.evaluation.trained.load", lambda run, checkpoint: module)
    data = SimpleNamespace(modality=VideoModality(8))
    monkeypatch.setattr("ganlit.studies.evaluation.generate.setting", lambda run: SimpleNamespace(data=data))


@pytest.mark.usefixtures("films")
@pytest.mark.parametrize(
    ("options", "frames", "rate"),
    [({}, 6, 8), ({"frames": 20}, 20, 8), ({"fps": 16}, 6, 16), ({"frames": 11, "fps": 16.0}, 11, 16)],
)
def test_clips_of_any_length_at_any_rate(tmp_path: Path, options: dict[str, float], frames: int, rate: int) -> None:
    generate("run", count=2, out=str(tmp_path / "new"), **options)
    films = VideoModality().open(str(tmp_path / "new"), "train", tmp_path)
    assert films.modality.rate == rate
    assert films[:2].shape == (2, 3, frames, 16, 16)  # as films are, though grey


@pytest.mark.usefixtures("films")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"frames": 0}, "--frames is 0"),
        ({"frames": 10**9}, "--frames is 1000000000"),
        ({"fps": 0.0}, "--fps is 0"),
        ({"fps": math.nan}, "--fps is nan"),
    ],
)
def test_frames_that_mean_nothing_are_refused(tmp_path: Path, options: dict[str, float], said: str) -> None:
    with pytest.raises(UserError, match=said):
        generate("run", out=str(tmp_path / "new"), **options)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [({"frames": 9}, "StyleGenerator in run knows no frames: leave --frames out"), ({"fps": 9.0}, "images have no fr")],
)
def test_images_have_no_frames(tmp_path: Path, options: dict[str, float], said: str) -> None:
    with pytest.raises(UserError, match=said):
        generate("run", out=str(tmp_path / "new"), **options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temperature": 0.5}, "StyleGenerator in run knows no temperature: leave --temperature out"),
        ({"prefix": "A"}, "StyleGenerator in run knows no prefix: leave --prefix out"),
        ({"out": "some.jsonl"}, "--out some.jsonl is a file of many, but images are each in their own: name a folder"),
    ],
)
def test_images_are_not_written_as_texts_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=said):
        generate("run", **options)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", ["parameters", "buffers"])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, module: Synthesis, value: float, kind: str) -> None:
    tensor = next(each for each in getattr(module.ema.module, kind)() if each.numel() > 1)
    with torch.no_grad():
        tensor[(0,) * tensor.ndim] = value
    with pytest.raises(UserError, match=r"run has weights that are not finite \(\w+.*\): take another checkpoint"):
        generate("run", count=1, out=str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_items_that_are_not_finite_are_refused(tmp_path: Path, module: Synthesis) -> None:
    with torch.no_grad():
        for parameter in module.ema.module.parameters():
            parameter.mul_(1e30)
    with pytest.raises(UserError, match="run makes items that are not finite"):
        generate("run", count=1, out=str(tmp_path / "new"))


def test_a_text_that_is_longer_than_a_transformer_can_go_through_is_refused() -> None:
    sizes = {"symbols": 7, "length": 6, "width": 8, "layers": 1, "heads": 2}
    longest = SimpleNamespace(generator=TransformerGenerator(**sizes))
    refuse_length(longest, 6, "runs/lm")
    with pytest.raises(UserError, match=r"^--length is 7, but the TransformerGenerator of runs/lm knows 6 places: ask"):
        refuse_length(longest, 7, "runs/lm")
    refuse_length(SimpleNamespace(generator=LSTMGenerator(symbols=7, length=6)), 7, "runs/lm")
