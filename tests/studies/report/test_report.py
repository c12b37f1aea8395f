from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from matplotlib.image import imread

from ganlit.errors import UserError
from ganlit.studies.report.plots import curves, importance, worth_asking
from ganlit.studies.report.record import gather
from ganlit.studies.report.report import moment, report
from ganlit.studies.report.summary import Summary, summary

TAIL = "inception-2015-12-05@642bf592/legacy/digits-train@9288d0/ema"
OTHER = TAIL.replace("legacy", "clean")
TITLE = "generator_optimizer.lr"


def summed(folder: Path, **options: str) -> Summary:
    return summary(folder, gather(folder), **options)


def test_a_row_is_the_mean_over_the_seeds_that_ended_well(sweep: Path) -> None:
    found = summed(sweep)
    rows = [dict(zip(found.titles(), found.cells(row), strict=True)) for row in found.rows]
    assert [row[TITLE] for row in rows] == ["0.0005", "0.001", "0.002", "0.004"]
    # Seeds 1 and 3 of trials 1 to 3 are done: 10.5 and 12.5, whose deviation is the root of 2.
    assert rows[0]["fid2k (a) test"] == "11.5 ± 1.4"
    assert (rows[0]["n"], rows[0]["runs"], rows[0]["CPU-hours"]) == ("2", "2 done, 1 failed", "3.00")
    assert (rows[1]["fid2k (a) test"], rows[1]["runs"]) == ("14.5", "1 pending, 1 done, 1 diverged")
    assert (rows[2]["kimg"], rows[2]["fid150 (a) last"][-3:]) == ("24 to 40", "(2)")


