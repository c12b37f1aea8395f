"""One command for the first GPU: what works on it, how fast it trains, and the main job to its end.

    python experiments/0006-on-a-gpu/measure.py --minutes 8 --out on-a-gpu

1. checks    the tests that touch devices, tests/gpu: steps, losses, penalties, augmentations and metrics against
             the CPU, bf16, resume, NCCL, pinned loading, clocks; super_resolution and unseen_map, and their resume
2. speed     stylegan_lite and StyleGAN2 at 32, 64, 128 and 256 pixels, super_resolution and unseen_map: images a
             second with and without penalties and ADA, milliseconds of each player, memory, how busy the device is
3. kernels   the operations that take most of a step
4. more      another memory layout, torch.compile, batches that fill the memory
5. main job  configs/stylegan_lite.yaml to its end, its curve, its samples

It keeps to its minutes, counted from when PyTorch is read: time for the main job is set aside, what does not fit is
listed as not run, and what does not end is ended. After every row
FOLDER/table.md and table.json are written anew, so that whatever ends it leaves what was found. What fails is a row
with its reason, and the next one goes on. Beside the tables the folder gets tests.txt and fit.txt, what was said;
samples.zip, to be measured elsewhere; run.zip, the averaged generators and numbers of the main job.

Without a GPU, or with --smoke, all of this is done small: a rehearsal of half a minute.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from checks import PART as CHECKS
from checks import REPOSITORY, checks
from kernels import kernels
from main_job import PART as MAIN
from main_job import main_job
from settings import LITE, Plan, Setting
from speed import ROUND, WARM, measured, room
from table import Row, Table

from ganlit.callbacks.profile import GIB
from ganlit.cli.main import quieten

PARTS = ("checks", "speed", "kernels", "more", "main")
FULL = 0.85  # share of the device's memory that a batch may fill
STEP = 2.0  # seconds that a step may take with it
CHECKED = 210.0  # seconds that the tests may take


class Job(NamedTuple):
    """Something to be done, if there is time for it."""

    part: str
    name: str
    needs: Callable[[], float]  # seconds, without which it is not begun
    run: Callable[[float], Iterator[Row]]  # given the seconds there are


class Kit:
    """The jobs in their order, and the table that they fill."""

    def __init__(self, out: Path, work: Path, device: torch.device, smoke: bool, minutes: float) -> None:
        self.out, self.work, self.device, self.smoke = out, work, device, smoke
        self.ends = time.monotonic() + 60 * minutes
        self.watched = 0.2 if smoke else 4.0  # seconds of each setting
        self.table = Table(out, machine(device, minutes), smoke)

    def jobs(self, parts: list[str]) -> list[Job]:
        """What there is to do in these parts."""
        plan = Plan(self.smoke)
        jobs = {
            "checks": [Job(CHECKS, "tests", lambda: 20.0, self.checks)],
            "speed": [self.speed("speed", each) for each in plan.speed],
            "kernels": [self.kernels(each) for each in plan.profiled],
            "more": [
                *(self.speed("more", each) for each in plan.variations[:2]),
                *(self.filled(plan.full(size)) for size in plan.sizes),
                *(self.speed("more", each) for each in plan.variations[2:]),
            ],
            "main": [Job(MAIN, LITE.stem, self.main_needs, self.main)],
        }
        return [job for part in PARTS if part in parts for job in jobs[part]]

    def go(self, jobs: list[Job]) -> None:
        """Does one after the other; the time of the main job, the last, is set aside while there is enough for it."""
        for job in jobs:
            left = self.ends - time.monotonic()
            aside = jobs[-1].needs() if job is not jobs[-1] and jobs[-1].part == MAIN else 0.0
            allowed, needs = left - aside if left > aside else left, job.needs()
            if allowed < needs:
                self.table.add(Row(job.part, job.name, "not run", why=f"{needs:.0f} s needed, {allowed:.0f} s left"))
                continue
            try:
                with room(), limited(allowed):
                    for row in job.run(allowed):
                        self.table.add(row)
            except Exception as error:
                self.table.add(Row(job.part, job.name, "failed", why=first_line(error)))

    def checks(self, seconds: float) -> Iterator[Row]:
        return checks(self.out, self.work, min(seconds, CHECKED), self.smoke)

    def speed(self, part: str, setting: Setting) -> Job:
        needs = 90.0 if setting.more == "compiled" and not self.smoke else 10.0

        def run(allowed: float) -> Iterator[Row]:
            most = min(allowed, needs + 20.0)
            yield Row(part, setting.name, "measured", measured(setting, self.device, self.smoke, self.watched, most))

        return Job(part, setting.name, lambda: needs, run)

    def filled(self, setting: Setting) -> Job:
        """The same with as large a batch as memory and time allow."""
        name = f"{setting.network} {setting.resolution}, filled"

        def run(allowed: float) -> Iterator[Row]:
            before = self.table.found("speed", setting.name)
            if not before:
                raise RuntimeError(f"{setting.name} was not measured, from which the batch follows")
            batch = largest(setting.batch, before, self.device, min(STEP, allowed / (WARM + ROUND)))
            larger = setting._replace(batch=min(batch, 2 * setting.batch) if self.smoke else batch)
            found = measured(larger, self.device, self.smoke, 0.0, allowed, least=1)
            yield Row("more", f"{larger.name}, filled", "measured", found)

        return Job("more", name, lambda: 20.0, run)

    def kernels(self, setting: Setting) -> Job:
        def run(allowed: float) -> Iterator[Row]:
            for name, found in kernels(setting, self.device, self.smoke).items():
                yield Row("kernels", f"{setting.network} {setting.resolution}: {name}", "measured", found)

        return Job("kernels", setting.name, lambda: 10.0, run)

    def main_needs(self) -> float:
        """Seconds that the main job takes, as far as one can tell."""
        if self.smoke:
            return 1.0
        lite = self.table.found("speed", Plan(self.smoke).lite().name)
        return 45.0 + 120_000 / lite["img/s"] if lite else 120.0

    def main(self, seconds: float) -> Iterator[Row]:
        parting = 5.0 if self.smoke else 25.0  # for its samples
        return main_job(self.out, self.work, self.device, max(seconds - parting, 1.0), self.smoke)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Ends what does not end by itself.

    Raises:
        TimeoutError: the time is over; raised wherever the block is then.
    """

    def end(*_: object) -> None:
        raise TimeoutError(f"stopped after {seconds:.0f} s, when there was no more time")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def largest(batch: int, before: Mapping[str, float], device: torch.device, seconds: float) -> int:
    """The batch, a multiple of 8, that fills the device's memory, or takes so many seconds a step.

    Args:
        batch: a smaller one.
        before: what was found with that.
    """
    memory = torch.cuda.get_device_properties(device).total_memory / GIB if device.type == "cuda" else 1.0
    return max(8, int(min(batch * FULL * memory / before["peak GiB"], seconds * before["img/s"])) // 8 * 8)


def machine(device: torch.device, minutes: float) -> dict[str, str]:
    """What the numbers depend on."""
    git = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=REPOSITORY, capture_output=True, text=True)
    found = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or "CPU",
        "cores": str(os.cpu_count()),
        "Python, PyTorch": f"{platform.python_version()}, {torch.__version__}",
        "commit": git.stdout.strip() or "unknown",
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "minutes": f"{minutes:g}",
    }
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        found["memory"] = f"{properties.total_memory / GIB:.0f} GiB, {properties.multi_processor_count} processors"
        versions = torch.version.cuda, torch.backends.cudnn.version(), torch.cuda.nccl.version()
        found["CUDA, cuDNN, NCCL"] = ", ".join(map(str, versions))
        found["TF32 in convolutions, products"] = ", ".join(
            str(place.fp32_precision) for place in (torch.backends.cudnn.conv, torch.backends.cuda.matmul)
        )
    return found


def first_line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8.0, help="after which it has ended (default: 8)")
    parser.add_argument("--out", type=Path, default=Path("on-a-gpu"), help="a new folder (default: on-a-gpu)")
    parser.add_argument("--work", type=Path, help="where runs and samples lie meanwhile (default: OUT/work)")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"some of {','.join(PARTS)}; all by default")
    parser.add_argument("--smoke", action="store_true", help="a rehearsal, also where there is a GPU")
    given = parser.parse_args(words)
    parts = given.parts.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"--parts knows no {unknown.pop()}: name some of {', '.join(PARTS)}")
    if (given.out / "table.json").exists():
        parser.error(f"--out {given.out} holds the table of another time: name a new folder")
    if not given.minutes > 0:
        parser.error(f"--minutes is {given.minutes:g}: give a number above 0")
    out, work = given.out.resolve(), (given.work or given.out / "work").resolve()
    out.mkdir(parents=True, exist_ok=True)
    work.mkdir(parents=True, exist_ok=True)
    quieten()
    device = torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    kit = Kit(out, work, device, given.smoke or device.type == "cpu", given.minutes)
    kit.go(kit.jobs(parts))
    print(f"table    {out / 'table.md'}, {out / 'table.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
