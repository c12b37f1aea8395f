"""Projection: of a linear generator the answer is known; of any other the image is found again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from coders import Coder
from PIL import Image
from styles import made

from ganlit.contracts import Space
from ganlit.data.images.form import Form
from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError
from ganlit.networks.images.inversion import StyleEncoder
from ganlit.records.durable import read_weights
from ganlit.studies.evaluation.latents import read
from ganlit.studies.latent.distance import squares
from ganlit.studies.latent.invert import Schedule, invert
from ganlit.studies.latent.project import project
from ganlit.studies.latent.subject import Subject
from ganlit.studies.latent.wanted import made_by


def test_the_schedule_is_that_of_the_paper() -> None:
    schedule = Schedule(1000)
    assert [schedule.rate_at(step) for step in (0, 25, 50, 500, 750)] == pytest.approx([0, 0.05, 0.1, 0.1, 0.1])
    assert schedule.rate_at(875) == pytest.approx(0.05)
    assert schedule.rate_at(1000) == pytest.approx(0)
    assert [schedule.noise_at(step) for step in (0, 375, 750, 900)] == pytest.approx([0.05, 0.0125, 0, 0])


def test_the_latent_of_a_linear_generator_is_found() -> None:
    stream = torch.Generator().manual_seed(0)
    matrix = torch.randn(20, 3, generator=stream)
    wanted = torch.randn(5, 1, 3, generator=stream)
    target = wanted @ matrix.T
    found = invert(
        lambda latent: latent @ matrix.T,
        lambda output: (output - target).square().sum(),
        torch.zeros_like(wanted),
        1.0,
        Schedule(400),
    )
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=0)


def numbers(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "numbers.json").read_text())


def test_a_model_finds_its_own_again(tmp_path: Path) -> None:
    project("flat", own=5, steps=200, together=2, out=str(tmp_path / "new"))
    found = numbers(tmp_path / "new")
    assert found["distance"]["mean"] < 0.05 < 0.5 < found["distance"]["start"]
    assert found["psnr"]["mean"] > 40 > found["psnr"]["start"]
    assert found["psnr"]["in_other_noise"] == 100  # there is none
    [(_, values)] = read(tmp_path / "new" / "latents.safetensors").pieces(9)
    assert values.shape == (5, 1, 4)
    assert len((tmp_path / "new" / "numbers.csv").read_text().splitlines()) == 6
    with Image.open(tmp_path / "new" / "project.png") as image:
        assert image.size == (5 * 18 + 2, 2 * 18 + 2)


def test_the_last_row_of_the_picture_may_be_short(tmp_path: Path) -> None:
    project("flat", own=17, steps=1, out=str(tmp_path / "new"))
    with Image.open(tmp_path / "new" / "project.png") as image:
        assert image.size == (16 * 18 + 2, 4 * 18 + 2)


def test_in_each_layer_a_style_of_its_own(tmp_path: Path) -> None:
    project("bare", own=1, space="w+", steps=20, out=str(tmp_path / "new"))
    [(_, values)] = read(tmp_path / "new" / "latents.safetensors").pieces(9)
    layers = made("bare").generator.styles(torch.zeros(1, 4), torch.zeros(1, dtype=torch.int64)).shape[1]
    assert values.shape == (1, layers, 4)
    assert not torch.equal(values[:, 0], values[:, -1])


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written down of runs that nobody has trained."""
    monkeypatch.setattr("ganlit.studies.latent.folder.recorded", lambda run: (f"name: {run}\n", run))


def test_weights_that_were_tuned_are_a_run_of_their_own(tmp_path: Path, recorded: None) -> None:
    before = {name: value.clone() for name, value in made("flat").ema.module.state_dict().items()}
    project("flat", own=3, steps=1, tune=200, out=str(tmp_path / "new"))
    found, weights = numbers(tmp_path / "new"), read_weights(tmp_path / "new" / "tuned.safetensors")
    assert found["tuned"]["psnr"] > found["psnr"]["mean"]
    assert 10 < found["tuned"]["elsewhere"] < 100  # others have changed
    assert weights.config == "name: flat\n"
    assert not torch.equal(weights.state["layer.weight"], before["layer.weight"])
    assert all(torch.equal(value, before[name]) for name, value in made("flat").ema.module.state_dict().items())
    assert (tmp_path / "new" / "numbers.csv").read_text().splitlines()[0] == "name,class,psnr,distance,psnr_tuned"
    with Image.open(tmp_path / "new" / "project.png") as image:
        assert image.size == (3 * 18 + 2, 4 * 18 + 2)  # asked for, found, tuned, and moved along a direction


