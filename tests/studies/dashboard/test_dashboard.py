from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ganlit.errors import UserError
from ganlit.studies.dashboard.dashboard import dashboard, varied
from ganlit.studies.dashboard.layout import Panel, layout
from ganlit.studies.dashboard.workspace import SEEDS, workspace


@pytest.fixture
def keys(recorded: Any) -> set[str]:
    """All that a real run logs over kimg; W&B's own names begin with a bar."""
    return {key for row in recorded.history for key in row if not key.startswith("_")} - {"kimg"}


def panels() -> list[Panel]:
    return [panel for section in layout("fid.min") for panel in section.panels]


def test_every_panel_has_data_in_a_real_run(keys: set[str], recorded: Any) -> None:
    logged = [panel for panel in panels() if panel.score is None]
    empty = [panel.title for panel in logged if not any(map(panel.draws, keys))]
    of_data = [
        panel.title
        for section in layout("fid.min")
        if section.title == "Items made of data"
        for panel in section.panels
    ]
    others = ["Its sounds, films and texts", "Weight of the adversarial term", "Skipped steps"]
    assert empty == of_data + others  # it makes images from noise; no step was skipped
    assert all(set(panel.keys) <= keys for panel in logged if panel.title not in empty)
    histograms = {key for panel in panels() if panel.kind == "histogram" for key in panel.keys}
    assert {key for row in recorded.history for key, value in row.items() if is_of(value, "histogram")} == histograms


def is_of(value: Any, kind: str) -> bool:
    return isinstance(value, dict) and value.get("_type") == kind


def test_every_logged_key_has_a_panel(keys: set[str]) -> None:
    assert len(keys) > 25
    assert [key for key in keys if not any(panel.draws(key) for panel in panels())] == []
    assert any(panel.draws("skipped/generator/gradient") for panel in panels())


@pytest.mark.parametrize("key", ["adversarial", "r1", "a", "adv", "adversary", "adversarially", "l1", "vgg-16"])
def test_a_term_has_one_panel(key: str) -> None:
    for player in ("discriminator", "generator"):
        (panel,) = [panel for panel in panels() if panel.draws(f"{player}/{key}")]
        assert (panel.title == "Adversarial losses") == (key == "adversarial")


SIDE = "-/-/digits-train@9288d0/ema-reconstruction"


@pytest.mark.parametrize(
    ("keys", "title"),
    [
        (["rfid", "fid2k/inception@1a/legacy/digits-train@9288d0/ema-reconstruction"], "FID while training"),
        (["psnr", f"psnr2k/{SIDE}"], "PSNR"),
        (["ssim", f"ssim2k-gauss11/{SIDE}"], "SSIM"),
        (["psnr", f"psnr2k-y-crop4/{SIDE}", f"psnr2k-16bit/{SIDE}"], "PSNR"),
        (["matched", f"matched2k-32px/{SIDE}"], "MATCHED"),
        (["kept2k/inception@1a/legacy/digits-train@9288d0/ema-translation"], "Percent of items whose class is kept"),
        (["alarm/identity", "alarm/variety"], "Alarms: unchanged, all alike"),
        (["alarm/drift"], "Alarms: drift of a channel, of 255"),
        (["code-use", f"code-use2k-64codes/{SIDE}"], "Share of the codes in use"),
        ([f"code-perplexity2k-64codes/{SIDE}"], "Perplexity of the codes"),
        (["elbo", f"iwae2k-k16-normal/{SIDE}"], "Bits per dimension, at most"),
        (["adversarial/ratio", "guard/scale"], "Weight of the adversarial term"),
    ],
)
def test_what_runs_with_data_log_has_a_panel(keys: list[str], title: str) -> None:
    for key in keys:
        assert [panel.title for panel in panels() if panel.draws(key)] == [title]


def test_sweeps_are_compared_by_what_runs_have(recorded: Any) -> None:
    parallel, importance = [panel for panel in panels() if panel.score]
    for key in (*parallel.keys, SEEDS):
        value = recorded.config
        for part in key.split("."):
            value = value[part]
    assert parallel.score == importance.score == "fid.min"
    assert set(recorded.summary["fid"]) == {"min"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_library_builds_it() -> None:
    built = workspace(layout("fid.min", ("seed",)), "me", "digits")._to_model().spec.model_dump(by_alias=True)
    sections = built["section"]["panelBankConfig"]["sections"]
    assert [section["name"] for section in sections] == [section.title for section in layout("fid.min")]
    found = {panel["config"].get("chartTitle"): panel for section in sections for panel in section["panels"]}
    quality = found["FID while training"]["config"]
    assert (quality["xAxis"], quality["groupBy"], quality["groupArea"]) == ("kimg", f"{SEEDS}.value", "stddev")
    assert quality["metricRegex"] == next(panel.pattern for panel in panels() if panel.title == "FID while training")
    assert found["EMA generator, fixed latents or sources"]["config"]["mediaKeys"] == ["samples"]
    columns = [column["accessor"] for column in found["Settings and fid.min"]["config"]["columns"]]
    assert columns == ["config:seed.value", "summary:fid.min"]


def test_a_dry_run_prints_the_layout(capsys: pytest.CaptureFixture) -> None:
    dashboard(metric="probe-is", dry_run=True)
    sections = json.loads(capsys.readouterr().out)
    assert [section["title"] for section in sections][:3] == ["Quality", "Items made of data", "Samples"]
    assert sections[-1]["panels"][-1]["score"] == "probe-is.max"


@pytest.mark.parametrize(("metric", "score"), [("rfid", "rfid.min"), ("psnr", "psnr.max"), ("elbo", "elbo.min")])
def test_sweeps_are_judged_by_what_runs_with_data_are(metric: str, score: str, capsys: pytest.CaptureFixture) -> None:
    dashboard(metric=metric, dry_run=True)
    assert json.loads(capsys.readouterr().out)[-1]["panels"][-1]["score"] == score


def test_a_sweep_names_its_parameters(tmp_path: Path) -> None:
    text = "parameters: {seed: {values: [0, 1]}, kimg: {value: 3}, lr: {min: 0.1, max: 1.0}}"
    (tmp_path / "sweep.yaml").write_text(text)
    assert varied(tmp_path) == varied(tmp_path / "sweep.yaml") == ("seed", "lr")
    with pytest.raises(UserError, match="nothing is no sweep file"):
        varied(tmp_path / "nothing")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="binary is no sweep file"):
        varied(tmp_path / "binary")


def test_who_cannot_save_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(UserError, match="nobody is logged in"):
        dashboard()
    with pytest.raises(UserError, match="--metric is fidd: did you mean fid"):
        dashboard(metric="fidd")
