"""Runs laid out on the plane by typing the command."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from ganlit.cli.main import main
from ganlit.studies.report.record import Run
from ganlit.studies.report.settings import Parameter, Setting
from ganlit.studies.tradeoff.tradeoff import names_of

NAMES = Path(__file__).parents[3] / "configs" / "text" / "names.yaml"
MODEL = ["generator.hidden=8", "discriminator.filters=[2,2,2,2]", "adversarial.weight=0"]
DATA = ["source=names.txt", "held_out=0.5", "batch=4", "tick=1", "val_images=4", "test_images=8", "length=8"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run in runs/one."""
    folder = tmp_path_factory.mktemp("tradeoff")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("GANLIT_CACHE", str(folder / "cache"))
        Path("names.txt").write_text(
            "".join(f"{first}{rest}\n" for first in "ABCDEFGH" for rest in ("na", "nna", "lla"))
        )
        given = [f"--model.init_args.{each}" for each in MODEL] + [f"--data.init_args.{each}" for each in DATA]
        assert main(["fit", "--config", str(NAMES), "--name", "one", "--kimg", "0.04", "--fidelity=null", *given]) == 0
    return folder


@pytest.fixture
def said(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANLIT_CACHE", str(trained / "cache"))
    Path("names.txt").write_bytes((trained / "names.txt").read_bytes())
    copytree(trained / "runs", "runs")

    def run(*words: str) -> tuple[int, str]:
        code = main(["tradeoff", *words])
        out = capsys.readouterr()
        return code, " ".join((out.out + out.err).split())

    return run


def test_settings_are_lines_and_the_sentence_compares_them(said: Callable) -> None:
    config = Path("runs/one/config.yaml").read_text()
    for name, old, new in (("two", "seed: 0", "seed: 1"), ("three", "n_critic: 5", "n_critic: 7")):
        copytree("runs/one", f"runs/{name}")
        Path(f"runs/{name}/config.yaml").write_text(config.replace(old, new, 1))
    metrics = "bleu2-characters,selfbleu2-characters,valid-characters"
    code, told = said("runs", "--metrics", metrics, "--temperatures", "1,0.2", "--count", "8")
    assert code == 0, told
    assert "n_critic 5: 0.04 kimg and 0:0" in told
    assert "a run, 2 runs" in told
    assert "n_critic 7: 0.04 kimg" in told
    assert "At equal selfbleu2-characters, from" in told or "No temperature makes selfbleu2-characters equal" in told
    assert {path.name for path in Path("runs/tradeoff").iterdir()} == {"tradeoff.png", "tradeoff.md", "tradeoff.csv"}
    with Path("runs/tradeoff/tradeoff.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert [row["temperature"] for row in rows] == ["0.2", "1.0"] * 3
    by_run = {(row["run"], row["temperature"]): [row[each] for each in metrics.split(",")] for row in rows}
    assert by_run["runs/one", "1.0"] == by_run["runs/three", "1.0"] != by_run["runs/two", "1.0"]
    text = Path("runs/tradeoff/tradeoff.md").read_text()
    assert "| setting | temperature | bleu2-characters | selfbleu2-characters | valid-characters | runs |" in text
    assert "| real, that were trained on |" in text
    code, told = said("runs")
    assert code == 2
    assert "runs/tradeoff is not an empty folder: give another --out." in told


def test_settings_of_many_differences_are_called_as_their_runs(tmp_path: Path) -> None:
    parameters = [Parameter("a_name_that_is_long" * 4, "key")]

    def settings(*names: list[str]) -> list[Setting]:
        return [Setting((place,), [Run(tmp_path / each, {}) for each in some]) for place, some in enumerate(names)]

    assert names_of(settings(["gan-0", "gan-1"], ["alone-0"]), parameters, tmp_path) == ["gan", "alone"]
    assert names_of(settings(["0000", "0001"], ["0002"]), parameters, tmp_path) == ["setting 1", "setting 2"]
    assert names_of([Setting((), [Run(tmp_path / "b0", {})])], [], tmp_path / "runs") == ["runs"]


def test_a_number_equals_that_of_evaluate(said: Callable, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = "distinct1-characters,selfbleu2-characters"
    assert said("runs", "--out", "new", "--metrics", metrics, "--temperatures", "0.5", "--count", "8")[0] == 0
    with Path("new/tradeoff.csv").open() as file:
        (row,) = csv.DictReader(file)
    words = ["--metrics", "distinct1-characters", "--temperature", "0.5", "--count", "8"]
    assert main(["evaluate", "runs/one", *words]) == 0
    assert f"{float(row['distinct1-characters']):.5f}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("runs", "--metrics", "bleu3"), "--metrics bleu3 is one number: name quality and variety"),
        (("runs", "--metrics", "nll,selfbleu3"), "--metrics: nll does not judge items as they are: name others"),
        (("runs", "--metrics", "blue3,selfbleu3"), "--metrics: there is no metric blue3 of text; did you mean"),
        (("runs", "--temperatures", "warm"), "--temperatures warm are no numbers: write some, such as 0.6,0.8,1.0"),
        (("runs", "--temperatures", "0.5,-1"), "--temperatures is -1.0: it must be at least 0"),
        (("runs", "--count", "1"), "--count is 1: it must be at least 2"),
        (("nowhere",), "nowhere is no folder: name a sweep's"),
    ],
)
def test_what_makes_no_tradeoff_is_refused_in_a_sentence(said: Callable, words: tuple[str, ...], refusal: str) -> None:
    code, told = said(*words)
    assert code == 2
    assert refusal in told
    assert not Path("runs/tradeoff").exists()