def test_tuning_sees_pixels_beside_features(tmp_path: Path, recorded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the sum of both: of features that are half of them, half as much again."""
    monkeypatch.setattr(
        "ganlit.studies.latent.project.measured", lambda *given: lambda output, target: squares(output, target) / 2
    )
    seen = []

    def tuned(*given: Any) -> Subject:
        seen.append(float(given[4](given[3], given[3] + 2)))
        return given[0]

    monkeypatch.setattr("ganlit.studies.latent.project.tuned_for", tuned)
    for distance in ("features", "pixels"):
        project("flat", own=1, steps=1, tune=1, distance=distance, out=str(tmp_path / distance))
    assert seen == pytest.approx([4 + 2, 2])


@pytest.fixture
def inverse(monkeypatch: pytest.MonkeyPatch) -> StyleEncoder:
    """An encoder of the styles of a toy, in place of any run; another one knows no images."""
    generator = made("styled").generator
    torch.manual_seed(3)
    sizes = {"resolution": 16, "channels": 1, "classes": 3, "z_dim": 4, "w_dim": 4, "mapping_depth": 2}
    sizes |= {"channel_base": 64, "channel_max": 4, "encoder_base": 64, "encoder_max": 4}
    network = StyleEncoder(**sizes).eval()
    network.load_state_dict(generator.state_dict(), strict=False)
    network.encoder.offsets.bias.data.normal_()
    networks = {"inverse": network, "stranger": StyleEncoder(**sizes), "coder": Coder()}
    monkeypatch.setattr(
        "ganlit.studies.latent.encoded.loaded",
        lambda run, checkpoint: SimpleNamespace(ema=SimpleNamespace(module=networks[run])),
    )
    return network


@pytest.mark.parametrize("space", ["w", "w+"])
def test_an_encoder_answers_without_a_search(tmp_path: Path, inverse: StyleEncoder, space: Space) -> None:
    project("styled", own=5, space=space, steps=0, encoder="inverse", together=2, out=str(tmp_path / "new"))
    [(_, values)] = read(tmp_path / "new" / "latents.safetensors").pieces(9)
    subject = Subject("styled", space=space, together=2)
    images = ImageModality().to_network(made_by(subject, 5, 0).stored)
    with torch.no_grad():
        style, offsets = inverse.encoder(images)
    torch.testing.assert_close(values, style[:, None] + (offsets if space == "w+" else 0))
    found = numbers(tmp_path / "new")
    assert found["psnr"]["mean"] == pytest.approx(found["psnr"]["start"])
    assert found["begins_at"] == "inverse"


def test_a_search_begins_at_what_an_encoder_says(tmp_path: Path, inverse: StyleEncoder) -> None:
    project("styled", own=2, steps=40, encoder="inverse", out=str(tmp_path / "new"))
    found = numbers(tmp_path / "new")
    assert found["psnr"]["mean"] > found["psnr"]["start"]


@pytest.mark.parametrize(
    ("run", "encoder", "space", "sentence"),
    [
        ("styled", "coder", None, "--encoder coder holds a Coder: name a run that finds styles"),
        ("styled", "stranger", None, "--encoder stranger finds the styles of other weights than those of styled"),
        ("styled", "inverse", "z", "--encoder inverse finds styles, and --space z"),
        ("flat", "inverse", None, "--space z asks for others"),
    ],
)
def test_an_encoder_of_something_else_is_refused(
    tmp_path: Path, inverse: StyleEncoder, run: str, encoder: str, space: Space | None, sentence: str
) -> None:
    with pytest.raises(UserError, match=re.escape(sentence)):
        project(run, own=1, encoder=encoder, space=space, out=str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Grey images of the classes b and a, beside a run that calls its own a, b and c."""
    folder = tmp_path / "pictures"
    for number, name in enumerate("ba"):
        (folder / name).mkdir(parents=True)
        Image.fromarray(np.full((16, 16), 90 * number + 60, np.uint8)).save(folder / name / "one.png")
    data = SimpleNamespace(
        modality=ImageModality(),
        form_of=lambda field: Form(16, 1),
        reference=SimpleNamespace(classes=("a", "b", "c")),
    )
    monkeypatch.setattr("ganlit.studies.latent.wanted.setting", lambda run: SimpleNamespace(data=data))
    monkeypatch.setattr("ganlit.studies.latent.wanted.data_of", lambda run: data)
    return folder


def test_images_have_the_classes_of_their_folders(tmp_path: Path, pictures: Path) -> None:
    project("styled", str(pictures), steps=2, out=str(tmp_path / "new"))
    assert read(tmp_path / "new" / "latents.safetensors").labels.tolist() == [0, 1]
    project("styled", str(pictures), steps=2, classes="2", count=1, out=str(tmp_path / "other"))
    latents = read(tmp_path / "other" / "latents.safetensors")
    assert (latents.labels.tolist(), latents.about.paths) == ([2], ["a/one"])


@pytest.mark.parametrize(
    ("run", "options", "sentence"),
    [
        ("styled", {}, "project was given neither --images nor --own"),
        ("styled", {"images": "HERE", "own": 2}, "and --own 2: name a folder of images, or say --own N"),
        ("styled", {"images": "nowhere/at/all"}, "There is nothing at nowhere/at/all"),
        ("plain", {"own": 1, "space": "w+"}, "--space w+: DCGenerator in plain has no styles, only z"),
        ("styled", {"own": -1}, "--own is -1"),
        ("styled", {"own": 1, "steps": 0}, "--steps is 0"),
        ("styled", {"own": 1, "tune": -1}, "--tune is -1"),
        ("styled", {"own": 1, "tune": 9, "locality": -1}, "--locality is -1"),
        ("styled", {"own": 1, "distance": "inceptoin"}, "unknown extractor inceptoin"),
        ("styled", {"images": "LARGE"}, "32x32"),
        ("flat", {"images": "FLAT", "space": "z"}, "which by --classes"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    tmp_path: Path, pictures: Path, run: str, options: dict[str, Any], sentence: str
) -> None:
    places = {"HERE": pictures, "LARGE": tmp_path / "large", "FLAT": tmp_path / "flat"}
    for name, side in (("LARGE", 32), ("FLAT", 16)):
        places[name].mkdir()
        Image.new("L", (side, side)).save(places[name] / "one.png")
    options = {key: str(places.get(value, value)) if key == "images" else value for key, value in options.items()}
    with pytest.raises(UserError) as said:
        project(run, **{"steps": 2, **options}, out=str(tmp_path / "new"))
    assert sentence in str(said.value)
    assert not (tmp_path / "new").exists()
