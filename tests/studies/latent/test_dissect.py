"""Units whose work is known: of a generator that paints a half of an image with each."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from eyes import eye
from PIL import Image
from styles import made, module
from torch import Tensor, nn

from ganlit.errors import UserError
from ganlit.networks.images.dcgan import DCDiscriminator
from ganlit.studies.latent.dissect import dissect
from ganlit.studies.latent.subject import Subject
from ganlit.studies.latent.units import Layer, chosen_layer, heard, mapped, off, separation


class Painted(nn.Module):
    """Unit 0 makes the left half bright, 1 the right half, 2 the left half dark, each of one class; 3 nothing."""

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        maps = torch.zeros(len(z), 4, 16, 16, device=z.device)
        for unit, (half, value, of) in enumerate(((slice(8), 1.0, 0), (slice(8, 16), 1.0, 2), (slice(8), -1.0, 1))):
            maps[label == of, unit, :, half] = value
        return maps


class Painter(nn.Module):
    z_dim, classes = 4, 3

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.maps = Painted()

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return self.weight * self.maps(z, label).sum(1, keepdim=True)


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlit.studies.latent.dissect.eye_of", lambda run, extractor, bars: eye(run != "bare"))
    painter = module(Painter(), DCDiscriminator(16, 1, width=4))
    monkeypatch.setattr(
        "ganlit.studies.evaluation.trained.load", lambda run, checkpoint: painter if run == "painter" else made(run)
    )


def told(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "numbers.json").read_text())


def test_each_unit_costs_the_class_that_it_makes(tmp_path: Path) -> None:
    dissect("painter", together=1, fitted=9, count=48, out=str(tmp_path / "new"))
    with (tmp_path / "new" / "units.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert (
        [row["costs"] for row in rows[:3]]
        == [row["speaks_for"] for row in rows[:2]] + ["dark"]
        == ["left", "right", "dark"]
    )
    assert [float(row["auc"]) for row in rows[:2]] == [1, 1]
    assert float(rows[3]["effect"]) == 0
    found = {row["set"]: row for row in told(tmp_path / "new")["sets"]}
    assert [found[name]["units"] for name in ("left", "right", "dark")] == [[0], [1], [2]]
    for name in ("left", "right", "dark"):
        assert found[name]["items"] == 16
        assert found[name]["effect"] > 0.4 > found[name]["random_effect"]
        assert found[name]["effect_on_others"] == 0
        assert found[name]["p"] < 0.01
    with Image.open(tmp_path / "new" / "dissect.png") as picture:
        assert picture.size[0] == 8 * (80 + 6) + 6


@pytest.mark.parametrize("run", ["styled", "bare", "plain"])
def test_any_generator_of_maps_can_be_dissected(tmp_path: Path, run: str) -> None:
    dissect(run, together=2, fitted=4, count=6, random=2, shown=2, out=str(tmp_path / "new"))
    found = told(tmp_path / "new")
    assert found["sets"][0]["set"] == "all"
    assert found["sets"][0]["effect"] >= 0
    if run == "bare":
        assert len(found["sets"]) == 1


def test_a_layer_is_the_last_outer_one_of_a_quarter_of_the_side() -> None:
    subject = Subject("styled")
    with mapped(subject.generator) as found:
        subject.made(*subject.sample(1))
    layers = [*found.values()]
    names = {each.name: (each.units, each.side) for each in layers}
    assert names["layers.2"] == names["layers.2.convolution"] == (4, 8)
    assert chosen_layer(layers, None, "it", 1).name == "layers.0"
    plain = Subject("plain")
    with mapped(plain.generator) as found:
        plain.made(*plain.sample(1))
    assert chosen_layer([*found.values()], None, "it", 3).name == "layers.2"  # behind batch norm and activation


def test_what_is_off_gives_nothing_and_comes_back() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.Identity())
    images, layer = torch.rand(2, 1, 4, 4), Layer("0", 3, 4)
    before = network(images)
    with off(network, layer, [0, 2]), heard(network, Layer("1", 3, 4)) as means:
        after = network(images)
    assert not after[:, [0, 2]].any()
    torch.testing.assert_close(after[:, 1], before[:, 1])
    torch.testing.assert_close(means[0], after.mean((2, 3)))
    torch.testing.assert_close(network(images), before)


def test_separation_is_the_area_under_the_curve() -> None:
    values = torch.tensor([[3.0, 0.0, 1.0], [1.0, 0.0, 4.0], [2.0, 0.0, 2.0], [0.0, 0.0, 3.0]])
    member = torch.tensor([True, False, True, False])
    assert separation(values, member).tolist() == [1, 0.5, 0]
    assert separation(values, torch.ones(4, dtype=torch.bool)).tolist() == [0.5, 0.5, 0.5]


def test_separation_counts_pairs_and_half_of_their_ties() -> None:
    draws = torch.Generator().manual_seed(0)
    values, member = torch.randint(0, 5, (40, 7), generator=draws).float(), torch.rand(40, generator=draws) < 0.3
    apart = values[member][:, None] - values[~member]
    assert torch.equal(separation(values, member), ((apart > 0).double() + 0.5 * (apart == 0)).mean((0, 1)))


@pytest.mark.parametrize(
    ("run", "options", "sentence"),
    [
        ("flat", {}, "has no layer that gives maps"),
        ("styled", {"layer": "layer.1"}, "has no such layer of maps; did you mean layers.1"),
        ("styled", {"together": 4}, "--together is 4"),
        ("styled", {"count": 1}, "--count is 1"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(tmp_path: Path, run: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as said:
        dissect(run, **options, out=str(tmp_path / "new"))
    assert sentence in str(said.value)
    assert not (tmp_path / "new").exists()
