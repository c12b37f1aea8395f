from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import wandb
import yaml
from lightning.pytorch.utilities import rank_zero_only
from wandb.sdk.launch.sweeps.utils import create_sweep_command_args

from ganlit.callbacks.loggers.wandb import PATIENCE, Wandb, WandbOptions, agents_run, logged_in, summary_of
from ganlit.configuration.resolve import resolve
from ganlit.data.audio.modality import AudioModality
from ganlit.records.settings import fingerprint

KEY = 40 * "a"


@pytest.fixture(autouse=True)
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is logged in, and no setting of this machine matters."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PATIENCE:
        monkeypatch.setitem(PATIENCE, name, 2)


class Cloud(ThreadingHTTPServer):
    """As much of W&B's server as a run asks for; it can also refuse, or keep everybody waiting."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Desk)
        self.mood = "kind"  # or "busy", "broken"
        self.history: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: Any) -> None:
        """A client that has hung up."""

    def answer(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        if "file_stream" in path:
            if lines := asked.get("files", {}).get("wandb-history.jsonl"):
                self.history[lines["offset"] :] = lines["content"]
            return {"exitcode": None, "limits": {}}
        variables, operation = asked.get("variables", {}), asked.get("operationName")
        me = {"id": "e", "name": "me"}
        answers = {
            "Viewer": {"viewer": {"id": "1", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}},
            "RunResumeStatus": {"model": {"id": "p", "name": "ganlit", "entity": me, "bucket": self.known(variables)}},
            "UpsertBucket": {"upsertBucket": {"bucket": self.bucket(variables, me), "inserted": True}},
            "CreateRunFiles": {
                "createRunFiles": {
                    "runID": "b",
                    "uploadHeaders": [],
                    "files": [{"name": name, "uploadUrl": f"{self.url}/file"} for name in variables.get("files", [])],
                }
            },
        }
        return {"data": answers.get(operation, {})}

    def bucket(self, variables: dict[str, Any], me: dict[str, str]) -> dict[str, Any]:
        name, project = variables.get("name"), {"id": "p", "name": "ganlit", "entity": me}
        return {"id": "b", "name": name, "displayName": name, "config": "{}", "project": project, "historyLineCount": 0}

    def known(self, variables: dict[str, Any]) -> dict[str, Any] | None:
        if not self.history:
            return None
        texts = {"summaryMetrics": "{}", "config": "{}", "eventsTail": "[]", "wandbConfig": '{"t": 1}', "notes": ""}
        counts = {"historyLineCount": len(self.history), "logLineCount": 0, "eventsLineCount": 0, "tags": []}
        tail = json.dumps(self.history[-1:])
        return {"id": "b", "name": variables.get("name"), "displayName": "it", "historyTail": tail, **texts, **counts}


class Desk(BaseHTTPRequestHandler):
    server: Cloud

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.server.mood == "busy":
            time.sleep(600)
        code = 500 if self.server.mood == "broken" else 200
        asked = json.loads(text) if "json" in self.headers.get("content-type", "") else {}
        answer = json.dumps(self.server.answer(self.path, asked) if code == 200 else {}).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_PUT = do_GET = do_POST

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    cloud = Cloud()
    threading.Thread(target=cloud.serve_forever, daemon=True).start()
    monkeypatch.setenv("WANDB_BASE_URL", cloud.url)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    wandb.teardown()  # its process remembers who was logged in where
    yield cloud
    wandb.teardown()
    cloud.shutdown()
    cloud.server_close()


def steps(run: Any) -> list[float]:
    return [row["kimg"] for row in run.history]


def test_a_run_is_filed_as_its_configuration_says(recorded: Any) -> None:
    (run,) = recorded.of("run")
    assert (run.project, run.run_group, run.job_type, run.display_name) == ("digits", "0007-question", "train", "tiny")
    assert (list(run.tags), run.notes) == (["quick", "small"], "a try")
    assert recorded.config["model"]["init_args"]["generator_optimizer"]["init_args"]["lr"] == 0.002
    assert recorded.config["fidelity"]["class_path"] == "ganlit.callbacks.fidelity.Fidelity"
    assert recorded.config["seed"] == 3


def test_the_state_of_the_code_is_kept_but_not_the_code(recorded: Any) -> None:
    git = recorded.of("environment")[0].git
    assert git.remote_url == "https://example.org/lab.git"
    assert re.fullmatch("[0-9a-f]{40}", git.commit)
    (files,) = (recorded.folder / "wandb").glob("offline-run-*/files")
    assert "+two" in (files / "diff.patch").read_text()
    assert not list(files.rglob("*.py"))


def test_numbers_lie_over_kimg_and_summaries_keep_the_best(recorded: Any) -> None:
    metrics = {metric.name or metric.glob_name: metric for metric in recorded.of("metric")}
    assert {metric.step_metric for metric in metrics.values()} == {"kimg"}
    assert not metrics["*"].summary.min
    (fid,) = {name for name in metrics if name.startswith("fid20/")}
    (score,) = {name for name in metrics if name.startswith("probe-is20/")}
    assert metrics[fid].summary.min
    assert metrics[score].summary.max
    values = [row[fid] for row in recorded.history if fid in row]
    assert recorded.summary["phase"] == "done"
    assert recorded.summary["reason"] is None
    assert recorded.summary[fid] == pytest.approx({"min": min(values)})
    assert recorded.summary["fid"] == pytest.approx({"min": min(values)})
    assert [row["fid"] for row in recorded.history if "fid" in row] == pytest.approx(values)


def test_all_that_is_logged_is_there_with_its_clock(recorded: Any) -> None:
    assert all("kimg" in row for row in recorded.history)
    losses = [row for row in recorded.history if "generator/adversarial" in row]
    assert [row["kimg"] for row in losses] == pytest.approx([0.02 * n for n in range(1, 9)])
    assert all(row["gradient/generator"] > 0 and row["gradient/discriminator"] > 0 for row in losses)
    assert all(0 <= row["augment/p"] <= 1 for row in losses)
    histograms = [row for row in recorded.history if "logits/fake" in row]
    assert [sum(row[f"logits/{kind}"]["values"]) for row in histograms for kind in ("real", "fake")] == [20] * 4
    pictures = [row["samples"]["path"] for row in recorded.history if "samples" in row]
    (files,) = (recorded.folder / "wandb").glob("offline-run-*/files")
    assert len(pictures) == 3
    assert all((files / path).is_file() for path in pictures)


def test_sounds_are_players_beside_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reading: Any) -> None:
    """Of the rate and the samples that were heard, under their names."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    sounds = torch.randint(-9000, 9000, (2, 1, 500), generator=torch.Generator().manual_seed(0)).to(torch.int16)
    logger = Wandb(tmp_path / "run", {}, WandbOptions())
    logger.log_media("samples", AudioModality(22050).show([sounds], 2, tmp_path / "kimg000000.3"), 0.25)
    logger.finish()
    (recorded,) = reading(tmp_path / "run")
    (row,) = [row for row in recorded.history if "samples" in row]
    (files,) = (tmp_path / "run" / "wandb").glob("offline-run-*/files")
    assert (row["kimg"], row["samples"]["_type"]) == (0.25, "image-file")
    assert row["samples/audio"]["_type"] == "audio"
    players = row["samples/audio"]["audio"]
    assert [each["caption"] for each in players] == ["kimg000000.3-00", "kimg000000.3-01"]
    for player, sound in zip(players, sounds, strict=True):
        with wave.open(str(files / player["path"])) as file:
            assert (file.getframerate(), file.getnchannels()) == (22050, 1)
            assert file.readframes(500) == sound.numpy().tobytes()


