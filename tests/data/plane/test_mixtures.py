from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlit.data.plane.mixture import grid, ring
from ganlit.data.plane.mixtures import Mixtures
from ganlit.errors import UserError


def data_of(**options: Any) -> Mixtures:
    data = Mixtures(**({"batch": 8, "val_images": 8, "test_images": 8, "measured": 500} | options))
    data.setup("fit")
    return data


def test_the_papers_mixtures() -> None:
    eight, many = ring(), grid()
    assert (eight.modes, many.modes) == (8, 25)
    assert torch.allclose(eight.means.norm(dim=1), torch.ones(8))
    assert eight.means[2].tolist() == pytest.approx([0, 1], abs=1e-6)
    assert {tuple(mean) for mean in many.means.tolist()} == {(x, y) for x in range(-4, 5, 2) for y in range(-4, 5, 2)}
    assert (eight.deviation, many.deviation) == (0.01, 0.05)


def test_a_point_is_one_of_a_mode_within_three_deviations() -> None:
    mixture = ring()
    points = torch.tensor([[1.029, 0.0], [1.031, 0.0], [0.0, 0.0], [0.0, -1.0], [float("nan"), 0.0]])
    assert mixture.members(points).tolist() == [0, -1, -1, 6, -1]


@pytest.mark.parametrize("shape", ["ring", "grid"])
def test_points_are_drawn_as_the_mixture_says(shape: str) -> None:
    data = data_of(shape=shape, measured=20_000)
    points, labels = data.reference.items, data.reference.labels
    assert (points.dtype, labels.dtype, len(data.classes)) == (torch.float32, torch.int64, data.mixture.modes)
    apart = (points - data.mixture.means[labels]) / data.mixture.deviation
    assert apart.mean().item() == pytest.approx(0, abs=0.02)
    assert apart.std().item() == pytest.approx(1, abs=0.02)
    near = (data.mixture.members(points) >= 0).double().mean().item()
    assert near == pytest.approx(1 - math.exp(-4.5), abs=0.003)  # of two coordinates within three deviations
    share = labels.bincount() / len(labels)
    assert share.min() > 0.8 / data.mixture.modes


@settings(deadline=None, max_examples=20)
@given(
    keys=st.lists(st.integers(0, 2**40), min_size=2, max_size=6),
    seed=st.integers(0, 2**31),
)
def test_a_point_depends_on_its_key_and_the_seed_alone(keys: list[int], seed: int) -> None:
    data = data_of(seed=seed)
    whole = data.dataset[torch.tensor(keys)]
    for key, point, label in zip(keys, *whole, strict=True):
        alone = data.dataset[torch.tensor([key])]
        assert torch.equal(alone.item[0], point)
        assert alone.label[0] == label


def test_each_pass_has_other_points_and_what_is_measured_is_the_same_for_all_seeds() -> None:
    one, two = data_of(points=40), data_of(points=40, seed=1)
    first = torch.arange(40)
    assert not torch.equal(one.dataset[first].item, one.dataset[first + 40].item)
    assert not torch.equal(one.dataset[first].item, two.dataset[first].item)
    assert torch.equal(one.reference.items, two.reference.items)
    assert one.reference.digest == two.reference.digest
    assert one.trained_on.digest != two.trained_on.digest
    batches = [batch.item for batch in one.train_dataloader()]
    assert {len(batch) for batch in batches} == {8}


def test_without_labels_there_are_no_classes() -> None:
    data = data_of(labels=False)
    assert data.classes == ()
    assert data.reference.labels.unique().tolist() == [0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": "line"}, r"shape is line: it must be one of ring, grid"),
        ({"shape": "grid", "modes": 24}, r"modes is 24, and a grid has a square number: set 25"),
        ({"deviation": 0}, r"deviation is 0: it must be above 0"),
        ({"points": 0}, r"points is 0"),
    ],
)
def test_what_means_nothing_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Mixtures(**options)


def test_points_are_written_and_read(tmp_path: Path) -> None:
    data = data_of(shape="grid")
    kind, points = data.modality, data.reference.items[:20]
    file = kind.write_all(points.split(7), tmp_path / "points.csv")
    assert torch.allclose(kind.open(str(file), "train", tmp_path)[:], points)
    for number, point in enumerate(points[:3]):
        kind.write(point, tmp_path / "many" / f"{number}.5")
    many = kind.open(str(tmp_path / "many"), "train", tmp_path)
    assert torch.allclose(many[:], points[:3])
    assert many.paths == ["0.5-0", "1.5-0", "2.5-0"]
    assert torch.allclose(many.chosen([2, 0])[:], points[[2, 0]])
    assert kind.recognises(str(tmp_path / "many")) == kind.recognises(str(file)) == 0.9
    assert kind.recognises("ring") == 0


def test_damage_is_told_in_a_sentence(tmp_path: Path) -> None:
    kind, file = Mixtures().modality, tmp_path / "points.csv"
    for content, message in {
        "a,b\n1,2\n": "no columns x and y",
        "x,y\n1,2\n1,two\n": "line 3 no two finite numbers",
        "x,y\n1\n": "line 2 no two finite numbers",
        "x,y\n1,inf\n": "line 2 no two finite numbers",
        "x,y\n": "holds no point",
    }.items():
        file.write_text(content)
        with pytest.raises(UserError, match=message):
            kind.open(str(file), "train", tmp_path)
    with pytest.raises(UserError, match="cannot be read"):
        kind.open(str(tmp_path / "none.csv"), "train", tmp_path)


def test_a_check_tells_how_many_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kind = Mixtures().modality
    kind.write_all([torch.tensor([[1.0, 2.0], [-1.0, 0.5]])], tmp_path / "two.csv")
    kind.check(str(tmp_path / "two.csv"), "train", tmp_path, 2)
    assert "two.csv: 2 points, x from -1 to 1, y from 0.5 to 2" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        kind.check(str(tmp_path / "two.csv"), "train", tmp_path, 3)
    with pytest.raises(SystemExit):
        kind.check(str(tmp_path / "none.csv"), "train", tmp_path, 3)


def test_the_picture_shows_where_points_are(tmp_path: Path) -> None:
    from PIL import Image

    kind = data_of().modality
    (file,) = kind.show([torch.tensor([[1.0, 0.0]]).repeat(50, 1), torch.tensor([[0.0, 0.0]])], 10, tmp_path / "p.1")
    with Image.open(file) as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(2**16)}
        assert image.width == image.height == 320
    blue = [c for c in colours if c[2] > 150 > c[0] + 60]
    orange = [c for c in colours if c[0] > 220 and c[2] < 200 < c[1] + 60]
    assert blue
    assert orange
    assert kind.__class__().show([torch.randn(5, 2)], 5, tmp_path / "alone")[0].is_file()
