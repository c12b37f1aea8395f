"""What is said of runs by their own files: of ill ones, of well ones, of old ones and of what is none."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image
from squares import tiny

from ganlit.configuration.resolve import resolve
from ganlit.errors import UserError
from ganlit.metrics.signals import SIGNALS
from ganlit.records.state import Recorder
from ganlit.studies.diagnosis.diagnose import diagnose
from ganlit.studies.diagnosis.remedies import ATTEMPTS, remedy

FID = "fid2k/inception-2015-12-05@1a2b3c/legacy/digits-train@9f8e7d/ema"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A resolved configuration, as a run keeps it."""
    path = tmp_path_factory.mktemp("config") / "tiny.yaml"
    path.write_text(tiny())
    return resolve([f"--config={path}"])


@pytest.fixture
def run(tmp_path: Path, config: str) -> Any:
    """Makes a run of ten validations, with these values of some signals at the last ones."""

    def make(signals: dict[str, float] | None, **ill: list[float]) -> Path:
        folder = tmp_path / "run"
        folder.mkdir()
        (folder / "config.yaml").write_text(config)
        names = [f"signal/{name}" for name in signals or {}]
        with (folder / "metrics.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, ["kimg", "discriminator/adversarial", FID, *names], restval="")
            table.writeheader()
            for place in range(10):
                kimg = 10 * (place + 1)
                row = {f"signal/{name}": value for name, value in (signals or {}).items()}
                for name, values in ill.items():
                    if place >= 10 - len(values):
                        row[f"signal/{name}"] = values[place - 10 + len(values)]
                table.writerow({"kimg": kimg, "discriminator/adversarial": 1.0})
                table.writerow({"kimg": kimg, FID: 100 / kimg, **row})
        Recorder(folder, 100.0).update(phase="done", kimg=100.0)
        return folder

    return make


WELL = {"variety": 0.9, "overlap": 0.4, "reached": 0.6}


def test_a_run_that_collapsed_gets_a_page_a_picture_and_an_overlay_that_fits(run: Any, capsys: Any) -> None:
    folder = run(WELL, variety=[0.05, 0.01, 0.01])
    (folder / "alarms.txt").write_text("drift at 30.0 kimg: colours\ncollapse at 80.0 kimg: told already\n")
    diagnose(folder)
    said = capsys.readouterr().out
    assert "done at 100 of" in said
    assert "FID-2k: 1 at 100 kimg, the best 1 at 100 kimg" in said
    assert "(signal/variety), since 80.0 kimg" in said
    assert "colours" in said
    assert "told already" not in said
    assert SIGNALS["variety"] in said
    assert "try      against collapse: " in said
    with Image.open(folder / "diagnosis" / "curves.png") as picture:
        assert picture.width > 500
    overlay = folder / "diagnosis" / "collapse.yaml"
    tried = yaml.safe_load(resolve([f"--config={folder / 'config.yaml'}", f"--config={overlay}"]))
    before = yaml.safe_load((folder / "config.yaml").read_text())
    assert tried["name"] == f"{before['name']}-collapse"
    assert tried["model"] != before["model"]
    assert tried["data"] == before["data"]


def test_an_overlay_that_somebody_changed_stays(run: Any) -> None:
    folder = run(WELL, variety=[0.01])
    diagnose(folder)
    overlay = folder / "diagnosis" / "collapse.yaml"
    text = overlay.read_text()
    diagnose(folder)
    assert sorted(path.name for path in overlay.parent.iterdir()) == ["collapse.yaml", "curves.png"]
    overlay.write_text("name: mine\n")
    diagnose(folder)
    assert overlay.read_text() == "name: mine\n"
    assert overlay.with_name("collapse-2.yaml").read_text() == text
    (overlay.parent / "curves.png").write_text("mine")
    with pytest.raises(UserError, match="was not written by ganlit diagnose: move it away"):
        diagnose(folder)


@pytest.mark.parametrize("illness", ATTEMPTS)
def test_what_is_tried_against_each_illness_fits_the_configuration(config: str, illness: str, tmp_path: Path) -> None:
    whole = yaml.safe_load(config)
    (tmp_path / "config.yaml").write_text(config)
    found = remedy(illness, whole)
    assert found is not None
    (tmp_path / "try.yaml").write_text(yaml.safe_dump(found.overlay))
    tried = resolve([f"--config={tmp_path / 'config.yaml'}", f"--config={tmp_path / 'try.yaml'}"])
    assert yaml.safe_load(tried)["model"] != whole["model"]


def test_a_run_that_is_well_an_old_one_and_one_that_has_just_begun_get_a_sentence(run: Any, capsys: Any) -> None:
    folder = run(WELL)
    diagnose(folder)
    assert "there is nothing to try" in capsys.readouterr().out
    assert not list(folder.glob("diagnosis/*.yaml"))
    (folder / "metrics.csv").unlink()
    diagnose(folder)
    assert "it has no validation behind it" in capsys.readouterr().out
    folder.rename(folder.with_name("well"))
    diagnose(run(None))
    assert "it has no signals, as of a run of before they were logged: its score alone" in capsys.readouterr().out


def test_what_is_no_run_is_told_so(run: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="for it has no config"):
        diagnose(tmp_path)
    with pytest.raises(UserError, match="is no folder"):
        diagnose(tmp_path / "nothing")
    run(None)
    with pytest.raises(UserError, match=r"has some in it: name one, such as .*run\."):
        diagnose(tmp_path)
