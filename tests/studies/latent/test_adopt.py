"""Generators of others: adopted, they are what they were, and the tools take them; what is no generator is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from foreigners import Styles, Theirs
from PIL import Image

from ganlit.configuration.rebuild import load
from ganlit.errors import UserError
from ganlit.studies.evaluation.generate import generate
from ganlit.studies.evaluation.latents import read
from ganlit.studies.evaluation.subject import data_of
from ganlit.studies.latent.adopt import adopt
from ganlit.studies.latent.interpolate import interpolate
from ganlit.studies.latent.project import project
from ganlit.studies.latent.subject import Subject
from ganlit.studies.latent.truncate import truncate

ADAPTERS = Path(__file__).parents[3] / "experiments" / "0017-what-the-latent-space-knows"


@pytest.fixture(autouse=True)
def runs() -> None:
    """Those on the disk."""


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Theirs:
    """A network whose weights lie beside those of its opponent in theirs.tar."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    network = Theirs()
    torch.save({"netG": network.state_dict(), "netD": {"weight": torch.zeros(3)}}, "theirs.tar")
    return network


def test_what_is_adopted_makes_what_it_made(theirs: Theirs, capsys: pytest.CaptureFixture) -> None:
    adopt("theirs.tar", "foreigners.Adapted", part="netG")
    assert "4,611 parameters of Adapted: 3x16x16 from z of 4 and 2 classes" in capsys.readouterr().out
    z, label = torch.randn(5, 4), torch.tensor([0, 1, 1, 0, 1])
    with torch.no_grad():
        expected = theirs(z[:, :, None, None], torch.eye(2)[label])
        torch.testing.assert_close(load("runs/adapted/ema.safetensors").averaged(z, label), expected)


def test_the_tools_take_it(theirs: Theirs) -> None:
    adopt("theirs.tar", "foreigners.Adapted", part="netG", out="run")
    run = "run/ema.safetensors"
    generate(run, count=3)
    interpolate(run, seeds="0-1", steps=2)
    project(run, own=2, steps=30)
    with Image.open("run/generated/000001.png") as image:
        item = Subject(run).made(Subject(run).z([1])[:, None], torch.tensor([1]))[0]
        np.testing.assert_array_equal(np.asarray(image), item.permute(1, 2, 0).numpy())
    found = json.loads(Path("run/latent-project/numbers.json").read_text())
    assert found["psnr"]["mean"] > found["psnr"]["start"] + 3
    assert read(Path("run/latent-interpolate/latents.safetensors")).about.run == run
    with pytest.raises(UserError, match=r"Adapted in .* knows no truncation: leave --psi out"):
        truncate(run)


def test_real_images_are_brought_to_its_form(theirs: Theirs) -> None:
    Path("photos").mkdir()
    Image.fromarray(np.full((40, 20), 7, np.uint8)).save("photos/grey.png")
    adopt("theirs.tar", "foreigners.Adapted", part="netG", source="photos", out="run")
    assert data_of("run/ema.safetensors").reference.items.shape == (1, 3, 16, 16)
    adopt("theirs.tar", "foreigners.Adapted", part="netG", out="without")
    with pytest.raises(UserError, match=r"The data of without.* cannot be opened: The source is empty: give a folder"):
        data_of("without/ema.safetensors")


def test_one_with_styles_has_the_spaces_of_these(theirs: Theirs) -> None:
    torch.save(Styles().state_dict(), "styles.pth")
    adopt("styles.pth", "foreigners.Styles", out="run")
    subject = Subject("run/ema.safetensors")
    assert subject.space == "w"
    assert len(subject.layers) == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "theirs.tar holds netG, netD, and no weights by their names"),
        ({"part": "netF"}, "no weights of a part netF, but those of netG, netD; did you mean netG?"),
        ({"part": "netD"}, "theirs.tar does not fit the adapter foreigners.Adapted: "),
        ({"weights": "gone.tar"}, "gone.tar is no file"),
        ({"generator": "unknown.Network"}, "unknown.Network is not ganlit's own, and to name it is to run it"),
        ({"generator": "foreigners.Adaptd"}, "no class Adaptd fits here"),
        ({"generator": "foreigners.Unsaid"}, "foreigners.Unsaid.z_dim is None: give it z_dim and classes"),
        ({"generator": "foreigners.Failing"}, "foreigners.Failing cannot be sampled (IndexError: "),
        ({"generator": "foreigners.Oblong"}, "foreigners.Oblong makes 16x3x8x16 of 16 latents, and no square images"),
        ({"generator": "foreigners.Torn"}, "synthesise makes 16x1x16x16 of what forward makes 16x3x16x16 of"),
        ({"out": "."}, ". is not an empty folder: give another --out"),
    ],
)
def test_what_does_not_fit_is_refused(theirs: Theirs, options: dict[str, Any], sentence: str) -> None:
    part = {"part": "netG"} if options and "part" not in options else {}
    with pytest.raises(UserError) as said:
        adopt(**{"weights": "theirs.tar", "generator": "foreigners.Adapted", "out": "run"} | part | options)
    assert sentence in str(said.value)
    assert not Path("run").exists()


def test_weights_that_are_not_finite_are_refused(theirs: Theirs) -> None:
    torch.save({name: value * torch.nan for name, value in theirs.state_dict().items()}, "broken.pth")
    with pytest.raises(UserError, match="not finite by these weights"):
        adopt("broken.pth", "foreigners.Adapted", out="run")


@pytest.mark.parametrize(
    ("name", "layers", "size"), [("Faces", range(0, 13, 3), 64), ("Eyes", [0, *range(4, 17, 3)], 128)]
)
def test_the_adapters_of_published_ones_have_the_names_of_their_weights(
    name: str, layers: list[int], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ADAPTERS)
    import foreign

    with torch.device("meta"):
        network = getattr(foreign, name)()
        z, label = torch.empty(2, network.z_dim), torch.empty(2, dtype=torch.int64)
        weights = [key for key, value in network.state_dict().items() if value.ndim == 4]
        assert weights == [f"main.{layer}.weight" for layer in layers]
        assert name == "Eyes" or network(z, label).shape == (2, 3, size, size)
