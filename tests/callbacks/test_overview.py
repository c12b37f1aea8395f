from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ganlit.callbacks.overview import Overview, draw
from ganlit.callbacks.samples import Samples
from ganlit.records.media import drawn
from ganlit.records.samples import Shown


@pytest.fixture
def grid(tmp_path: Path) -> Shown:
    path = tmp_path / "grid.png"
    Image.new("L", (10, 10)).save(path)
    return Shown(12.5, [path])


def test_the_curve_the_closing_value_and_the_floor_are_told_apart_by_name(grid: Shown, scripted: Any) -> None:
    fidelity = scripted()
    fidelity.history = [(0.5, {"fid16/a": 30.0, "kid16/a": 1.0}), (1.0, {"fid16/a": 20.0, "kid16/a": 1.0})]
    curve, picture = draw(fidelity, (1.0, {"fid32/a": 18.0, "floor-fid32/a": 2.0}), grid).axes
    lines = {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in curve.lines}
    assert lines == {
        "fid16/a": ([0.5, 1.0], [30.0, 20.0]),
        "fid32/a: 18 at the end": ([1.0], [18.0]),
        "floor-fid32/a: 2, real against real": ([0, 1], [2.0, 2.0]),
    }
    assert [text.get_text() for text in curve.get_legend().get_texts()] == list(lines)
    assert picture.get_title() == "12.5 kimg"


REST = "inception@1/legacy/digits@2"


@pytest.mark.parametrize(
    ("leading", "other", "label", "scale"),
    [
        (f"fid16/{REST}/ema-reconstruction", f"fid16/{REST}/ema-prior", "rFID", "log"),
        (f"fid16/{REST}/ema-prior", f"fid16/{REST}/ema-reconstruction", "FID", "log"),
        ("psnr16/-/-/digits@2/ema-reconstruction", f"fid16/{REST}/ema-reconstruction", "PSNR", "linear"),
        ("iwae16-k4-normal/-/-/digits@2/ema-reconstruction", f"fid16/{REST}/ema-prior", "IWAE", "linear"),
    ],
)
def test_the_curve_is_of_the_leading_number_alone(
    grid: Shown, scripted: Any, leading: str, other: str, label: str, scale: str
) -> None:
    fidelity = scripted()
    fidelity.history = [(0.5, {leading: 30.0, other: 9.0}), (1.0, {leading: 20.0, other: 8.0})]
    final = {leading.replace("16", "32", 1): 18.0, other.replace("16", "32", 1): 7.0}
    curve, _ = draw(fidelity, (1.0, final), grid).axes
    assert [list(line.get_ydata()) for line in curve.lines] == [[30.0, 20.0], [18.0]]
    assert (curve.get_ylabel(), curve.get_yscale()) == (label, scale)


def test_dollars_in_names_are_no_formulas(grid: Shown, scripted: Any) -> None:
    fidelity = scripted()
    fidelity.history = [(0.5, {r"fid16/pay$\frac{$@1a2b3c": 30.0})]
    assert drawn(draw(fidelity, (1.0, {r"fid32/pay$\frac{$@1a2b3c": 18.0}), grid))


@pytest.mark.parametrize(("size", "below"), [((40, 10), True), ((10, 10), False)])
def test_a_broad_picture_stands_under_the_curve(
    tmp_path: Path, scripted: Any, size: tuple[int, int], below: bool
) -> None:
    Image.new("L", size).save(tmp_path / "grid.png")
    fidelity = scripted()
    fidelity.history = [(0.5, {"fid16/a": 30.0}), (1.0, {"fid16/a": 20.0})]
    figure = draw(fidelity, None, Shown(1.0, [tmp_path / "grid.png"]))
    figure.draw_without_rendering()
    curve, picture = (axes.get_position() for axes in figure.axes)
    assert (picture.y1 < curve.y0) == below
    assert (picture.x0 > curve.x1) != below


def test_without_measures_the_grid_stands_alone(grid: Shown) -> None:
    assert len(draw(None, None, grid).axes) == 1


def test_it_is_written_after_training_and_again_after_the_test(fit: Any, scripted: Any, tmp_path: Path) -> None:
    fidelity = scripted(30.0, 20.0, 25.0)
    run = fit(0.8, Samples(2, 2), fidelity, Overview(fidelity))
    first = (tmp_path / "overview.png").read_bytes()
    run.trainer.test(run.module, run.data, verbose=False)
    assert (tmp_path / "overview.png").read_bytes() != first
    assert not list(tmp_path.glob("*.partial"))