def test_a_service_that_is_not_here_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sbatch` hands on the variables of who calls it, who may have a run of W&B open."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    wandb.teardown()
    monkeypatch.setenv("WANDB_SERVICE", f"3-1-unix-{tmp_path}/socket")
    logger = Wandb(tmp_path / "mine", {}, WandbOptions())
    logger.log_metrics({"loss": 0.1, "kimg": 1.0})
    logger.finish()
    assert not logger.lost
    assert (tmp_path / "mine" / "wandb" / "id").read_text().strip() == logger.version


def test_a_key_is_found_where_the_client_looks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not logged_in()
    (tmp_path / "netrc").write_text("machine wandb.example.org login user password secret\n")
    assert not logged_in()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    assert logged_in()
    monkeypatch.delenv("WANDB_BASE_URL")
    for address in (wandb.Settings().base_url, "https://api.wandb.ai"):  # where `wandb login` puts it, and once did
        (tmp_path / "netrc").write_text(f"machine {address.removeprefix('https://')} login user password secret\n")
        assert logged_in()
    (tmp_path / "netrc").unlink()
    assert not logged_in()
    monkeypatch.setenv("WANDB_API_KEY", "secret")
    assert logged_in()


def test_what_is_not_configured_comes_from_the_environment(reading: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PROJECT": "a", "JOB_TYPE": "b", "RUN_GROUP": "c", "TAGS": "d,e", "NAME": "f"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    wandb.teardown()  # it reads the environment once
    for folder, options in {"all": WandbOptions(), "some": WandbOptions(project="mine", tags=["x"])}.items():
        logger = Wandb(Path(folder), {}, options)
        logger.log_metrics({"loss": 0.1, "kimg": 1.0})
        logger.finish()
    wandb.teardown()
    (run,), (other,) = (reading(Path(folder))[0].of("run") for folder in ("all", "some"))
    assert (run.project, run.job_type, run.run_group, list(run.tags)) == ("a", "b", "c", ["d", "e"])
    assert (run.display_name, other.project, other.run_group, list(other.tags)) == ("f", "mine", "c", ["x"])


def test_a_run_that_was_resumed_offline_becomes_one_run(
    reading: Any, capsys: pytest.CaptureFixture, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_API_KEY")
    for start, outcome in enumerate((("stopped early", "fid 9"), ("done", None))):
        logger = Wandb(Path("runs/mine"), {"kimg": 3}, WandbOptions())
        logger.log_metrics({"loss": 0.1, "kimg": 1.0 + start, "epoch": 0}, 5)
        logger.log_outcome(*outcome, 1.0 + start)
        logger.finish()
        time.sleep(1)  # W&B names folders by the second
    command = "wandb sync runs/mine/wandb"
    assert capsys.readouterr() == (2 * f"W&B      offline; upload with `{command}`\n", "")
    first, second = reading(Path("runs/mine"))
    assert [row.of("run")[0].run_id for row in (first, second)] == 2 * [logger.version]
    assert steps(first) + steps(second) == [1.0, 2.0]
    told = [{name: row.summary[name] for name in ("phase", "reason")} for row in (first, second)]
    assert told == [{"phase": "stopped early", "reason": "fid 9"}, {"phase": "done", "reason": None}]
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    arguments = [sys.executable, "-m", *command.split()]
    assert subprocess.run(arguments, timeout=60, check=False).returncode == 0
    lines = [json.loads(line) for line in cloud.history]
    assert [(line["_step"], line["kimg"]) for line in lines] == [(0, 1.0), (1, 2.0)]
    assert "epoch" not in lines[0]


def test_an_agents_trial_has_the_agents_id_and_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert agents_run() is None
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep")
    monkeypatch.setenv("WANDB_RUN_ID", "abc-1")
    assert agents_run() == "abc-1"
    wandb.teardown()  # it reads the environment once
    logger = Wandb(Path("trial"), {}, WandbOptions(project="mine"))
    logger.log_metrics({"kimg": 1.0})
    logger.finish()
    assert [path.name for path in Path("trial").glob("wandb/*run-*/*.wandb")] == ["run-abc-1.wandb"]
    monkeypatch.delenv("WANDB_SWEEP_ID")
    monkeypatch.setenv("WANDB_RUN_ID", "another")
    assert Wandb(Path("trial"), {}, WandbOptions()).version == "abc-1"
    wandb.teardown()


def test_what_an_agent_passes_on_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep")
    monkeypatch.setenv("WANDB_RUN_ID", "abc")
    parameters = {
        "model.init_args.generator_optimizer.init_args.lr": 3e-05,
        "model.init_args.generator_optimizer.init_args.betas": [0.5, 0.9],
        "model.init_args.generator_optimizer.init_args.amsgrad": True,
        "model.init_args.loss": "Hinge",
        "fidelity.metrics": ["fid", "kid"],
        "trainer.callbacks": None,
        "model.init_args.regularizers": [{"class_path": "R1", "init_args": {"weight": 2.0, "every": 4}}],
        "seed": 4,
    }
    command = {"args": {name: {"value": value} for name, value in parameters.items()}}
    arguments = create_sweep_command_args(command)["args"]
    assert "--model.init_args.generator_optimizer.init_args.betas=[0.5, 0.9]" in arguments
    config = Path(__file__).parents[3] / "configs" / "stylegan_lite.yaml"
    resolved = yaml.safe_load(resolve(["--config", str(config), *arguments]))
    adam = resolved["model"]["init_args"]["generator_optimizer"]["init_args"]
    assert (adam["lr"], adam["betas"], adam["amsgrad"]) == (3e-05, [0.5, 0.9], True)
    assert resolved["model"]["init_args"]["loss"]["class_path"].endswith("Hinge")
    assert resolved["model"]["init_args"]["regularizers"][0]["init_args"] == {"weight": 2.0, "every": 4}
    assert (resolved["fidelity"]["init_args"]["metrics"], resolved["seed"]) == (["fid", "kid"], 4)
    assert resolved["trainer"]["callbacks"] is None


@pytest.mark.parametrize("mood", ["busy", "broken"])
def test_a_server_that_is_away_at_the_start_makes_it_offline(
    mood: str, cloud: Cloud, hasty: None, reading: Any, capsys: pytest.CaptureFixture
) -> None:
    cloud.mood = mood
    began = time.monotonic()
    logger = Wandb(Path("run"), {}, WandbOptions())
    logger.log_metrics({"kimg": 1.0})
    logger.finish()
    assert time.monotonic() - began < 30
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("W&B      cannot be reached (")
    assert second == "W&B      offline; upload with `wandb sync run/wandb`"
    assert steps(reading(Path("run"))[-1]) == [1.0]


def test_a_server_that_goes_away_delays_nothing_but_the_end_and_that_little(
    cloud: Cloud, hasty: None, reading: Any, capsys: pytest.CaptureFixture
) -> None:
    logger = Wandb(Path("run"), {}, WandbOptions())
    logger.log_metrics({"kimg": 1.0})
    cloud.mood = "busy"
    began = time.monotonic()
    for kimg in range(2, 200):
        logger.log_metrics({"kimg": float(kimg)})
    assert time.monotonic() - began < 3
    logger.finish()
    assert time.monotonic() - began < 15
    (run,) = reading(Path("run"))
    assert steps(run) == [float(kimg) for kimg in range(1, 200)]
    line = capsys.readouterr().out.splitlines()[-1]
    (place,) = Path("run/wandb").glob("run-*")
    assert line == f"W&B      did not take all in time; upload with `wandb sync --include-online {place}`"


def test_training_outlives_the_death_of_its_service(reading: Any, capsys: pytest.CaptureFixture) -> None:
    logger = Wandb(Path("run"), {}, WandbOptions())
    for kimg in range(600):  # some blocks of its file
        logger.log_metrics({"kimg": float(kimg)})
    time.sleep(1)
    os.kill(service(), signal.SIGTERM)  # as SLURM sends it to all processes of a step
    time.sleep(0.5)
    logger.log_metrics({"kimg": 600.0})
    logger.log_histograms({"logits": np.ones(3)}, 600.0)
    logger.finish()
    assert "W&B      has no more of this run (" in capsys.readouterr().out
    (run,) = reading(Path("run"))
    assert steps(run) == [float(kimg) for kimg in range(len(steps(run)))]
    assert len(steps(run)) > 100
    other = Wandb(Path("run"), {}, WandbOptions())
    other.log_metrics({"kimg": 1.0})  # the next start has a new one
    assert not other.lost
    other.finish()


def service() -> int:
    """The process that W&B runs beside this one."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = [pid for file in children for pid in file.read_text().split()]
    return next(int(pid) for pid in pids if "wandb-core" in Path(f"/proc/{pid}/cmdline").read_text())


def test_artifacts_are_uploaded_on_request_by_a_run_that_ends_well(reading: Any) -> None:
    for name, asked, code in [("asked", True, 0), ("failed", True, 1), ("unasked", False, 0)]:
        weights = Path(name) / "checkpoints" / "ema.safetensors"
        weights.parent.mkdir(parents=True)
        weights.write_bytes(b"weights")
        logger = Wandb(Path(name), {}, WandbOptions(artifacts=asked))
        logger.log_metrics({"kimg": 1.0})
        logger.finish(code)
        (run,) = reading(Path(name))
        assert [artifact.name for artifact in run.of("artifact")] == (["asked-generator"] if name == "asked" else [])
        assert run.of("exit")[0].exit_code == code


def test_only_the_first_rank_talks_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    logger = Wandb(Path("run"), {}, WandbOptions())
    logger.log_metrics({"kimg": 1.0})
    logger.finish()
    assert not Path("run").exists()


def test_runs_that_differ_in_their_seed_have_one_setting() -> None:
    one = {"seed": 1, "name": "a", "kimg": 3, "model": {"class_path": "S", "init_args": {"seed": 1, "lr": 0.1}}}
    other = {"seed": 2, "name": "b", "kimg": 3, "model": {"class_path": "S", "init_args": {"seed": 2, "lr": 0.1}}}
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint({**one, "kimg": 4})
    assert fingerprint(one) != fingerprint({**one, "model": {"class_path": "S", "init_args": {"seed": 1, "lr": 0.2}}})


def test_a_summary_keeps_the_best_of_measures_alone() -> None:
    names = ("fid", "fid2k/tiny@0/none", "probe-is20/tiny", "floor-fid2k/tiny", "fidelity/x", "generator/adversarial")
    assert [summary_of(name) for name in names] == ["min", "min", "max", None, None, None]


def test_a_summary_keeps_the_best_of_what_measures_reconstructions() -> None:
    lower = ("rfid", "lpips2k-alex@1a/-/-/digits@9f/ema-reconstruction", "elbo", "iwae2k-k16-normal/-/-/digits@9f/ema")
    higher = (
        "psnr",
        "psnr2k/-/-/digits@9f/ema-reconstruction",
        "ssim2k-gauss11/-/-/digits@9f/ema",
        "code-use2k-16codes",
    )
    assert {summary_of(name) for name in lower} == {"min"}
    assert {summary_of(name) for name in higher} == {"max"}
    assert [summary_of(name) for name in ("code-perplexity2k-16codes/-", "generator/l1", "guard/scale")] == [None] * 3
