"""A run on Weights & Biases, which it never waits for."""

from __future__ import annotations

import netrc
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np
from lightning.pytorch.utilities import rank_zero_only

from ganlit.callbacks.loggers.board import Board
from ganlit.callbacks.loggers.wandb_media import media
from ganlit.compute.console import say
from ganlit.compute.sparing import Later
from ganlit.metrics.measure import BETTER
from ganlit.records.durable import replacing
from ganlit.records.settings import fingerprint

wandb = Later("wandb")

PATIENCE = {
    "login_timeout": 10,
    "init_timeout": 20,  # seconds for the first answer; then the run is offline
    "finish_timeout": 60,  # for what is still to be uploaded at the end, of which SLURM grants two minutes
}
UPLOAD = 300  # instead of the latter where there are artifacts; srun waits for ten minutes

# W&B's reports of its own trouble go to the same server, and a process waits for them when it ends.
os.environ.setdefault("WANDB_ERROR_REPORTING", "false")


@dataclass
class WandbOptions:
    """What a run is filed under; what is not given is taken from W&B's own variables, such as WANDB_PROJECT.

    Args:
        project: "ganlit" where nobody says another.
        entity: a user or team.
        group: such as the sweep that a run belongs to.
        job_type: "train" where nobody says another.
        tags: any words.
        notes: a sentence on what is new in this run.
        artifacts: upload best.ckpt and ema.safetensors at the end.
    """

    project: str | None = None
    entity: str | None = None
    group: str | None = None
    job_type: str | None = None
    tags: list[str] | None = None
    notes: str | None = None
    artifacts: bool = False


def switched_off() -> bool:
    """Whether the environment wants nothing of W&B."""
    return os.environ.get("WANDB_MODE") == "disabled"


def agents_run() -> str | None:
    """The id that `wandb agent` has given to the trial of a sweep that this process is."""
    return os.environ.get("WANDB_RUN_ID") if os.environ.get("WANDB_SWEEP_ID") else None


def understood(args: list[str]) -> list[str]:
    """A command line of an agent's, which writes null as Python does."""
    if agents_run() is None:
        return args
    return [f"{argument.removesuffix('=None')}=null" if argument.endswith("=None") else argument for argument in args]


