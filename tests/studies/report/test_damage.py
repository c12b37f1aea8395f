"""What is damaged, or named to do harm, is reported as what it is, and the rest as ever."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganlit.errors import UserError
from ganlit.records.media import drawn
from ganlit.records.settings import plain
from ganlit.records.state import State
from ganlit.studies.report import record
from ganlit.studies.report.page import page
from ganlit.studies.report.plots import curves, importance, worth_asking
from ganlit.studies.report.record import gather
from ganlit.studies.report.report import moment, report
from ganlit.studies.report.summary import summary
from ganlit.studies.report.tables import markdown, read_spreadsheet, spreadsheet

Make = Callable[..., Path]

CONTENT = {
    "nothing": b"",
    "a list": b"[1]",
    "null": b"null",
    "no text": b"\x89PNG\0\0",
    "UTF-16": "model: {}".encode("utf-16"),
    "brackets": b"[" * 1000,
    "an alias in itself": b"model: &a [*a]\n",
    "other kinds": b"name: a\nkimg: [1]\ntrainer: 3\nmodel: {}\ndata: {}\nseed: {a: 1}\n",
}
DAMAGE: dict[str, Callable[[Path], object]] = {
    **{name: lambda path, content=content: path.write_bytes(content) for name, content in CONTENT.items()},
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
}


@pytest.fixture
def two(tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good run beside the one that is damaged; what is drawn is not looked at."""
    monkeypatch.setattr("ganlit.studies.report.report.curves", lambda found: None)
    make(tmp_path / "good", {("seed",): 0})
    make(tmp_path / "odd", {("seed",): 1}, 20.0)
    return tmp_path


def reported(folder: Path) -> tuple[str, list[dict[str, str]]]:
    """The page in Markdown, and the rows of the spreadsheet."""
    report(folder)
    return (folder / "report/report.md").read_text(), read_spreadsheet((folder / "results.csv").read_text())


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("file", ["state.json", "metrics.csv", "config.yaml"])
def test_a_damaged_run_is_named_and_the_other_reported(
    file: str, damage: str, two: Path, capsys: pytest.CaptureFixture
) -> None:
    (two / "odd" / file).unlink()
    DAMAGE[damage](two / "odd" / file)
    text, rows = reported(two)
    shown = {Path(row["run"]).name: row["phase"] for row in rows}
    expected = {"state.json": {"good": "done", "odd": "failed"}, "metrics.csv": {"good": "done", "odd": "done"}}
    assert shown == expected.get(file, {"good": "done"})
    if (file, damage) != ("config.yaml", "a folder"):  # which is no run
        assert f"{two}/odd/{file}" in capsys.readouterr().out.replace("'", "")
        assert "What is damaged:" in text
        assert "What is damaged" in (two / "report/report.html").read_text()


@pytest.mark.parametrize("damage", ["nothing", "no text", "other kinds", "a pipe"])
def test_a_trial_and_its_run_stand_in_for_each_other(damage: str, sweep: Path) -> None:
    before = summary(sweep, gather(sweep))
    for path in (sweep / "trials/0001.yaml", Path("runs/0004-lr/0003/config.yaml")):
        path.unlink()
        DAMAGE[damage](path)
    told: list[str] = []
    found = summary(sweep, gather(sweep, tell=told.append))
    assert [found.cells(row) for row in found.rows] == [before.cells(row) for row in before.rows]
    assert ["0001.yaml" in told[0], "0003/config.yaml" in told[1], len(told)] == [True, True, 2]
    for number in (1, 2):
        path = Path(f"runs/0004-lr/000{number}/config.yaml")
        path.unlink()
        DAMAGE[damage](path)
    told.clear()
    assert len(gather(sweep, tell=told.append)) == 11
    assert "runs/0004-lr/0001 is left out, since nobody can tell what it was" in told


def test_a_trial_whose_run_was_refused_is_not_pending(sweep: Path) -> None:
    Path("runs/0004-lr/0002/config.yaml").unlink()
    assert gather(sweep)[1].phase == "failed"


def test_done_without_a_checkpoint_is_told(two: Path) -> None:
    (two / "odd/checkpoints").mkdir()
    (two / "odd/checkpoints/last.ckpt").touch()
    assert "Without a checkpoint, 1 of the runs say that they are done." in summary(two, gather(two)).notes()


@pytest.mark.parametrize("updated", ["yesterday", "0001-01-01T00:00:00", "9999-12-31T23:59:59", ""])
def test_a_time_that_is_none_is_long_ago(updated: str, two: Path) -> None:
    path = two / "odd/state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "updated": updated}))
    assert len(gather(two, moment("1d"))) <= 2


@pytest.mark.parametrize("since", ["0001-01-01", "9999-12-31", "9" * 5000 + "d"])
def test_no_time_is_too_far_away(since: str) -> None:
    try:
        assert moment(since).tzinfo is not None
    except UserError as error:
        assert "is no time" in str(error)  # noqa: PT017


HARM = ["=1+1|`x`", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "\x1b[2J[red]\n# b", "@\ud800'$x$"]


