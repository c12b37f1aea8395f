"""Attribution has closed forms, and its sum is known of any network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from styles import real
from torch import Tensor

from ganlit.errors import UserError
from ganlit.studies.latent.attribution import BOUND, integrated_gradients, without
from ganlit.studies.latent.judge import Judge
from ganlit.studies.latent.saliency import baselines, heat, saliency
from ganlit.studies.latent.subject import Subject


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_of_a_linear_verdict_each_number_has_its_weight() -> None:
    weight, inputs, start = draw(3, 4, 4), draw(5, 3, 4, 4, seed=1), draw(5, 3, 4, 4, seed=2)
    found = integrated_gradients(lambda x: (weight * x).sum((1, 2, 3)) + 7, inputs, start, steps=1)
    torch.testing.assert_close(found.map, weight * (inputs - start))
    torch.testing.assert_close(found.gap, torch.zeros(5, dtype=torch.float64), atol=1e-12, rtol=0)


def test_of_a_square_it_is_the_difference_of_squares_and_of_a_product_half_for_each() -> None:
    inputs, start = draw(6, 2), torch.zeros(6, 2, dtype=torch.float64)
    squares = integrated_gradients(lambda x: x.square().sum(1), inputs, start, steps=2)
    torch.testing.assert_close(squares.map, inputs.square())
    products = integrated_gradients(lambda x: x.prod(1), inputs, start, steps=3)
    torch.testing.assert_close(products.map, (inputs.prod(1) / 2)[:, None].expand(-1, 2))


def test_the_gap_falls_with_the_square_of_the_steps() -> None:
    inputs, start = 2 * draw(4, 3), draw(4, 3, seed=1)
    few, many = (integrated_gradients(lambda x: x.exp().sum(1), inputs, start, steps).gap.abs() for steps in (20, 60))
    torch.testing.assert_close(few / many, torch.full((4,), 9.0, dtype=torch.float64), rtol=0.02, atol=0)


@pytest.mark.parametrize("run", ["styled", "bare", "plain"])
def test_sums_over_real_networks_are_the_verdict_within_the_bound(run: str) -> None:
    judge = Judge(Subject(run), real(run))
    images = judge.kind.to_network(real(run).items[:3])
    start, label = baselines(judge, images, "mean"), torch.tensor([0, 1, 2])
    found = integrated_gradients(lambda x: judge.verdict(x, label), images, start, steps=48)
    assert float(found.incomplete.max()) < BOUND
    torch.testing.assert_close(found.verdict.float(), judge.verdict(images, label))


def test_a_verdict_is_that_beside_real_images_of_the_class() -> None:
    judge = Judge(Subject("styled"), real("styled"))
    images = judge.kind.to_network(real("styled").items[:2])
    expected = [
        judge.network(torch.cat([image[None], judge.beside(of)]), torch.full((4,), of))[0]
        for image, of in zip(images, (2, 0), strict=True)
    ]
    torch.testing.assert_close(judge.verdict(images, torch.tensor([2, 0])), torch.stack(expected))
    places = [
        int((real("styled").items == judge.kind.to_stored(one)).flatten(1).all(1).long().argmax())
        for one in judge.beside(2)[:, None]
    ]
    assert set(real("styled").labels[places].tolist()) == {2}


def test_what_is_taken_out_is_as_in_the_baseline_and_nothing_else() -> None:
    inputs, start = torch.ones(1, 2, 2, 2), torch.zeros(1, 2, 2, 2)
    found = without(inputs, start, torch.tensor([[3, 0, 1, 2]]), 2)
    assert found[0].tolist() == 2 * [[[0.0, 1.0], [1.0, 0.0]]]


def test_red_speaks_for_and_blue_against() -> None:
    [[red, white], [blue, _]] = heat(torch.tensor([[[2.0, 0.0], [-2.0, 0.0]]]), torch.zeros(1, 1, 2, 2)).permute(
        0, 2, 3, 1
    )[0]
    assert red.tolist() == [255, 0, 0]
    assert white.tolist() == [255, 255, 255]
    assert blue.tolist() == [0, 0, 255]


@pytest.mark.parametrize("run", ["styled", "bare", "flat"])
def test_maps_of_generated_and_of_real_images_are_drawn(tmp_path: Path, trained: None, run: str) -> None:
    saliency(run, seeds="0-1", steps=48, baseline="mean", out=str(tmp_path / "new"))
    told = json.loads((tmp_path / "new" / "numbers.json").read_text())
    assert [row["kind"] for row in told["images"]] == ["generated"] * 2 + ["real"] * 2
    assert told["complete"] >= 0.5
    assert told["in_company"] is (run != "flat")
    with Image.open(tmp_path / "new" / "saliency.png") as picture:
        assert picture.size == (2 * (80 + 6) + 6, 6 * (80 + 6 + 14) + 6)


def test_too_few_steps_are_told(tmp_path: Path, trained: None, capsys: pytest.CaptureFixture) -> None:
    saliency("styled", seeds="0-3", steps=2, baseline="mean", out=str(tmp_path / "new"))
    assert "of the sums are more than 5% from the verdict that they are to explain" in capsys.readouterr().out


def test_what_cannot_be_is_said_in_a_sentence(tmp_path: Path, trained: None) -> None:
    with pytest.raises(UserError, match="--steps is 1"):
        saliency("styled", steps=1, out=str(tmp_path / "new"))
    with pytest.raises(UserError, match="does not depend on the images by any gradient"):
        integrated_gradients(lambda x: torch.ones(len(x)), torch.ones(2, 3), torch.zeros(2, 3), 4)