def logged_in() -> bool:
    """Whether a key for Weights & Biases lies where its client looks for one."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    own = os.environ.get("WANDB_BASE_URL")
    hosts = [own] if own else [wandb.Settings().base_url, "https://api.wandb.ai"]  # today's, and that of older keys
    try:
        keys = netrc.netrc(os.environ.get("NETRC"))
    except (OSError, netrc.NetrcParseError):
        return False
    return any(keys.authenticators(urlsplit(host).hostname) for host in hosts)


class Wandb(Board):
    """A W&B run with kimg as its x-axis: online for those who are logged in, else offline; it never asks for a key.

    It begins with the first thing that is logged, and only on the first rank. What W&B cannot take is let go.

    Args:
        folder: the run directory; a resumed run goes on under the id that it had there.
        config: what W&B shows as the configuration.
        options: what the run is filed under.
    """

    def __init__(self, folder: Path, config: dict[str, Any], options: WandbOptions) -> None:
        super().__init__()
        self.folder = folder
        self.config = config
        self.options = options
        self.run: wandb.Run | None = None
        self.known: set[str] = set()  # names that were logged
        self.lost = False  # its service is gone

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def version(self) -> str | None:
        """The id of the W&B run, once there is one."""
        with suppress(OSError):
            return (self.folder / "wandb" / "id").read_text().strip() or None
        files = (self.folder / "wandb").glob("*run-*/run-*.wandb")  # of a run from before there was that file
        latest = max(files, key=lambda path: path.parent.name.removeprefix("offline-"), default=None)
        return latest.stem.removeprefix("run-") if latest else None

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        """They are there from the start."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Without Lightning's epoch, which counts from the last resume."""
        numbers = {name: value for name, value in metrics.items() if name != "epoch"}
        self._send(lambda run: self._log(run, numbers))

    def log_media(self, name: str, files: Sequence[Path], kimg: float) -> None:
        """Files of one kind stand together under the name, others under `NAME/KIND`."""
        self._send(lambda run: run.log({**media(name, files), "kimg": kimg}))

    def log_histograms(self, values: Mapping[str, np.ndarray], kimg: float) -> None:
        histograms = {name: wandb.Histogram(array) for name, array in values.items()}
        self._send(lambda run: run.log({**histograms, "kimg": kimg}))

    def log_outcome(self, phase: str, reason: str | None, kimg: float) -> None:
        outcome = {"phase": phase, "reason": reason}  # without a reason, too: that of an earlier start may stand there
        self._send(lambda run: run.summary.update(outcome))

    @rank_zero_only
    def finish(self, exit_code: int = 0) -> None:
        """Ends the W&B run, in bounded time, and says how to upload what could not be.

        Args:
            exit_code: of the command; W&B calls a run that ends with another than 0 failed.
        """
        if self.run is None:
            return
        if exit_code == 0 and self.options.artifacts:
            self._send(self._upload)
        try:
            self.run.finish(exit_code)
        except TimeoutError:
            say(f"W&B      did not take all in time; upload with `wandb sync --include-online {self._place()}`")
        except Exception as error:
            self._lose(error)
        self.run = None

    @rank_zero_only
    def _send(self, action: Callable[[wandb.Run], object]) -> None:
        """Does something with the run, of which W&B's own process takes care; nothing that fails here is raised."""
        if self.lost:
            return
        try:
            if self.run is None:
                self.run = self._begin()
            action(self.run)
        except Exception as error:  # it has many ways to fail, none of which is worth a training
            self._lose(error)

    def _lose(self, error: Exception) -> None:
        if not self.lost:
            self.lost = True
            say(f"W&B      has no more of this run ({brief(error)}); metrics.csv and samples/ have all of it")
            with suppress(Exception):  # else it fails again, at length, when Python exits
                wandb.teardown()

    def _begin(self) -> wandb.Run:
        wanted = os.environ.get("WANDB_MODE", "online")
        try:
            run = self._init("offline" if wanted == "online" and not logged_in() else wanted)
        except wandb.errors.Error as error:
            say(f"W&B      cannot be reached ({brief(error)})")
            wandb.teardown()  # what has failed would still hold the id
            run = self._init("offline")
        with replacing(self.folder / "wandb" / "id", flush=False) as partial:
            partial.write_text(f"{run.id}\n")
        run.define_metric("*", step_metric="kimg")
        wandbs = os.path.relpath(self.folder / "wandb")
        say(f"W&B      offline; upload with `wandb sync {wandbs}`" if run.offline else f"W&B      {run.url}")
        return run

    def _init(self, mode: str) -> wandb.Run:
        self.folder.mkdir(parents=True, exist_ok=True)
        service = os.environ.get("WANDB_SERVICE", "").partition("-unix-")[2]
        if service and not Path(service).exists():  # of a process elsewhere: sbatch hands on what it finds around it
            del os.environ["WANDB_SERVICE"]
        if mode == "offline":  # else W&B's own telemetry looks for a server, and waits where packets get lost
            os.environ["WANDB_MODE"] = mode
        given = {name: value for name, value in asdict(self.options).items() if value is not None}
        upload = {"finish_timeout": UPLOAD} if given.pop("artifacts") else {}
        defaults = {
            "project": os.environ.get("WANDB_PROJECT", "ganlit"),
            "job_type": os.environ.get("WANDB_JOB_TYPE", "train"),
            "name": os.environ.get("WANDB_NAME", self.folder.name),
        }
        quiet = {"silent": True, "console": "off", "finish_timeout_raises": True}
        if {"WANDB_SAVE_CODE", "WANDB_DISABLE_CODE"}.isdisjoint(os.environ):
            quiet["save_code"] = True  # what `git diff` says; of files only ganlit/__main__.py
        return wandb.init(
            **(defaults | given),
            id=self.version,
            dir=self.folder.absolute(),
            resume="allow",
            reinit="create_new",
            config={**self.config, "setting": fingerprint(self.config)},
            mode=mode,
            settings=wandb.Settings(**quiet, **PATIENCE | upload),
        )

    def _log(self, run: wandb.Run, numbers: dict[str, float]) -> None:
        for name in numbers.keys() - self.known:  # one by one: of several patterns that fit, W&B takes any
            self.known.add(name)
            if (best := summary_of(name)) is not None:
                run.define_metric(name, step_metric="kimg", summary=best)
        run.log(numbers)

    def _upload(self, run: wandb.Run) -> None:
        """The best checkpoint and the averaged generator, each as a version of an artifact of this run's name."""
        for kind, file in {"checkpoint": "best.ckpt", "generator": "ema.safetensors"}.items():
            path = self.folder / "checkpoints" / file
            if path.exists():
                artifact = wandb.Artifact(f"{self.folder.name}-{kind}", type="model")
                artifact.add_file(str(path))
                run.log_artifact(artifact)

    def _place(self) -> str:
        """The folder in which W&B keeps this start of the run."""
        return os.path.relpath(Path(self.run.dir).parent)


def summary_of(name: str) -> Literal["min", "max"] | None:
    """What the summary keeps of a measure by its id, or by its short name: the best; None of other numbers."""
    for first, better in BETTER.items():
        if re.fullmatch(f"r?{first}([0-9].*)?", name):  # "rfid" is FID, of reconstructions
            return "min" if better == "lower" else "max"
    return None


def brief(error: Exception) -> str:
    """The first line of what an error says, or its name."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
