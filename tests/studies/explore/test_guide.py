"""Directions for the sliders: read again, or found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from ganlit.errors import UserError
from ganlit.studies.explore.background import Background
from ganlit.studies.explore.guide import note, recorded, unscored
from ganlit.studies.explore.studio import Studio
from ganlit.studies.latent.folder import Folder
from ganlit.studies.latent.subject import Subject

ROWS = [
    {"name": "class-one", "times_random": 2.345, "p": 0.001, "away": "zero", "towards": "one"},
    {"name": "sefa-0", "times_random": 1.0, "p": 0.6, "away": "", "towards": ""},
]


def written(run: str, folder: Path) -> Subject:
    """What `latent directions` would write of a run."""
    subject = Subject(run)
    place = Folder(run, "directions", str(folder))
    place.make()
    place.latents(subject, torch.eye(4)[:2, None], torch.zeros(2, dtype=torch.int64), [row["name"] for row in ROWS])
    place.numbers(subject.generator, subject.space, {"unit": 1.0, "directions": ROWS})
    return subject


def test_what_was_written_is_read(tmp_path: Path) -> None:
    guide = recorded(tmp_path / "new", written("flat", tmp_path / "new"))
    assert [each.name for each in guide.directions] == ["class-one", "sefa-0"]
    assert torch.equal(torch.stack([each.vector for each in guide.directions]), torch.eye(4)[:2].double())
    assert guide.notes == {"class-one": "2.3 x random · zero to one", "sefa-0": "1.0 x random, may be chance"}


def test_that_of_another_run_is_refused(tmp_path: Path) -> None:
    written("flat", tmp_path / "new")
    with pytest.raises(UserError, match="new holds directions of other weights than those of styled: find them anew"):
        recorded(tmp_path / "new", Subject("styled"))


@pytest.mark.parametrize(
    "change",
    [
        {"directions": ROWS[:1]},
        {"directions": [{"name": "sefa-0"}]},
        {"directions": 3},
        {"space": None, "directions": [{**row, "p": "high"} for row in ROWS]},
    ],
)
def test_what_nobody_can_read_is_a_sentence(tmp_path: Path, change: dict[str, Any]) -> None:
    subject, file = written("flat", tmp_path / "new"), tmp_path / "new" / "numbers.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(UserError, match="new does not hold what `latent directions` writes: find them anew"):
        recorded(tmp_path / "new", subject)
    file.unlink()
    with pytest.raises(UserError, match="does not hold"):
        recorded(tmp_path / "new", subject)


def test_directions_of_another_space_are_refused(tmp_path: Path) -> None:
    subject, file = written("flat", tmp_path / "new"), tmp_path / "new" / "numbers.json"
    file.write_text(file.read_text().replace('"space": "z"', '"space": "w"'))
    with pytest.raises(UserError, match="new holds directions in w, and sliders go along z"):
        recorded(tmp_path / "new", subject)


@pytest.mark.parametrize(("run", "count"), [("styled", 8), ("plain", 4), ("flat", 4)])
def test_some_are_there_at_once(run: str, count: int) -> None:
    subject = Subject(run)
    guide = unscored(subject, subject.sample(50)[0])
    assert len(guide.directions) == count
    assert all(abs(float(each.vector.norm()) - 1) < 1e-6 for each in guide.directions)


def test_why_there_are_none_of_the_weights_is_said_in_a_sentence() -> None:
    subject = Subject("direct", space="z")
    guide = unscored(subject, subject.sample(50)[0])
    assert guide.told == "SeFa: no layer of Direct in direct takes z as it is."
    assert guide.directions == []


def test_those_in_the_run_directory_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    subject = written("flat", Path("flat/latent-directions"))
    studio = Studio(subject)
    background = Background(studio)
    assert [*studio.directions] == ["class-one", "sefa-0"]
    background.job.wait()
    assert background.guide.told == "From flat/latent-directions."
    assert background.atlas is not None


def test_those_of_other_weights_are_found_anew_and_why_they_have_no_scores_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written("plain", Path("flat/latent-directions"))
    studio = Studio(Subject("flat"))
    background = Background(studio)
    background.job.wait()
    assert [*studio.directions] == ["sefa-0", "sefa-1", "sefa-2", "sefa-3"]
    assert background.guide.told.startswith("Not scored: flat is not a run directory")
    with pytest.raises(UserError, match="holds directions of other weights"):
        Background(studio, "flat/latent-directions")


def test_a_chance_is_called_one() -> None:
    assert note({"times_random": 1.26, "p": 0.05}) == "1.3 x random, may be chance"
