"""Directions: what finds them and what scores them has closed forms; the command says what it cannot do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from eyes import eye
from styles import made
from torch import Tensor, nn

from ganlit.errors import UserError
from ganlit.studies.evaluation.latents import read
from ganlit.studies.latent.directions import directions
from ganlit.studies.latent.find import ganspace, matrices_of, of_classes, sefa
from ganlit.studies.latent.score import holm, p_value, straightness
from ganlit.studies.latent.subject import Subject, spread


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlit.studies.latent.directions.eye_of", lambda run, extractor, counted: eye(run != "bare"))


def same_up_to_sign(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(
        (one.double() * other.double()).sum(1).abs(), torch.ones(len(one)).double(), atol=1e-5, rtol=0
    )


def test_sefa_is_a_singular_value_decomposition_of_the_joined_weights() -> None:
    matrices = [torch.randn(size, 6, generator=torch.Generator().manual_seed(size)) for size in (9, 3, 5)]
    same_up_to_sign(sefa(matrices, 4), torch.linalg.svd(torch.cat(matrices))[2][:4])


def test_the_matrices_are_those_by_which_styles_go_into_layers() -> None:
    subject = Subject("styled")
    generator = subject.generator
    expected = [
        each.convolution.style.weight * each.convolution.style.weight_gain
        for each in (*generator.layers, *generator.to_image)
    ]
    found = matrices_of(subject)
    assert len(found) == len(expected)
    torch.testing.assert_close(
        sum(each.T @ each for each in found), sum(each.T @ each for each in expected), atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("run", ["plain", "flat"])
def test_of_z_alone_it_is_the_first_layer_that_counts(run: str) -> None:
    layer = next(each for each in made(run).ema.module.modules() if isinstance(each, nn.Linear | nn.ConvTranspose2d))
    weight = layer.weight.flatten(1) if run == "flat" else layer.weight.flatten(1).T
    [found] = matrices_of(Subject(run))
    torch.testing.assert_close(found.T @ found, weight.T @ weight, atol=1e-5, rtol=1e-4)


def test_of_a_layer_that_takes_a_class_beside_z_it_is_what_it_makes_of_z() -> None:
    layer = made("styled").ema.module.mapping.layers[0]
    [found] = matrices_of(Subject("styled", space="z"))
    weight = (layer.weight * layer.weight_gain)[:, :4]
    torch.testing.assert_close(found, weight, atol=1e-5, rtol=1e-4)


def test_ganspace_finds_the_axes_of_a_gaussian() -> None:
    axes = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(0)))[0]
    draws = torch.randn(5000, 5, generator=torch.Generator().manual_seed(1)) * torch.tensor([9.0, 5.0, 3.0, 1.0, 0.5])
    same = (ganspace(draws @ axes.T + 7, 3) * axes.T[:3]).sum(1).abs()
    assert bool((same > 0.99).all())


def test_directions_of_classes_are_where_these_lie() -> None:
    centres = torch.tensor([[3.0, 0, 0], [0, 3.0, 0], [-3.0, -3.0, 0]])
    found = torch.arange(600) % 3
    latents = centres[found] + torch.randn(600, 3, generator=torch.Generator().manual_seed(0))
    vectors, accuracy = of_classes(latents, found, 3)
    assert accuracy > 0.9
    assert bool(((vectors @ centres.double().T).argmax(1) == torch.arange(3)).all())
    assert float(vectors[:, 2].abs().max()) < 0.2  # where nothing depends on the class


def test_a_unit_is_the_distance_to_ones_own_class() -> None:
    latents = torch.tensor([[1.0], [3.0], [101.0], [103.0]])[:, None]
    assert spread(latents, torch.tensor([0, 0, 1, 1])) == 1.0


def test_straight_lines_are_wholly_straight_and_parabolas_not_at_all() -> None:
    at = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0])
    assert straightness(at, torch.stack([3 * at + 5, -at])) == pytest.approx(1)
    assert straightness(at, (at**2)[None]) == pytest.approx(0)
    assert straightness(at, torch.zeros(2, 5)) == 0


def test_p_values_tell_an_effect_from_none() -> None:
    noise = torch.randn(64, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    assert p_value(noise + 1) == 1e-4  # none of 9,999 is as large
    assert p_value(noise - noise.mean() + 0.02) > 0.02
    assert p_value(noise - 1) > 0.99
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def numbers(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "numbers.json").read_text())


def test_the_direction_that_changes_most_comes_first(tmp_path: Path) -> None:
    """Of the flat generator, the columns of whose matrix have lengths 4 : 3 : 2 : 1, all is known."""
    directions("flat", keep=4, count=16, random=4, fitted=60, shown=2, out=str(tmp_path / "new"))
    found = numbers(tmp_path / "new")
    names = [row["name"] for row in found["directions"]]
    assert {"sefa-0", "sefa-3", "class-left"} < {*names}
    assert not any(name.startswith("ganspace") for name in names)
    effects = [row["effect"] for row in found["directions"]]
    assert effects == sorted(effects, reverse=True)
    latents = read(tmp_path / "new" / "latents.safetensors")
    [(_, vectors)] = latents.pieces(99)
    assert latents.about.paths == names
    torch.testing.assert_close(vectors.flatten(1).norm(dim=1), torch.ones(len(names)))
    torch.testing.assert_close(vectors[names.index("sefa-0"), 0].abs(), torch.eye(4)[0], atol=1e-4, rtol=0)
    assert (tmp_path / "new" / "directions.png").is_file()
    assert len((tmp_path / "new" / "directions.csv").read_text().splitlines()) == len(names) + 1


def test_without_classes_features_say_what_changes(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    directions("bare", keep=2, count=4, random=2, out=str(tmp_path / "new"))
    assert "not looked for: toys@0 has no classes that directions could lead to" in capsys.readouterr().out
    found = numbers(tmp_path / "new")
    assert found["effect_is"] == "features"
    assert {row["name"] for row in found["directions"]} == {"sefa-0", "sefa-1", "ganspace-0", "ganspace-1"}


@pytest.mark.parametrize(
    ("run", "options", "sentence"),
    [
        ("plain", {"kinds": "ganspace"}, "--kinds ganspace: in z, latents lie alike in all directions"),
        ("bare", {"kinds": "classes"}, "--kinds classes: toys@0 has no classes"),
        (
            "direct",
            {"kinds": "sefa"},
            "--kinds sefa: SeFa: no layer of Direct in direct takes w as it is: leave it out.",
        ),
        ("styled", {"kinds": "seffa"}, "--kinds seffa: there are sefa, ganspace, classes, channels; did you mean sefa"),
        ("styled", {"space": "w+"}, "--space w+"),
        ("plain", {"space": "w"}, "has no styles, only z"),
        ("styled", {"extent": 0.0}, "--extent is 0.0: it must be above 0"),
        ("styled", {"count": 0}, "--count is 0"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(tmp_path: Path, run: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as said:
        directions(run, **options, out=str(tmp_path / "new"))
    assert sentence in str(said.value)
    assert not (tmp_path / "new").exists()