@pytest.mark.parametrize("name", HARM)
def test_names_break_out_of_nothing(name: str, two: Path, make: Make, capsys: pytest.CaptureFixture) -> None:
    text = name.encode(errors="replace").decode()  # no YAML and no name of a file holds half a letter
    folder = text.replace("/", "-")
    path = make(two / folder, {("data", "init_args", "source"): text, ("seed",): text}, 30.0, reason=name)
    state = json.loads((path / "state.json").read_text())
    (path / "state.json").write_text(json.dumps({**state, "phase": "failed"}))
    header, rest = (path / "metrics.csv").read_text().split("\n", 1)
    columns = [column.replace("digits-train", folder) for column in header.strip().split(",")]
    with (path / "metrics.csv").open("w", newline="") as file:
        csv.writer(file).writerow(columns)
        file.write(rest)
    text, rows = reported(two)
    html, out = (two / "report/report.html").read_text(), capsys.readouterr().out
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    assert not re.search(r"<(?!!--)", re.sub(r"`+[^`]*`+", "", text))
    assert "<img src=x" not in html
    assert not re.search(r"(?<!\\)\]\(", re.sub(r"`+[^`]*`+", "", text))
    for written in (text, html, out):
        assert "\x1b" not in written
    (row,) = [row for row in rows if Path(row["run"]).name == folder]
    assert row["reason"] == name.encode(errors="backslashreplace").decode()
    raw = [each for row in csv.reader((two / "results.csv").open(newline="")) for each in row]
    assert not [each for each in raw if each[:1] in ("=", "@", "+")]


extreme = st.sampled_from([0.0, -1.0, 1e-320, 1e-9, 1.0, 1e9, 1e300, 1.7e308, -1.7e308])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(extreme, min_size=3, max_size=6), clock=st.sampled_from([1.0, 1e-300, 1e300]))
def test_no_number_is_too_large_to_be_reported(
    values: list[float], clock: float, tmp_path_factory: pytest.TempPathFactory, make: Make
) -> None:
    folder = tmp_path_factory.mktemp("extreme")
    for seed in (0, 1):
        run = make(folder / f"{seed}", {("seed",): seed})
        name = (run / "metrics.csv").read_text().split("\n")[0].strip().split(",")[2]
        lines = [f"{clock * index},{value!r}" for index, value in enumerate(values)]
        (run / "metrics.csv").write_text("\n".join([f"kimg,{name}", *lines, ""]))
    _, rows = reported(folder)
    assert [float(row[name]) for row in rows] == [values[-1]] * 2


configured = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.dates(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3) | st.integers(0, 2), inner),
    max_leaves=5,
)


@settings(max_examples=100, deadline=None)
@given(values=st.lists(configured, min_size=2, max_size=4), key=st.text(min_size=1, max_size=5))
def test_whatever_a_setting_is_it_is_reported(values: list[Any], key: str) -> None:
    runs = [
        record.Run(Path(f"{number}"), plain({"model": {"free": {key: value}}, "seed": value}), State("done"))
        for number, value in enumerate(values)
    ]
    found = summary(Path("runs"), runs, sort="kimg")
    rows = read_spreadsheet(spreadsheet(found))
    assert sorted(row["run"] for row in rows) == [run.folder.name for run in runs]
    assert page(found, {}).encode()
    assert markdown(found).encode()
    assert all(each.isprintable() for row in found.rows for each in found.cells(row))


ODD = [
    1e-320,
    10**300,
    2.5,
    math.nan,
    math.inf,
    "\x1b[31m",
    "$a$",
    "\0",
    "\u65e5",
    "x" * 5000,
    [1],
    {"a": 1},
    True,
    None,
]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")  # of letters that no font has
def test_whatever_was_varied_is_drawn() -> None:
    fid = "fid2k/a@1/l/b@2/ema"
    runs = [
        record.Run(
            Path(f"{number}"),
            plain({"model": {"odd": value, "large": ODD[number % 3]}}),
            State("done"),
            {fid: [(1.0, score), (2.0, -score)]},
        )
        for number, (value, score) in enumerate(zip(ODD, [1e308, 1e-300, 3.0, 0.0, 1e308, *range(9)], strict=True))
    ]
    found = summary(Path("runs"), runs)
    assert worth_asking(found)
    assert len(drawn(importance(found), 40)) > 1000
    assert len(drawn(curves(found), 40)) > 1000


def test_a_whole_disk_is_not_looked_through(tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "FOLDERS", 20)
    for number in range(30):
        make(tmp_path / "many" / f"{number}", {("seed",): number})
        (tmp_path / "other" / f"{number}").mkdir(parents=True)
    assert len(gather(tmp_path / "many")) == 30
    with pytest.raises(UserError, match="has more than 20 folders in it: name one that is nearer to the runs"):
        gather(tmp_path)


@pytest.mark.parametrize("place", ["empty", "a.txt", "pipe", "loop", "x" * 300, "many"])
def test_what_holds_no_runs_is_refused(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("a.txt").touch()
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    Path("many").mkdir()
    for number in range(2000):
        Path("many", f"{number}").touch()
    with pytest.raises(UserError, match=r"is no folder|holds no runs"):
        report(Path(place))
