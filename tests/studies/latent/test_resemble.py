"""What the discriminator finds in images, and which images are alike to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from styles import made, real
from torch import Tensor, nn

from ganlit.contracts import Judgement
from ganlit.errors import UserError
from ganlit.studies.latent.judge import Judge
from ganlit.studies.latent.resemble import resemble
from ganlit.studies.latent.subject import Subject


class Bare(nn.Module):
    """No layer, so that there is nothing to be looked into."""

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        return image.flatten(1).mean(1)


class Open(nn.Module):
    """Two maps, handed out."""

    def forward(self, image: Tensor, label: Tensor) -> Judgement:
        return Judgement([image.mean((1, 2, 3))], [[torch.cat([image, -image], 1)[:, :2]]])


def judge(run: str, network: nn.Module | None = None, monkeypatch: pytest.MonkeyPatch | None = None) -> Judge:
    subject = Subject(run)
    if network is not None:
        monkeypatch.setitem(subject.module._modules, "discriminator", network)
    return Judge(subject, real(run))


def test_features_are_what_the_last_layer_takes() -> None:
    found = judge("plain")
    stored, layers = real("plain").items[:5], made("plain").discriminator.layers
    with torch.no_grad():
        expected = layers[:-1](found.kind.to_network(stored)).flatten(1)
    torch.testing.assert_close(found.features(stored, torch.zeros(5, dtype=torch.int64)), expected)


def test_features_of_an_image_do_not_depend_on_those_beside_it() -> None:
    found, stored = judge("styled"), real("styled").items[:6]
    label = torch.tensor([0, 0, 1, 1, 2, 2])
    assert found.sociable
    torch.testing.assert_close(found.features(stored, label)[3:4], found.features(stored[3:4], label[3:4]))
    assert not judge("plain").sociable


def test_features_that_are_handed_out_are_taken_and_none_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stored, label = real("flat").items[:3], torch.zeros(3, dtype=torch.int64)
    mean = judge("flat").kind.to_network(stored).mean((1, 2, 3))
    expected = torch.stack([mean, -mean], 1)
    torch.testing.assert_close(judge("flat", Open(), monkeypatch).features(stored, label), expected)
    with pytest.raises(UserError, match="Bare in flat hands out no features, and no layer of it gives its logits"):
        judge("flat", Bare(), monkeypatch).features(stored, label)


@pytest.mark.parametrize("run", ["styled", "bare", "plain", "flat"])
def test_what_was_copied_is_found_at_no_distance(tmp_path: Path, trained: None, run: str) -> None:
    resemble(run, seeds="0-2", neighbours=3, out=str(tmp_path / "new"))
    told = json.loads((tmp_path / "new" / "numbers.json").read_text())
    first, *others = told["items"]
    assert (first["nearest"][0], first["distances"][0], first["copy"]) == (11, 0, True)
    assert run == "plain" or min(row["distances"][0] for row in others) > 0  # the plain one draws nothing but grey
    assert told["copies"] >= 1 / 3
    with Image.open(tmp_path / "new" / "resemble.png") as picture:
        assert picture.size == (4 * (80 + 6) + 6, 3 * (80 + 6 + 14) + 6)


@pytest.mark.parametrize(
    ("run", "options", "sentence"),
    [
        ("plain", {"neighbours": 12}, "--neighbours 12: there are 12 training images"),
        ("plain", {"neighbours": 0}, "--neighbours is 0"),
        ("WEIGHTS", {}, "holds the averaged generator alone, and this asks the discriminator"),
        ("clips", {}, "the latent tools look at images"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    tmp_path: Path, trained: None, monkeypatch: pytest.MonkeyPatch, run: str, options: dict[str, Any], sentence: str
) -> None:
    if run == "WEIGHTS":
        (tmp_path / "ema.safetensors").touch()
        monkeypatch.setattr("ganlit.studies.evaluation.trained.load", lambda path, checkpoint: made("plain"))
        monkeypatch.setattr("ganlit.studies.latent.resemble.data_of", lambda path: NoData())
        run = str(tmp_path / "ema.safetensors")
    with pytest.raises(UserError) as said:
        resemble(run, **options, out=str(tmp_path / "new"))
    assert sentence in str(said.value)
    assert not (tmp_path / "new").exists()


class NoData:
    def trained_of(self, field: str) -> None:
        """Nobody is asked before the discriminator is missed."""
