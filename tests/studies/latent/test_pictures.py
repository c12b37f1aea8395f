"""Interpolation, truncation and mixing, on generators with and without styles, in grey and in colour."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from styles import made

from ganlit.contracts import spaces
from ganlit.errors import UserError
from ganlit.studies.evaluation.latents import read
from ganlit.studies.latent.interpolate import interpolate
from ganlit.studies.latent.mix import mix
from ganlit.studies.latent.subject import Subject
from ganlit.studies.latent.truncate import truncate

SIDE = 18  # of an image in a grid, with its frame


def told(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "numbers.json").read_text())


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


@pytest.mark.parametrize(("run", "expected"), [("styled", ("z", "w", "w+", "s")), ("plain", ("z",)), ("flat", ("z",))])
def test_what_a_generator_can_do(run: str, expected: tuple[str, ...]) -> None:
    assert spaces(made(run).generator) == expected


def test_an_item_has_the_latent_of_generate_and_its_two_halves_make_it() -> None:
    subject = Subject("bare")
    label = subject.labels([7])
    latent = subject.latents(subject.z([7], seed=3), label)
    torch.manual_seed(5)
    expected = subject.module.averaged(subject.z([7], seed=3), label)
    torch.testing.assert_close(subject.render(latent, label, noise=5), expected)


@pytest.mark.parametrize("run", ["styled", "bare", "plain", "flat"])
def test_a_film_goes_round_and_its_latents_make_its_frames(tmp_path: Path, run: str) -> None:
    interpolate(run, seeds="4,2,9", steps=5, out=str(tmp_path / "new"))
    found, subject = told(tmp_path / "new"), Subject(run)
    assert found["frames"] == 15
    assert len(found["step_rms"]) == 15  # the last one leads back to the first
    assert found["how"] == ("spline" if subject.styled else "spherical")
    latents = read(tmp_path / "new" / "latents.safetensors")
    [(_, values)] = latents.pieces(99)
    label = found["classes"] if subject.styled else [subject.turn[0]] * 3
    expected = subject.latents(subject.z([4, 2, 9]), torch.tensor(label))
    torch.testing.assert_close(values[::5], expected, atol=1e-5, rtol=1e-4)
    with Image.open(tmp_path / "new" / "interpolate.gif") as film:
        first = np.asarray(film.convert("RGB")).astype(int)
    own = subject.made(values[:1], latents.labels[:1]).expand(-1, 3, -1, -1)[0].permute(1, 2, 0).numpy().astype(int)
    assert np.abs(first - own).max() < 40  # of 256 colours


def test_an_open_way_ends_at_its_last_item(tmp_path: Path) -> None:
    interpolate("bare", seeds="0,1", steps=4, loop=False, how="linear", out=str(tmp_path / "new"))
    assert told(tmp_path / "new")["frames"] == 5
    assert size(tmp_path / "new" / "interpolate.png") == (9 * SIDE + 2, SIDE + 2)


def test_truncation_takes_variety_class_by_class(tmp_path: Path) -> None:
    truncate("styled", psi="0,0.5,1", seeds="0,1", classes="0,2", count=8, out=str(tmp_path / "new"))
    found = told(tmp_path / "new")
    assert {row["class"] for row in found["classes"]} == {0, 2}
    assert found["variety"]["0"] < found["variety"]["0.5"] < found["variety"]["1"]
    assert size(tmp_path / "new" / "truncate.png") == (3 * SIDE + 2, 4 * SIDE + 2)
    [(_, values)] = read(tmp_path / "new" / "latents.safetensors").pieces(99)
    torch.testing.assert_close(values[0, 0], made("styled").ema.module.w_mean[0])


def test_a_table_mixes_rows_with_columns(tmp_path: Path) -> None:
    mix("bare", rows="0-1", columns="1-3", layer=2, out=str(tmp_path / "new"))
    found = told(tmp_path / "new")
    assert size(tmp_path / "new" / "mix.png") == (4 * SIDE + 2, 3 * SIDE + 2)
    assert np.shape(found["rms_to_row"]) == (2, 3)
    assert found["rms_to_row"][1][0] == found["rms_to_column"][1][0] == 0  # an item mixed with itself
    assert found["rms_to_row"][0][0] > 0 < found["rms_to_column"][0][0]


BAD: list[tuple[Callable[..., None], str, dict[str, Any], str]] = [
    (interpolate, "plain", {"space": "w"}, "--space w: DCGenerator in plain has no styles, only z"),
    (interpolate, "plain", {"truncation": 0.5}, "knows no truncation"),
    (interpolate, "flat", {"classes": "0-1"}, "in z nothing lies between two classes"),
    (interpolate, "styled", {"classes": "9"}, "no class 9"),
    (interpolate, "styled", {"seeds": "1"}, "--seeds 1 names 1 item: name 2 to"),
    (interpolate, "styled", {"seeds": "0-16000", "steps": 99}, "more than 16,384 frames"),
    (interpolate, "styled", {"steps": 0}, "--steps is 0: it must be at least 1"),
    (interpolate, "clips", {}, "clips makes clips, and the latent tools look at images"),
    (truncate, "plain", {}, "knows no truncation: leave --psi out"),
    (truncate, "styled", {"psi": "0,much"}, "--psi 0,much: much is no number from 0 to 10"),
    (truncate, "styled", {"psi": ","}, "--psi names nothing"),
    (mix, "plain", {}, "Mixing needs a generator with styles, and DCGenerator in plain takes z alone"),
    (mix, "styled", {"layer": 99}, "--layer is 99"),
    (mix, "styled", {"rows": "0-99", "columns": "0-99"}, "more than 4,096 items"),
]


@pytest.mark.parametrize(("tool", "run", "options", "sentence"), BAD)
def test_what_cannot_be_is_said_in_a_sentence(
    tmp_path: Path, tool: Callable[..., None], run: str, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence.replace("(", r"\(")):
        tool(run, **options, out=str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for tool in (interpolate, truncate, mix):
        with pytest.raises(UserError, match="is not an empty folder: give another --out"):
            tool("styled", out=str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
