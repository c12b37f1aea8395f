"""Disentanglement of runs whose data know their factors: a generator that is them, and one that mixes them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from styles import module
from torch import Tensor, nn

from ganlit.data.images.images import Images
from ganlit.data.images.modality import ImageModality
from ganlit.data.images.pixels import from_pixels
from ganlit.data.images.shapes import COUNTS, FACTORS, Between, beside, levels
from ganlit.errors import UserError
from ganlit.metrics.disentanglement import mutual_information, mutual_information_gap
from ganlit.networks.images.dcgan import DCDiscriminator
from ganlit.studies.evaluation.trained import digest_of
from ganlit.studies.latent.disentangle import Coded, disentangle, protocol
from ganlit.studies.latent.factors import Known, read
from ganlit.studies.latent.folder import Folder


class Drawing(nn.Module):
    """Draws a known image: each number of z, by its rank among normal ones, is the level of a factor."""

    z_dim, classes = len(FACTORS), 0

    def __init__(self, items: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.items = items

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        shares = torch.special.ndtr(z.double()).clamp(0, 1 - 1e-9)
        level = (shares * torch.tensor(COUNTS)).long().numpy()
        places = torch.from_numpy(np.ravel_multi_index(tuple(level.T), COUNTS))
        return self.weight * from_pixels(self.items[places])


class Pooling(nn.Module):
    """Codes an image by the mean colours of its quarters."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def encode(self, images: Tensor, label: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return self.weight * nn.functional.adaptive_avg_pool2d(images, 2), {}

    def decode(self, latent: Tensor, label: Tensor) -> Tensor:
        return nn.functional.interpolate(latent, 16)


@pytest.fixture(scope="module")
def data() -> Images:
    found = Images("shapes", resolution=16, fit="resize")
    found.prepare_data()
    return found


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch, data: Images) -> nn.Module:
    network = module(Drawing(data.stored.reference.items), DCDiscriminator(16, 3, width=4))
    monkeypatch.setattr("ganlit.studies.evaluation.trained.load", lambda run, checkpoint: network)
    monkeypatch.setattr("ganlit.studies.latent.factors.data_of", lambda run: data)
    return network


def told(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "numbers.json").read_text())


def test_a_generator_that_takes_factors_is_disentangled(tmp_path: Path, drawing: nn.Module) -> None:
    disentangle("drawing", points=600, out=str(tmp_path / "new"))
    found = told(tmp_path / "new")
    ids = found["metrics"]
    mig = next(name for name in ids if name.startswith("mig"))
    assert mig.startswith("mig600-20bins-z-s0/nearest/values/shapes-train@")
    assert ids[mig] > 0.6 > 0.1 > found["of_shuffled_codes"]["mig"]
    assert all(value > 0.8 for name, value in ids.items() if name.startswith("dci"))
    assert [row["number"] for row in found["factors"]] == [*range(len(FACTORS))]
    assert found["distance"] == 0
    for name in ("information.png", "reading.png", "factors.csv"):
        assert (tmp_path / "new" / name).is_file()


@pytest.mark.parametrize("coding", [False, True])
def test_a_run_is_loaded_once_and_its_folder_made_once(
    tmp_path: Path, drawing: nn.Module, monkeypatch: pytest.MonkeyPatch, coding: bool
) -> None:
    loads, rooms, make = [], [], Folder.make
    network = drawing
    if coding:
        network = module(Pooling(), DCDiscriminator(16, 3, width=4))
        network.takes_data = True
        kind = SimpleNamespace(data=SimpleNamespace(modality=ImageModality()))
        monkeypatch.setattr("ganlit.studies.latent.disentangle.setting", lambda run: kind)
    monkeypatch.setattr("ganlit.studies.evaluation.trained.load", lambda run, checkpoint: loads.append(run) or network)
    monkeypatch.setattr(Folder, "make", lambda folder: rooms.append(folder) or make(folder))
    disentangle("drawing", points=100, out=str(tmp_path / "new"))
    assert loads == ["drawing"]
    assert len(rooms) == 1
    found = told(tmp_path / "new")
    assert (found["run"], found["space"]) == ("drawing", "code" if coding else "z")
    assert found["weights"] == digest_of(network.ema.module)
    assert (tmp_path / "new" / "reading.png").exists() == (not coding)


def test_levels_are_read_of_the_nearest_image(data: Images) -> None:
    known = Known(data, [factor.name for factor in FACTORS], torch.from_numpy(levels(np.arange(len(Between())))))
    noisy = known.items[[5, 4000]].clone()
    noisy[:, :, :2, :2] = 9
    found, far = read(noisy, known)
    assert found.tolist() == [5, 4000]
    assert 0 < float(far.max()) < 0.02


def test_shapes_between_are_nearer_to_their_own_levels() -> None:
    hue = FACTORS[1]
    assert beside(hue, 2, 0.4) == pytest.approx(2.4 / 6)
    assert beside(FACTORS[2], 3, 0.4) == 1.0  # not beyond the last
    assert beside(FACTORS[0], 1, 0.4) == "ellipse"
    assert Between().opened(7).tobytes() == Between().opened(7).tobytes() != Between().opened(8).tobytes()


def test_what_numbers_say_is_what_the_gap_is_of() -> None:
    draws = torch.Generator().manual_seed(0)
    factors = torch.randint(0, 4, (500, 2), generator=draws)
    codes = torch.cat([factors.float(), torch.randn(500, 2, generator=draws)], 1)
    said = mutual_information(codes, factors)
    best = said.topk(2, 0).values
    assert float(best[0].min()) > 0.99
    assert float((best[0] - best[1]).mean()) == pytest.approx(mutual_information_gap(said, factors))
    still = torch.cat([factors, torch.zeros_like(factors[:, :1])], 1)
    beside = mutual_information(codes, still)
    assert beside[:, 2].tolist() == [0] * 4
    assert mutual_information_gap(beside, still) == mutual_information_gap(said, factors)


def test_ids_say_points_bins_space_and_seed() -> None:
    coded = Coded(torch.zeros(1, 1), torch.zeros(1, 1), "w", "nearest/values", {}, [])
    found = str(protocol("dci-completeness", 10_000, coded, "shapes-train@12ab34", 3))
    assert found == "dci-completeness10k-50trees-w-s3/nearest/values/shapes-train@12ab34/ema"


@pytest.mark.parametrize(
    ("options", "source", "sentence"),
    [
        ({"space": "w+"}, "shapes", "--space w+"),
        ({"points": 5}, "shapes", "--points is 5"),
        ({}, "digits", "was trained on digits, of which no factors are known: name a run on shapes"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    tmp_path: Path,
    drawing: nn.Module,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    source: str,
    sentence: str,
) -> None:
    if source == "digits":
        other = SimpleNamespace(source="digits", split="train", root=Path("datasets"))
        monkeypatch.setattr("ganlit.studies.latent.factors.data_of", lambda run: other)
    with pytest.raises(UserError) as said:
        disentangle("drawing", **options, out=str(tmp_path / "new"))
    assert sentence in str(said.value)
    assert not (tmp_path / "new").exists()
