"""Points in the plane, of which no line of ganlit knows, go all the way that images go."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from points import MODES, PointModality, Rows

from ganlit import load
from ganlit.cli.main import main
from ganlit.configuration.names import recognised
from ganlit.records import durable

CONFIG = Path(__file__).parent / "toys" / "points.yaml"
IDS = "moments@0/none/ring-train@"


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("plane")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("WANDB_MODE", "disabled")
        patch.setenv("GANLIT_CACHE", str(folder / "cache"))
        yield folder


def said(*words: str) -> str:
    with redirect_stdout(io.StringIO()) as told:
        assert main(list(words)) == 0
    return told.getvalue()


@pytest.fixture(scope="module")
def run(place: Path) -> Path:
    """A whole run."""
    said("fit", "--config", str(CONFIG))
    return Path("runs/points")


@pytest.fixture(scope="module")
def generated(run: Path) -> Path:
    together = "runs/points/generated-grid.png, runs/points/generated-grid.csv"
    told = said("generate", str(run), "--count", "80")
    assert f"80 points in runs/points/generated, together in {together}" in told
    return run / "generated"


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def distance_to_a_mode(points: torch.Tensor) -> torch.Tensor:
    angle = torch.arange(MODES) * (2 * math.pi / MODES)
    return torch.cdist(points, 3 * torch.stack([angle.cos(), angle.sin()], 1)).min(1).values


def test_it_is_trained_and_measured(run: Path) -> None:
    last = {name.partition("/")[0]: value for name, value in rows(run)[-1].items() if IDS in name and value}
    assert set(last) >= {"fid400", "kid400-100x400", "precision400-k5", "probe-is400", "class-fid400", "nearest400"}
    assert float(last["fid400"]) < 1
    curve = [float(row[name]) for row in rows(run) for name in row if name.startswith("fid160/") and row[name]]
    assert len(curve) == 2
    assert (run / "overview.png").exists()


def test_its_samples_are_a_picture_and_numbers(run: Path) -> None:
    names = [f"kimg{kimg:08.1f}{suffix}" for kimg in range(0, 10, 2) for suffix in (".csv", ".png")]
    assert sorted(path.name for path in (run / "samples").iterdir()) == [*names, "real.csv", "real.png"]
    assert Image.open(run / "samples" / "real.png").size == (180, 180)
    points = Rows(run / "samples").points[-80:]
    assert distance_to_a_mode(points).median() < 0.2  # the last ones by name are the real ones


def test_it_is_resumed_bitwise(run: Path) -> None:
    said("fit", "--config", str(CONFIG), "--name", "stopped", "--kimg", "3")
    said("fit", "--config", str(CONFIG), "--name", "stopped", "--resume")
    whole, resumed = (durable.load(path / "checkpoints" / "last.ckpt") for path in (run, run.with_name("stopped")))
    assert all(torch.equal(value, resumed["state_dict"][name]) for name, value in whole["state_dict"].items())
    assert whole["images_seen"] == resumed["images_seen"] == 8000


def test_its_points_are_written_one_by_one_and_read_again(run: Path, generated: Path) -> None:
    found = PointModality().open(str(generated), "train", Path())
    assert (len(found), found.paths[0]) == (80, "000000")
    module = load(run)
    torch.manual_seed(0)
    assert distance_to_a_mode(found[0:80]).median() < 0.6
    assert module.averaged(torch.zeros(1, 4), torch.zeros(1, dtype=torch.int64)).shape == (1, 2)


def test_a_run_and_a_folder_are_evaluated(run: Path, generated: Path) -> None:
    told = said("evaluate", str(run), "--metrics", "fid,memorisation", "--neighbours", "near.png")
    (name, value) = next((name, value) for name, value in rows(run)[-1].items() if name.startswith("fid400/"))
    assert f"{float(value):.5f}" in told
    assert name in told
    assert Path("near.png").exists()
    assert len(Path("near.csv").read_text().splitlines()) == 1 + 10 * 9
    told = said("evaluate", str(generated), "--against", str(run), "--metrics", "fid")
    assert "80 points of generated against 400 of ring-train" in told
    assert f"fid80/{IDS}" in told
    assert "/points" in told
    assert isinstance(recognised(str(generated)), PointModality)  # though a picture lies there, too
    assert "80 points of generated against 80 of generated" in said(
        "evaluate", str(generated), "--against", str(generated), "--metrics", "fid"
    )


def test_it_is_checked_and_prepared(generated: Path) -> None:
    assert "generated: 80 points" in said("data", "check", str(generated))
    assert "ring-train: 400 points" in said("prepare", "--config", str(CONFIG))


def test_options_of_images_are_refused(generated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(generated), "--fit", "crop"]) == 2
    assert "fit is no option of points: leave it out" in capsys.readouterr().err
    assert main(["data", "check", "digits", "--radius", "1"]) == 2
    assert "radius is no option of images: leave it out" in capsys.readouterr().err
    assert main(["data", "check", str(generated), "--radius", "0"]) == 1
    assert "80 points, 80 of them too far" in capsys.readouterr().out


def test_it_is_reported(run: Path) -> None:
    said("report", "runs")
    page = Path("runs/report/report.html").read_text()
    assert "<pre>x,y" in page
    assert page.count('<img src="data:image/png') == 2  # the curves, and the samples of one setting
    assert IDS in page


def test_another_shape_is_refused_in_its_own_words(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = "--model.init_args.generator=DCGenerator"
    given: Any = ["fit", "--config", str(CONFIG), "--name", "wrong", wrong, f"{wrong.partition('=')[0]}.resolution=8"]
    assert main(given) == 2
    assert "ring-train has points of [2] (coordinates) but the generator makes [3, 8, 8]: set the plane alike" in (
        " ".join(capsys.readouterr().err.split())
    )
