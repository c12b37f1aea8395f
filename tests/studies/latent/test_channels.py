"""S, whose channels are what linear layers make of styles: its vectors, what is made of them, and which count."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from eyes import eye
from styles import made

from ganlit.errors import UserError
from ganlit.studies.evaluation.latents import read
from ganlit.studies.latent.channels import FAR, channels, strongest
from ganlit.studies.latent.directions import directions
from ganlit.studies.latent.project import project
from ganlit.studies.latent.subject import Subject, deviations


def test_a_vector_holds_the_scale_of_each_map_that_is_modulated() -> None:
    subject, label = Subject("bare", space="s"), torch.zeros(3, dtype=torch.int64)
    z = subject.z(range(3))
    generator = made("bare").ema.module
    with torch.no_grad():
        w = generator.styles(z, label)
        images = [each.convolution.style for each in generator.to_image]
        layers = [each.convolution.style for each in generator.layers]
        rows = [(0, layers[0]), (1, images[0]), (1, layers[1]), (2, layers[2]), (3, images[1])]
        expected = {each(w[:, row]) for row, each in rows}
        found = subject.latents(z, label)
    assert found.shape == (3, 1, sum(each.weight.shape[0] for each in images + layers))
    parts = found[:, 0].split([each.size for each in subject.affine], 1)
    for each in expected:
        assert any(each.shape == part.shape and torch.allclose(each, part) for part in parts)


@pytest.mark.parametrize("run", ["styled", "bare", "lit"])
def test_an_item_is_made_of_its_vector_as_of_its_style(run: str) -> None:
    subject = Subject(run)
    label, z = subject.labels(range(4)), subject.z(range(4))
    w, s = (subject.latents(z, label, space) for space in ("w", "s"))
    torch.testing.assert_close(subject.render(s, label, space="s"), subject.render(w, label))


def test_a_copy_with_other_weights_makes_other_vectors() -> None:
    """Vectors are of the generator that a subject has now, not of that by which its layers were found."""
    subject = Subject("lit", space="s")
    label, z = subject.labels(range(2)), subject.z(range(2))
    before = subject.latents(z, label)
    subject.generator = type(subject.generator)()
    subject.generator.channels.weight.data.mul_(2)
    subject.generator.channels.bias.data.zero_()
    expected = torch.nn.functional.linear(z, subject.generator.channels.weight)
    torch.testing.assert_close(subject.latents(z, label)[:, 0], expected)
    assert not torch.allclose(before[:, 0], expected)


def test_deviations_are_those_within_classes() -> None:
    latents = torch.tensor([[1.0, 5.0], [3.0, 5.0], [101.0, 5.0], [103.0, 5.0]])[:, None]
    assert deviations(latents, torch.tensor([0, 0, 1, 1])).tolist() == [[1.0, 0.0]]


def test_the_channel_that_changes_most_is_found_among_all() -> None:
    subject = Subject("lit", space="s")
    sample, label = subject.sample(2000)
    among = channels(subject, sample, label)
    assert [each.name for each in among] == ["s0-0", "s0-1", "s0-2"]
    assert [each.unit for each in among] == pytest.approx([0.1 * FAR, 2**0.5 * FAR, 0.02 * FAR], rel=0.1)
    assert [each.name for each in strongest(subject, eye(False), among, 3, seed=0)] == ["s0-0", "s0-2", "s0-1"]


def test_channels_are_scored_as_directions_are(tmp_path: Path) -> None:
    directions("lit", space="s", keep=2, count=6, random=3, shown=2, out=str(tmp_path / "new"))
    with (tmp_path / "new" / "directions.csv").open() as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert [*rows] == ["s0-0", "s0-2"]
    assert float(rows["s0-0"]["unit"]) == pytest.approx(0.5, rel=0.1)
    latents = read(tmp_path / "new" / "latents.safetensors")
    [(_, vectors)] = latents.pieces(9)
    assert vectors[:, 0].tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]


def test_images_are_projected_into_it(tmp_path: Path) -> None:
    project("lit", own=2, space="s", steps=60, rate=0.02, out=str(tmp_path / "new"))
    [(_, values)] = read(tmp_path / "new" / "latents.safetensors").pieces(9)
    subject = Subject("lit", space="s")
    wanted = subject.latents(subject.z([0, 1]), subject.labels([0, 1]))
    torch.testing.assert_close(values[..., [0, 2]], wanted[..., [0, 2]], atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("run", "options", "sentence"),
    [
        ("direct", {"space": "s"}, "--space s: styles reach the layers of Direct in direct not through linear ones"),
        ("plain", {"space": "s"}, "DCGenerator in plain has no styles, only z"),
        ("bare", {"kinds": "channels"}, "--kinds channels: single channels lie in s: add --space s, or"),
        ("bare", {"space": "s", "kinds": "sefa"}, "--kinds sefa: in s, directions are single channels: leave it out"),
    ],
)
def test_what_has_none_is_told(tmp_path: Path, run: str, options: dict[str, str], sentence: str) -> None:
    with pytest.raises(UserError) as said:
        directions(run, **options, out=str(tmp_path / "new"))
    assert sentence in str(said.value)
    assert not (tmp_path / "new").exists()


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlit.studies.latent.directions.eye_of", lambda run, extractor, counted: eye(False))
