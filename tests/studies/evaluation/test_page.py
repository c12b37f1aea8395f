"""`data check --config`: what a training will be given, to look at before there is one."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from noises import Noises
from PIL import Image
from points import PointModality
from squares import Answer, part, tiny
from torch import Tensor
from torch.utils.data import Dataset

from ganlit.configuration.resolve import resolved
from ganlit.contracts import Pair
from ganlit.data.stream import items
from ganlit.studies.evaluation.page import COLUMNS, ROWS, first_page, in_order, look

Command = Callable[..., Answer]
CELL = 18
"""Pixels from one square of the page to the next."""


@pytest.fixture(scope="module")
def configuration() -> str:
    """Squares with noise, none of which is trained on twice alike; the losses need weights that are not here."""
    settings = yaml.safe_load(tiny("Translation", {"criteria": [part("Perceptual", extractor="torchvision:vgg19")]}))
    noise = part("Either", options=[part("Noise", sigma=[5, 60])], chances=[0.5])
    options = settings["data"]["init_args"] | {"degradation": part("Chain", steps=[noise]), "held_out": 0.3}
    return yaml.safe_dump(settings | {"data": part("Restoration", **options)})


def cells(picture: Path) -> Tensor:
    """The squares [rows, columns, 16, 16] of a page."""
    grid = np.asarray(Image.open(picture).convert("L"))[2:]
    rows, columns = (length // CELL for length in grid.shape)
    return torch.stack(
        [
            torch.stack(
                [torch.tensor(grid[CELL * y : CELL * y + 16, CELL * x + 2 : CELL * x + 18]) for x in range(columns)]
            )
            for y in range(rows)
        ]
    )


def test_each_item_is_shown_as_the_first_passes_do(ganlit: Command, place: Path) -> None:
    answer = ganlit("data", "check", "--config", "tiny.yaml", "--picture", "page")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert lines[0] == ("data     squares-trained70: 70 images to train on, 30 of squares-held30 to be measured")
    assert lines[1] == "page     page.png: 4 images as 6 passes show them, sources above targets"
    assert lines[2] == "drawn    page-drawn.csv: what was drawn for each; on the whole page:"

    data = resolved(["--config", "tiny.yaml"]).data()
    places = items(70, 3, torch.arange(ROWS))[:, None] + 70 * torch.arange(COLUMNS)
    batch, drawn = data.degraded(data.dataset[places.flatten()])
    seen = cells(place / "page.png")
    for row, side in enumerate((batch.source, batch.target)):
        expected = data.modality.to_stored(side)[:, 0].view(ROWS, COLUMNS, 16, 16)
        assert torch.equal(seen[row::2], expected)
    assert len(seen[1].flatten(1).unique(dim=0)) == 1  # one target, of which sources are made
    assert len(seen[0].flatten(1).unique(dim=0)) > 2

    sigma = drawn["1/noise/sigma"]
    there = sigma[~sigma.isnan()]
    with (place / "page-drawn.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["row"]), int(row["column"])) for row in rows] == [(y, x) for y in range(1, 5) for x in range(1, 7)]
    told = [float(row["1/noise/sigma"] or "nan") for row in rows]
    assert told == pytest.approx(sigma.tolist(), rel=1e-5, nan_ok=True)
    (summary,) = (line.split() for line in lines if line.startswith("1/noise/sigma"))
    assert summary[1:4] == [str(len(there)), "of", "24"]
    assert [float(number) for number in summary[4:]] == pytest.approx(
        [float(there.min()), float(there.mean()), float(there.max())], rel=1e-3
    )


@pytest.mark.parametrize(
    ("options", "told", "rows"),
    [
        (["--data.init_args.degradation=Invert"], "the first 24 images, sources above targets", 8),
        (
            ["--data=Images", "--data.source=squares", "--data.resolution=16", "--data.channels=1"],
            "the first 24 images",
            4,
        ),
    ],
)
def test_where_nothing_is_drawn_there_are_further_items(
    ganlit: Command, place: Path, options: list[str], told: str, rows: int
) -> None:
    (place / "plain.png").unlink(missing_ok=True)
    answer = ganlit("data", "check", "--config", "tiny.yaml", *options, "--picture=plain.png")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[-1] == f"page     plain.png: {told}"
    assert not (place / "plain-drawn.csv").exists()
    seen = cells(place / "plain.png")
    assert len(seen) == rows
    if rows == 8:
        assert torch.equal(seen[0::2], 255 - seen[1::2])
    assert len(seen.flatten(0, 1).flatten(1).unique(dim=0)) > 6


def test_the_source_may_be_named_and_the_page_is_called_as_the_run(ganlit: Command, place: Path) -> None:
    answer = ganlit("data", "check", "squares/dark", "--config", "tiny.yaml", "--data.init_args.held_out=null")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("data     dark: 50 images to train on\npage     tiny-data.png: ")
    again = ganlit("data", "check", "squares/dark", "--config", "tiny.yaml")
    assert (again.code, again.err) == (2, "error: --picture tiny-data.png exists already: name a new file.\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--config tiny.yaml --picture taken.png", "taken-drawn.csv exists already: name a new file"),
        (
            "--config tiny.yaml --picture squares/page.png",
            "would lie among the items of squares: name a place elsewhere",
        ),
        ("--config tiny.yaml --picture", "--picture needs the name of a new file, such as page.png."),
        (
            "--config tiny.yaml --data.init_args.batch=71 --picture new",
            "squares-trained70 has 70 images to train on, fewer than a",
        ),
        ("--config tiny.yaml --data.init_args.tile=4", "data.init_args.tile is 4: it must be at least 16"),
        (
            "--config tiny.yaml --data.init_args.btch=4",
            "unknown key data.init_args.btch; did you mean data.init_args.ba",
        ),
        ("nowhere -c tiny.yaml --picture new", "There is no dataset or path nowhere"),
        ("--config none.yaml", "none.yaml"),
        ("squares --picture page.png", "--picture shows what a configuration makes of its data: give --config, too"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(ganlit: Command, place: Path, words: str, sentence: str) -> None:
    (place / "taken-drawn.csv").write_text("mine")
    before = sorted(place.iterdir())
    answer = ganlit("data", "check", *words.split())
    assert answer.code == 2
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert sentence in answer.err
    assert {path.name for path in place.iterdir()} - {path.name for path in before} <= {"cache"}
    assert (place / "taken-drawn.csv").read_text() == "mine"


class Plotted(Noises):
    """Pictures made of points."""

    def modality_of(self, field: str) -> Any:
        return PointModality() if field == "source" else super().modality_of(field)

    @property
    def dataset(self) -> Dataset[Pair]:
        class Both(Dataset[Pair]):
            def __len__(other) -> int:
                return 64

            def __getitem__(other, places: Tensor) -> Pair:
                return Pair(torch.stack([places, -places], 1) / 8.0, self.noises.item[places])

        return Both()


def test_sources_of_another_kind_have_a_page_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    look(Plotted(), tmp_path / "page.png", [])
    names = ["page-source.png", "page-source.csv", "page.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert f"page     {', '.join(str(tmp_path / name) for name in names)}: the first 24" in capsys.readouterr().out


@pytest.mark.parametrize(("count", "shown"), [(1, 1), (5, 5), (7, 6), (23, 18), (64, 24)])
def test_of_few_items_each_is_shown_once(count: int, shown: int) -> None:
    page = first_page(Noises(count=count, batch=1))
    assert len(page.batch.item) == len(page.batch.item.unique(dim=0)) == shown
    assert (page.columns, page.anew, page.drawn) == (min(count, 6), False, {})


def test_what_is_drawn_is_told_in_the_order_of_the_steps() -> None:
    assert sorted(["10/a", "2/7/1/c", "2/10/b", "b", "2/2/d", "a"], key=in_order) == [
        "a", "b", "2/2/d", "2/7/1/c", "2/10/b", "10/a",
    ]  # fmt: skip