def test_what_was_stopped_early_is_not_averaged_and_tells_at_how_many_kimg(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "runs"
    lr = ("model", "init_args", "generator_optimizer", "init_args", "lr")
    told = "fid150 80 at 20 kimg, the bracket of 5 validations kept 12, of 3 runs"
    make(folder / "1", {("seed",): 1}, 15.0)
    make(folder / "2", {("seed",): 2}, 40.0, "stopped early", 20.0, reason=told)
    make(folder / "3", {lr: 0.9}, 80.0, "stopped early", 20.0, reason=told)
    make(folder / "4", {lr: 0.1}, 15.0, kimg=36.0, reason="patience: no better")
    found = summed(folder)
    rows = {row.values[0]: dict(zip(found.titles(), found.cells(row), strict=True)) for row in found.rows}
    assert [*rows][-1] == "0.9"
    assert (rows["0.002"]["fid2k test"], rows["0.002"]["runs"]) == ("14.5", "1 done, 1 stopped early")
    assert (rows["0.9"]["fid150 best"], rows["0.9"]["n"]) == ("85.35 at 20 kimg", "0")
    assert (rows["0.9"]["fid2k test"], rows["0.9"]["kimg"]) == ("\N{EN DASH}", "20")
    reasons = found.reasons()
    assert sum(line.endswith(f"stopped early: {told}") for line in reasons) == 2
    assert any(line.endswith("done at 36 of 40 kimg: patience: no better") for line in reasons)


def test_a_seed_that_a_setting_has_twice_is_told(sweep: Path) -> None:
    assert not any("runs of seed" in note for note in summed(sweep).notes())
    for number in (3, 12):
        shutil.copytree(f"runs/0004-lr/{number:04}", f"runs/copy/{number:04}")
    notes = summed(Path("runs")).notes()
    assert [note for note in notes if "runs of seed" in note] == [
        f"Setting {number} has 2 runs of seed 0: each is averaged as another seed." for number in (1, 4)
    ]


def test_other_protocols_never_share_a_column(sweep: Path) -> None:
    found = summed(sweep)
    (row,) = [row for row in found.rows if row.values == ["0.004"]]
    cells = dict(zip(found.titles(), found.cells(row), strict=True))
    assert cells["fid2k (b) test"] == "20.5 ± 1.0 (3)"
    assert cells["fid2k (a) test"] == cells["fid150 (a) best"] == "–"  # noqa: RUF001
    assert ("fid2k (b)", f"fid2k/{OTHER}, not comparable with fid2k (a): resize clean, not legacy") in found.legend()


@pytest.mark.parametrize(
    ("sort", "order"),
    [(TITLE, "0.0005 0.001 0.002 0.004"), ("hours", "0.001 0.0005 0.002 0.004"), ("kimg", "0.0005 0.001 0.002 0.004")],
)
def test_sorted_by_another_column(sort: str, order: str, sweep: Path) -> None:
    assert [row.values[0] for row in summed(sweep, sort=sort).rows] == order.split()


def test_an_unknown_column_is_refused_with_the_nearest(sweep: Path) -> None:
    with pytest.raises(UserError, match="--sort hour: the table has no such column; did you mean hours"):
        summed(sweep, sort="hour")


def test_one_metric_is_ranked_by_its_own_direction(tmp_path: Path, make: Callable[..., Path]) -> None:
    for name, batch, end in (("a", 32, 20.0), ("b", 64, 10.0)):
        run = make(tmp_path / name, {("data", "init_args", "batch"): batch}, end)
        text = (run / "metrics.csv").read_text()
        (run / "metrics.csv").write_text(text.replace("fid2k/", "recall2k-k5/").replace("floor-recall", "floor-fid"))
    assert [row.values for row in summed(tmp_path, metric="recall").rows] == [["32"], ["64"]]
    assert [row.values for row in summed(tmp_path, metric="fid150").rows] == [["64"], ["32"]]


SCORES = {"fid20/" + TAIL: (9, 3, 5), "psnr20/-/-": (20, 26, 24), "code-use20-64codes/-/-": (0.5, 0.9, 0.8)}
"""Of three validations."""


@pytest.fixture
def coders(tmp_path: Path, make: Callable[..., Path]) -> Path:
    """Two settings of two seeds of a generator that takes data; the second setting does worse in all, by one half."""
    ids = [f"{name.removesuffix('/ema')}/ema-reconstruction" for name in SCORES]
    ids[1:] = [name.replace("-/-/", "-/-/digits-train@9288d0/") for name in ids[1:]]
    for number in range(4):
        run = make(
            tmp_path / f"{number}", {("data", "init_args", "batch"): 32 * (1 + number // 2), ("seed",): number % 2}
        )
        worse = [1.5, 1 / 1.5, 1 / 1.5] if number > 1 else [1, 1, 1]
        factors = [each * (1 + number % 2) for each in worse]
        lines = [
            ",".join(str(value * factor) for value, factor in zip(values, factors, strict=True))
            for values in zip(*SCORES.values(), strict=True)
        ]
        (run / "metrics.csv").write_text(
            "\n".join([f"kimg,{','.join(ids)}", *(f"{kimg},{line}" for kimg, line in enumerate(lines, 1))]) + "\n"
        )
    return tmp_path


def test_what_takes_data_is_reported_by_all_that_it_was_measured_by(coders: Path) -> None:
    found = summed(coders)
    rows = [dict(zip(found.titles(), found.cells(row), strict=True)) for row in found.rows]
    assert [row["batch"] for row in rows] == ["32", "64"]
    assert rows[0]["rfid20 best"] == "4.5 ± 2.1"  # of 3 and 6
    assert rows[0]["psnr20 best"] == "39 ± 18"  # of 26 and 52
    assert rows[0]["psnr20 last"] == "36 ± 17"
    assert rows[0]["code-use20-64codes best"] == "1.35 ± 0.64"
    assert found.ranking.title == "rfid20 best"


@pytest.mark.parametrize(("metric", "title"), [("psnr", "psnr20"), ("code-use,rfid", "code-use20-64codes")])
def test_what_is_better_where_it_is_higher_ranks_so(metric: str, title: str, coders: Path) -> None:
    found = summed(coders, metric=metric)
    assert found.ranking.title == f"{title} best"
    assert [row.values for row in found.rows] == [["32"], ["64"]]
    assert found.titles()[2] == f"{title} best"


def test_every_run_is_in_the_csv_with_whole_numbers(sweep: Path) -> None:
    report(sweep)
    with (sweep / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == [f"runs/0004-lr/{number:04}" for number in range(1, 13)]
    assert [row["phase"] for row in rows].count("done") == 7
    assert float(rows[0][f"fid2k/{TAIL}"]) == 10.5
    assert float(rows[0]["device_hours"]) == 1.0
    assert float(rows[0][f"best fid150/{TAIL}"]) == float(rows[0][f"fid150/{TAIL}"])
    assert (rows[5]["phase"], rows[5]["kimg"], rows[5][TITLE]) == ("pending", "", "0.001")
    assert rows[1]["reason"] == "CUDA error <out> of | memory"


def test_alarms_that_have_not_ended_are_told(sweep: Path, capsys: pytest.CaptureFixture) -> None:
    path = Path("runs/0004-lr/0001/state.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"alarms": ["identity", "drift"]}))
    report(sweep)
    said = "runs/0004-lr/0001 (seed 1) done, with alarms: identity, drift; see its alarms.txt"
    assert said in capsys.readouterr().out
    assert said in (sweep / "report" / "report.md").read_text()


def test_the_markdown_is_whole_and_harmless(sweep: Path, capsys: pytest.CaptureFixture) -> None:
    report(sweep)
    text = (sweep / "report" / "report.md").read_text()
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert "failed: CUDA error &lt;out> of | memory" in text
    assert "Failed and diverged runs are counted, and not averaged." in text
    assert f"`fid2k/{TAIL}`" in text
    told = capsys.readouterr().out
    assert "written" in told
    assert "11.5 ± 1.4" in told


def test_a_report_replaces_itself_and_nothing_else(sweep: Path) -> None:
    report(sweep)
    report(sweep)
    (sweep / "results.csv").write_text("mine,and mine\n")
    before = {path: path.read_bytes() for path in sweep.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=r"results.csv was not written by ganlit report: move it away"):
        report(sweep)
    assert {path: path.read_bytes() for path in sweep.rglob("*") if path.is_file()} == before


def test_pictures_of_before_do_not_stay(random_sweep: Path) -> None:
    report(random_sweep)
    assert (random_sweep / "report" / "importance.png").is_file()
    for run in sorted(random_sweep.glob("0*"))[4:]:
        (run / "config.yaml").unlink()
    report(random_sweep)
    assert not (random_sweep / "report" / "importance.png").exists()


def test_a_place_that_cannot_be_written_is_named(sweep: Path) -> None:
    (sweep / "report").write_text("a file")
    with pytest.raises(UserError, match=r"report/curves\.png cannot be written"):
        report(sweep)


def test_a_dollar_is_no_formula(tmp_path: Path, make: Callable[..., Path]) -> None:
    for name in ("$a^$", "[b]<i>", "_{$"):
        make(tmp_path / name[1], {("data", "init_args", "source"): name})
    report(tmp_path)
    assert "[b]&lt;i&gt;" in (tmp_path / "report" / "report.html").read_text()


def test_runs_that_have_measured_nothing_make_a_report(tmp_path: Path, make: Callable[..., Path]) -> None:
    run = make(tmp_path / "a", {})
    (run / "metrics.csv").unlink()
    report(tmp_path)
    assert not (tmp_path / "report" / "curves.png").exists()
    assert (tmp_path / "report" / "report.html").is_file()


def test_curves_are_coloured_for_the_best_and_grey_for_the_rest(random_sweep: Path, tmp_path: Path) -> None:
    figure = curves(summed(random_sweep))
    (axes,) = figure.axes
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert [text.split()[0] for text in texts] == ["1", "2", "3", "4", "5", "other"]
    assert sum(line.get_color() == "#b8b8b8" for line in axes.lines) == 15
    assert axes.get_yscale() == "log"
    figure.savefig(tmp_path / "curves.png")
    assert imread(tmp_path / "curves.png").std() > 0.05


def test_what_matters_most_comes_first(random_sweep: Path, sweep: Path) -> None:
    found = summed(random_sweep)
    assert worth_asking(found)
    bars, first, *others = importance(found).axes
    assert first.get_xlabel() == TITLE
    assert first.get_xscale() == "log"
    widths = [bar.get_width() for bar in bars.patches]
    assert widths == sorted(widths, reverse=True)
    assert {axes.get_xlabel() for axes in others} >= {"batch", "loss", "weight"}
    assert not worth_asking(summed(sweep))


def test_since_is_a_date_or_a_span() -> None:
    now = datetime.now().astimezone()
    assert moment("7d", now) == now - timedelta(days=7)
    assert moment("12h", now) == now - timedelta(hours=12)
    assert moment("2026-11-20").date().isoformat() == "2026-11-20"
    assert moment("9999999d", now).year <= 1970
    for wrong in ("yesterday", "7", "d", "2026-13-01"):
        with pytest.raises(UserError, match=f"--since {wrong} is no time"):
            moment(wrong)
