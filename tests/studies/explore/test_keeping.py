"""What is saved: where it was told, under new names, and what was seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganlit.errors import UserError
from ganlit.studies.evaluation.latents import read
from ganlit.studies.explore.keeping import KEYS, STEPS, Keeper
from ganlit.studies.explore.session import Session

Visit = Callable[..., Session]


def test_nothing_is_replaced(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "seed4-class1.png").write_text("mine")
    (tmp_path / "seed4-class1-2.safetensors").write_text("mine, too")
    session = visit(out=str(tmp_path))
    session.change(seed=4, label=1)
    assert session.save(Keeper.picture) == f"Saved seed4-class1-2.png in {tmp_path}."
    assert session.save(Keeper.picture) == f"Saved seed4-class1-3.png in {tmp_path}."
    assert session.save(Keeper.latent) == f"Saved seed4-class1.safetensors in {tmp_path}."
    assert (tmp_path / "seed4-class1.png").read_text() == "mine"
    assert len([*tmp_path.iterdir()]) == 5
    drawn = session.draw()
    assert np.array_equal(np.asarray(Image.open(tmp_path / "seed4-class1-3.png")), drawn.stored[0, 0])
    [(_, latent)] = read(tmp_path / "seed4-class1.safetensors").pieces(9)
    assert torch.equal(latent, drawn.latent)


def test_names_tell_what_can_be_seen(visit: Visit, tmp_path: Path) -> None:
    session = visit(out=str(tmp_path / "new" / "folder"))
    session.change(seed=4, label=1, truncation=0.7, other=5, layer=3)
    session.move("class-../x", -1.5)
    assert "seed4-class1-psi0.7-mixed5at3-class____x-1.5.png in" in session.save(Keeper.picture)


def test_without_a_folder_nothing_is_saved(visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    session = visit()
    with pytest.raises(UserError, match="no place to save to: start explore with --out FOLDER"):
        session.save(Keeper.picture)
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_cannot_be_is_refused_at_once(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match=r"--out .*file cannot be written"):
        visit(out=str(tmp_path / "file"))


@pytest.mark.parametrize("run", ["styled", "plain"])
def test_films_go_through_the_pins_and_back(visit: Visit, tmp_path: Path, run: str) -> None:
    session = visit(run, str(tmp_path))
    for seed in (1, 2):
        session.change(seed=seed)
        session.pin()
    session.save_film()
    session.filming.wait()
    told = session.filmed()
    assert told.startswith("Saved film.gif")
    assert session.filmed() is None
    film = Image.open(tmp_path / "film.gif")
    assert film.n_frames <= 2 * STEPS  # those alike are one
    assert {path.name for path in tmp_path.iterdir()} <= {"film.gif", "film.mp4"}


def test_what_makes_no_film_is_a_sentence(visit: Visit, tmp_path: Path) -> None:
    session = visit("flat", str(tmp_path))
    session.pin()
    for sentence in ("pin two of them or more", "in z nothing lies between two classes"):
        session.save_film()
        session.filming.wait()
        assert sentence in session.filmed().replace("In z", "in z")
        session.change(label=2)
        session.pin()
    assert not [*tmp_path.iterdir()]
    session.unpin()
    for _ in range(KEYS):
        session.pin()
    with pytest.raises(UserError, match="16 items are pinned"):
        session.pin()
