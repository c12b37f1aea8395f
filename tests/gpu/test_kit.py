"""The kit for a GPU rehearses on the CPU: every part of it runs, small, and its tables hold what it says."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "experiments" / "0006-on-a-gpu"


@pytest.fixture
def measure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """The kit, whose modules are gone afterwards."""
    monkeypatch.setenv("GANLIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(FOLDER)
    import measure

    yield measure
    for path in FOLDER.glob("*.py"):
        sys.modules.pop(path.stem, None)


def rows_in(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "table.json").read_text())["rows"]


def test_a_rehearsal_fills_the_tables(measure: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert measure.main(["--smoke", "--out", str(out)]) == 0
    content = json.loads((out / "table.json").read_text())
    rows = content["rows"]
    assert content["smoke"]
    assert [row for row in rows if row["state"] in ("failed", "not run")] == []
    parts = {row["part"]: [each for each in rows if each["part"] == row["part"]] for row in rows}
    assert list(parts) == ["checks", "speed", "kernels", "more", "main job", "curve"]
    assert [row["state"] for row in parts["checks"]] == ["passed"] * 3 + ["skipped"]
    for row in [*parts["speed"], *parts["more"]]:
        assert row["found"]["img/s"] > 0
        assert row["found"]["steps"] >= (4 if "filled" in row["name"] else 12)
        assert row["found"]["peak GiB"] > 0
    assert any("ADA" in row["name"] for row in parts["speed"])
    assert {"super_resolution 32", "unseen_map 32"} <= {row["name"].partition(",")[0] for row in parts["speed"]}
    assert any(row["found"]["path length ms"] is not None for row in parts["speed"])
    assert {"filled", "channels first", "compiled"} <= {row["name"].rpartition(", ")[2] for row in parts["more"]}
    assert sum(row["found"]["share"] for row in parts["kernels"][1:]) < 1
    run = next(row for row in parts["main job"] if row["name"] == "stylegan_lite")
    assert run["found"]["kimg"] == 0.04
    assert [row["found"]["kimg"] for row in parts["curve"]] == [0.02, 0.04, 0.04, 0.04]

    text = (out / "table.md").read_text()
    assert text.startswith("**A rehearsal, not a measurement:**")
    assert all(f"## {part}: " in text and row["name"] in text for part in parts for row in parts[part])
    samples, run = (zipfile.ZipFile(out / f"{name}.zip").namelist() for name in ("samples", "run"))
    assert sorted(samples) == [f"{index:06}.png" for index in range(20)]
    assert {"config.yaml", "metrics.csv", "overview.png", "checkpoints/ema.safetensors"} <= set(run)
    assert any(name.startswith("checkpoints/ema-kimg") for name in run)
    assert "passed" in (out / "tests.txt").read_text()
    assert "done in" in (out / "fit.txt").read_text()


def test_what_there_is_no_time_for_is_listed(measure: ModuleType, tmp_path: Path) -> None:
    assert measure.main(["--smoke", "--out", str(tmp_path / "out"), "--minutes", "1e-9"]) == 0
    rows = rows_in(tmp_path / "out")
    assert {row["state"] for row in rows} == {"not run"}
    assert {row["part"] for row in rows} == {"checks", "speed", "kernels", "more", "main job"}
    assert all("s needed, " in row["why"] for row in rows)


def test_a_failure_is_a_row_and_rows_are_written_one_by_one(
    measure: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def measured(setting: Any, *_: Any) -> dict[str, float]:
        written.append(len(rows_in(tmp_path)) if written else 0)
        if setting.ada:
            raise RuntimeError("out of memory\nand more of it")
        return {"img/s": 100.0, "peak GiB": 0.01}

    monkeypatch.setattr(measure, "measured", measured)
    assert measure.main(["--smoke", "--out", str(tmp_path), "--parts", "speed"]) == 0
    rows = rows_in(tmp_path)
    assert written == list(range(len(rows)))
    failed = [row for row in rows if row["state"] == "failed"]
    assert [row["why"] for row in failed] == ["RuntimeError: out of memory"]
    assert "ADA" in failed[0]["name"]
    assert len(rows) > len(failed)
    assert "| failed | - | - | RuntimeError: out of memory |" in (tmp_path / "table.md").read_text()


def test_a_table_of_another_time_is_left_alone(
    measure: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "table.json").write_text("{}")
    with pytest.raises(SystemExit) as end:
        measure.main(["--out", str(tmp_path)])
    assert end.value.code == 2
    assert "holds the table of another time" in capsys.readouterr().err
    assert (tmp_path / "table.json").read_text() == "{}"


def test_the_time_of_the_main_job_is_set_aside(measure: ModuleType, tmp_path: Path) -> None:
    kit = measure.Kit(tmp_path, tmp_path, measure.torch.device("cpu"), smoke=True, minutes=100 / 60)
    given: list[tuple[str, float]] = []

    def job(part: str, needs: float) -> Any:
        return measure.Job(part, part, lambda: needs, lambda allowed: given.append((part, allowed)) or iter(()))

    kit.go([job("speed", 10), job("more", 60), job("main job", 50)])
    assert given == [("speed", pytest.approx(50, abs=5)), ("main job", pytest.approx(100, abs=5))]
    given.clear()
    kit.go([job("speed", 10), job("main job", 500)])  # for which there is no time in any case
    assert given == [("speed", pytest.approx(100, abs=5))]


def test_what_does_not_end_is_ended(measure: ModuleType, tmp_path: Path) -> None:
    kit = measure.Kit(tmp_path, tmp_path, measure.torch.device("cpu"), smoke=True, minutes=0.3 / 60)

    def endless(allowed: float) -> Iterator[Any]:
        yield measure.Row("speed", "before", "measured")
        while True:
            measure.time.sleep(0.01)

    kit.go([measure.Job("speed", "endless", lambda: 0.1, endless), measure.Job("more", "next", lambda: 1.0, endless)])
    assert [(row.name, row.state) for row in kit.table.rows] == [
        ("before", "measured"),
        ("endless", "failed"),
        ("next", "not run"),
    ]
    assert "TimeoutError: stopped after" in kit.table.rows[1].why


def test_costs_of_a_step_are_medians_and_penalties_what_they_add(measure: ModuleType) -> None:
    from speed import apart, rate

    visits = [("discriminator", 0.02), ("discriminator", 0.01), ("discriminator", 0.01), ("data", 0.004)]
    visits += [("discriminator+regularizers", 0.05), ("generator", 0.02), ("generator", 0.02), ("other", 0.016)]
    visits += [("generator+regularizers", 0.03), ("generator+regularizers", 0.03)]
    costs = apart(visits)
    assert costs == pytest.approx({"steps": 4, "D": 0.01, "R1": 0.04, "G": 0.02, "path length": 0.01, "rest": 0.005})
    assert rate(7, costs, None, None) == pytest.approx(7 / 0.035)
    assert rate(7, costs, 16, 4) == pytest.approx(7 / (0.035 + 0.04 / 16 + 0.01 / 4))


def test_the_largest_batch_is_bound_by_memory_or_time(measure: ModuleType) -> None:
    cpu = measure.torch.device("cpu")  # of which one GiB is taken
    assert measure.largest(64, {"peak GiB": 0.1, "img/s": 1e6}, cpu, seconds=2) == 544
    assert measure.largest(64, {"peak GiB": 0.1, "img/s": 100}, cpu, seconds=2) == 200
    assert measure.largest(64, {"peak GiB": 100, "img/s": 100}, cpu, seconds=2) == 8
