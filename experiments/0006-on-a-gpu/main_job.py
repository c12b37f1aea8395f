"""The main job, as a user types it: configs/stylegan_lite.yaml to its end, its curve, and what others can measure."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import torch
from checks import environment
from settings import LITE
from table import Row

from ganlit.cli.main import main as ganlit
from ganlit.errors import UserError
from ganlit.metrics.images.weights import find_weights

PART, CURVE = "main job", "curve"
SAMPLES = 2000  # as many as its own test
PARTING = 30.0  # seconds in which a run that is asked to stop has saved
SMALL = {
    "kimg": 0.04,
    "fidelity.every": 1,
    "trainer.callbacks.init_args.every": 1,
    **{f"data.init_args.{name}": value for name, value in (("batch", 10), ("tick", 0.02))},
    **{f"data.init_args.{name}_images": count for name, count in (("val", 20), ("test", 40))},
}
"""Settings of a rehearsal; the callback is the last of the list, the one that is added here."""


def judge(smoke: bool) -> tuple[list[str], str]:
    """Options that choose what measures the run, and what was chosen why."""
    stand_in = ["--fidelity.metrics=[fid@standin.StandIn]", "--fidelity.precision=fp32"]
    if smoke:
        return stand_in, "an untrained network, for a rehearsal"
    try:
        return [], f"the Inception in {find_weights().path}"
    except UserError as error:
        return stand_in, f"an untrained network, whose distances are no FID: {error}"


def main_job(out: Path, work: Path, device: torch.device, seconds: float, smoke: bool) -> Iterator[Row]:
    """Rows of the run, of its curve and of what it leaves.

    Args:
        out: where fit.txt, run.zip and samples.zip come to lie.
        work: where the run directory does.
        device: to train on.
        seconds: after which the run is asked to stop.
        smoke: whether a few steps are enough.
    """
    options, chosen = judge(smoke)
    yield Row(PART, "what measures it", "measured", why=chosen)
    run = work / "runs" / LITE.stem
    command = [sys.executable, "-m", "ganlit", "fit", "--config", str(LITE), "--wandb=null"]
    command += [f"--trainer.default_root_dir={run.parent}", f"--trainer.accelerator={accelerator(device)}"]
    command += ["--trainer.callbacks+=keeping.KeepAverages", *options]
    command += [f"--{name}={value}" for name, value in SMALL.items()] if smoke else []
    began = time.monotonic()
    code = ended(command, out / "fit.txt", work, seconds)
    took = time.monotonic() - began
    rows = rows_of(run / "metrics.csv")
    done = {"seconds": took, "kimg": max(numbers(rows, "kimg"), default=0.0)}
    for name, column, of in (("img/s", "speed/images_per_second", median), ("peak GiB", "memory/peak_gb", max)):
        done[name] = of(found) if (found := numbers(rows, column)) else None
    for share in ("discriminator", "generator", "regularizers", "data", "metrics", "io", "other"):
        done[f"{share} %"] = 100 * median(found) if (found := numbers(rows, f"time/{share}")) else None
    why = "" if code == 0 else f"fit ended with exit code {code}: {last_line(out / 'fit.txt')}"
    yield Row(PART, LITE.stem, "failed" if code else "measured", done, why)
    for kimg, name, value in curve(rows):
        yield Row(CURVE, f"{kimg:g} kimg", "measured", {"kimg": kimg, "value": value}, name)
    if (run / "checkpoints" / "last.ckpt").exists():
        yield left(run, out, work, 20 if smoke else SAMPLES)


def accelerator(device: torch.device) -> str:
    return "gpu" if device.type == "cuda" else "cpu"


def ended(command: list[str], log: Path, work: Path, seconds: float) -> int:
    """The exit code of a command, which is asked to stop when its time is over."""
    trusted = environment(GANLIT_TRUST="keeping,standin", WANDB_MODE="disabled")
    with log.open("w") as said:
        process = subprocess.Popen(command, cwd=work, env=trusted, stdout=said, stderr=said)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
        try:
            return process.wait(PARTING)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def rows_of(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open() as file:
        return list(csv.DictReader(file))


def numbers(rows: list[dict[str, str]], column: str) -> list[float]:
    return [float(row[column]) for row in rows if row.get(column)]


def curve(rows: list[dict[str, str]]) -> Iterator[tuple[float, str, float]]:
    """Clock, protocol id and value of every distance that was measured."""
    for row in rows:
        for name, value in row.items():
            if value and "fid" in name.partition("/")[0]:
                yield float(row["kimg"]), name, float(value)


def last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it has said nothing"


def left(run: Path, out: Path, work: Path, count: int) -> Row:
    """Samples of the averaged generator in samples.zip; in run.zip the averages, settings, numbers and pictures."""
    made = work / "samples"
    if ganlit(["generate", str(run), "--count", str(count), "--out", str(made)]):
        return Row(PART, "samples", "failed", why="generate has ended with an error, which it told")
    pack(out / "samples.zip", made, [path for path in made.glob("*.png") if path.stem.isdecimal()])
    pictures = sorted((run / "samples").glob("*.png"))[-2:]
    kept = [run / name for name in ("config.yaml", "metrics.csv", "overview.png")]
    pack(out / "run.zip", run, [*kept, *pictures, *(run / "checkpoints").glob("*.safetensors")])
    how = f"python -m ganlit evaluate samples.zip --against digits --metrics fid,kid --count {count}"
    return Row(PART, "samples", "measured", why=f"{count} in samples.zip, for {how}; likewise ema-kimg*.safetensors")


def pack(archive: Path, folder: Path, files: list[Path]) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for file in filter(Path.exists, files):
            target.write(file, file.relative_to(folder))
