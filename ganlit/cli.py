"""The command line: `python -m ganlit fit | validate | test | prepare`, by Lightning, and the tools."""

from __future__ import annotations

import logging
import pkgutil
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace, set_parsing_settings
from jsonargparse.typing import NonNegativeInt, PositiveFloat
from lightning.pytorch import Callback, Trainer, seed_everything
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.warnings import PossibleUserWarning

import ganlit
from ganlit import signals, slurm
from ganlit.callbacks.balance import Balance
from ganlit.callbacks.budget import Budget
from ganlit.callbacks.checkpoint import Checkpoints, DurableIO
from ganlit.callbacks.fidelity import Fidelity
from ganlit.callbacks.interrupt import Interrupt
from ganlit.callbacks.overview import Overview
from ganlit.callbacks.profile import Profile
from ganlit.callbacks.progress import Progress, clock, say, shown
from ganlit.callbacks.record import Record
from ganlit.callbacks.recovery import Recovery
from ganlit.callbacks.samples import Samples
from ganlit.data.base import GanDataModule
from ganlit.durable import whole
from ganlit.errors import Stopped, UserError
from ganlit.lab import Lab
from ganlit.loggers.chosen import ended, loggers
from ganlit.loggers.wandb import WandbOptions, agents_run, understood
from ganlit.machine import affordable, processes, ranks, slurms
from ganlit.refusals import MENDABLE, Parser, sentence
from ganlit.resume import Resume, compare
from ganlit.runs import claim, last_checkpoint, locked, trained
from ganlit.state import Recorder, ending, read, recorded
from ganlit.strategy import AdversarialDDP
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS

# Interpolations resolve once, after all files and overrides are merged, wherever in the tree they end up.
set_parsing_settings(omegaconf_absolute_to_relative_paths=True)

# A configuration may call every class of these packages by its short name, which needs their modules to be imported.
for module in pkgutil.walk_packages(ganlit.__path__, "ganlit."):
    if module.name.split(".")[1] in (
        "augment",
        "callbacks",
        "data",
        "loggers",
        "losses",
        "networks",
        "regularizers",
        "tasks",
    ):
        import_module(module.name)

USAGE = "%(prog)s --config FILE [--config OVERLAY ...] [--KEY VALUE ...]"

TRAINER_DEFAULTS = {
    "default_root_dir": "runs",
    "precision": "32-true",
    "max_epochs": -1,  # the budget is in kimg
    "devices": 1,  # the result of a config must not change with the machine
    "use_distributed_sampler": False,
    "num_sanity_val_steps": 0,
    "enable_checkpointing": False,
    "enable_model_summary": False,
}

ELSEWHERE = {  # flags of Lightning's that mean nothing to two players or to a length in images, and what to set instead
    "gradient_clip_val": "model.init_args.generator_clip and discriminator_clip",
    "accumulate_grad_batches": "model.init_args.accumulate",
    **dict.fromkeys(("max_epochs", "max_steps", "min_epochs", "min_steps", "max_time"), "--kimg"),
}
UNSET = {"accumulate_grad_batches": 1, "max_epochs": -1, "max_steps": -1}


class GanlitCLI(LightningCLI):
    """Lightning's command line with a run directory, a budget in kimg, one seed and measured fidelity."""

    def __init__(self, args: list[str] | None = None) -> None:
        with ExitStack() as self.holding:  # the run directory, while the command lasts
            super().__init__(
                AdversarialModule,
                GanDataModule,
                trainer_class=Lab,
                subclass_mode_model=True,
                subclass_mode_data=True,
                parser_class=Parser,
                parser_kwargs={
                    "prog": "python -m ganlit",
                    "description": ganlit.__doc__,
                    "parser_mode": "omegaconf+",
                    "allow_abbrev": False,
                    **{name: {"usage": USAGE} for name in self.subcommands()},
                },
                trainer_defaults=TRAINER_DEFAULTS,
                save_config_callback=None,
                auto_configure_optimizers=False,
                load_from_checkpoint_support=False,
                args=args,
            )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        lightnings = {name: skip for name, skip in LightningCLI.subcommands().items() if name != "predict"}
        return {**lightnings, "prepare": {"model", "datamodule"}}

    def setup_parser(self, *args: Any, **kwargs: Any) -> None:
        from ganlit.tools import add_tools  # not before: sweeps resolve configurations by this very module

        super().setup_parser(*args, **kwargs)
        add_tools(self.parser.commands)

    def add_default_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument(
            "--name", type=str | None, help="The run directory is runs/NAME; the first file's by default."
        )
        parser.add_argument(
            "--kimg", type=PositiveFloat, default=1000.0, help="Length in thousands of real images seen."
        )
        parser.add_argument("--seed", type=NonNegativeInt, default=0, help="Of weights, latents, noise and data order.")
        parser.add_argument("--fidelity", type=Fidelity | None, help="What is measured; null trains without measures.")
        parser.set_defaults({"fidelity": {"class_path": "ganlit.callbacks.fidelity.Fidelity"}})
        parser.add_argument(
            "--resume",
            type=Resume | bool,
            default=False,
            nargs="?",
            const=True,
            help="Go on with runs/NAME where it was left; with --resume.allow=KEY,... under other settings.",
        )
        parser.add_lightning_class_args(Recovery, "recovery")
        parser.add_argument("--wandb", type=WandbOptions | None, help="How W&B files the run; null does without.")
        parser.set_defaults({"wandb": {}})

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.link_arguments("seed", "model.init_args.seed", compute_fn=int)
        parser.link_arguments("seed", "data.init_args.seed", compute_fn=int)

    def parse_arguments(self, parser: LightningArgumentParser, args: list[str] | None) -> None:
        from ganlit.tools import called, underscored

        args = underscored(understood(sys.argv[1:] if args is None else args))
        if any(argument.startswith("--resume.") for argument in args):  # which says all that the flag says
            args = [argument for argument in args if argument != "--resume"]
        self.config = parser.parse_args(args)
        if called(self.config):
            parser.exit()

    def _parse_ckpt_path(self) -> None:
        """Lightning would read hyperparameters from the checkpoint; here config.yaml is their record."""

    def _set_seed(self) -> None:
        seed_everything(int(self.settings.seed), workers=True, verbose=False)

    @property
    def settings(self) -> Namespace:
        """The configuration of the chosen command."""
        return self.config[self.subcommand]

    @property
    def folder(self) -> Path:
        """The run directory."""
        return Path(self.settings.trainer.default_root_dir) / self.settings.name

    def before_instantiate_classes(self) -> None:
        self.began = time.monotonic()
        self.give_name()
        self.check_flags()
        settings = self.settings
        if self.subcommand == "fit":
            first = rank_zero_only.rank == 0
            if first:
                self.holding.enter_context(locked(self.folder, slurm.PATIENCE if slurm.restarted() else 0))
            self.resume()
            if first:
                claim(self.folder, settings.ckpt_path)
            self.recorder = Recorder(self.folder, settings.kimg, slurm.job(), first)
            self.holding.enter_context(recorded(self.recorder))
        elif self.subcommand == "prepare":
            return
        elif settings.fidelity is None:
            raise UserError(f"{self.subcommand} with fidelity: null has nothing to measure: leave the key out.")
        elif settings.ckpt_path is None:
            settings.ckpt_path = str(last_checkpoint(self.folder))
        if settings.ckpt_path is not None:
            whole(Path(settings.ckpt_path))

    def check_flags(self) -> None:
        """Refuses flags of the Trainer that would do nothing."""
        for flag, instead in ELSEWHERE.items():
            if (value := self.settings.trainer[flag]) not in (None, UNSET.get(flag)):
                raise UserError(f"trainer.{flag} is {value}: leave it out and set {instead}.")

    def give_name(self) -> None:
        """A run is called as its first file is, with W&B's id where W&B's agent starts many, unless it is named."""
        if self.settings.name is None:
            name = next((Path(file).stem for file in self._parser(self.subcommand).files), "unnamed")
            trial = agents_run()
            self.settings.name = f"{name}-{trial}" if trial else name

    def resume(self) -> None:
        """Finds the checkpoint to go on from, and compares the settings with those it was made under."""
        settings, asked = self.settings, self.settings.resume
        if asked or settings.ckpt_path == "last":
            found = trained(self.folder)
            settings.ckpt_path = str(last_checkpoint(self.folder)) if found else None
            say(f"resuming {settings.ckpt_path}" if found else f"nothing to resume in {self.folder}: starting")
        checkpoints = (self.folder / "checkpoints").resolve()
        if settings.ckpt_path is not None and Path(settings.ckpt_path).resolve().parent == checkpoints:
            allowed = [] if isinstance(asked, bool) else Resume(**asked.as_dict()).keys
            compare(self.folder, yaml.safe_load(self.dump()), allowed)
        state = read(self.folder) if asked else None
        if state is not None and state.phase == "done" and state.length >= settings.kimg:
            say(f"{self.folder} is done: raise --kimg above {state.length:g} to train it further")
            raise SystemExit

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        if self.subcommand == "prepare":
            return self.instantiate_preparing_trainer()
        given = {**self.config_init[self.subcommand].trainer, **kwargs}
        given["default_root_dir"] = self.folder
        given["precision"] = affordable(given["precision"], given["accelerator"])
        given["plugins"] = [DurableIO(), *slurms(), *(given["plugins"] or [])]
        given["devices"], given["num_nodes"] = ranks(given["devices"], given["num_nodes"], given["accelerator"])
        if given["strategy"] == "auto" and processes(given["devices"], given["accelerator"]) * given["num_nodes"] > 1:
            given["strategy"] = AdversarialDDP()
        given["callbacks"] = self.callbacks(given["enable_progress_bar"]) + list(given["callbacks"] or [])
        given["logger"] = self.loggers(given["logger"]) if self.subcommand == "fit" else False
        return Lab(**given)

    def instantiate_preparing_trainer(self) -> Lab:
        """One process on what there is: the login node that prepares has not the devices that will train."""
        config = self.config_init.prepare
        accelerator = "cpu" if config.trainer.accelerator == "cpu" else "auto"
        measures = [] if config.fidelity is None else [config.fidelity]
        off = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
        return Lab(accelerator=accelerator, devices=1, callbacks=measures, **off)

    def loggers(self, given: Any) -> list[Logger]:
        """Those of a run, which end with it, however it ends."""
        options = self.config_init.fit.wandb
        return self.holding.enter_context(ended(loggers(self.folder, yaml.safe_load(self.dump()), options, given)))

    def callbacks(self, bar: bool | None) -> list[Callback]:
        """Those of every run, in the order in which Lightning calls them: pictures come before slow measures."""
        self.fidelity: Fidelity | None = self.config_init[self.subcommand].fidelity
        measures = [] if self.fidelity is None else [self.fidelity]
        profile = Profile()
        progress = [] if bar is False else [Progress(self.settings.kimg, profile, self.fidelity)]
        if self.subcommand != "fit":
            return [*measures, *progress]
        self.checkpoints = Checkpoints(self.dump(), self.fidelity)
        return [
            Budget(self.settings.kimg),
            self.config_init.fit.recovery,
            Interrupt(self.checkpoints, lambda number: self.recorder.update(**ending(Stopped(number)))),
            Samples(),
            *measures,
            self.checkpoints,
            Balance(self.fidelity),
            profile,
            Record(self.recorder),
            *progress,
            Overview(self.fidelity),
        ]

    def dump(self) -> str:
        """The resolved configuration, from which `--config` repeats the run: where it resumed from is left out."""
        settings = self.settings.clone()
        settings.ckpt_path, settings.resume = None, False
        return self._parser(self.subcommand).dump(settings, skip_unset=False)

    def before_fit(self) -> None:
        players = [getattr(self.model, player) for player in PLAYERS]
        sizes = [f"{type(net).__name__} {sum(p.numel() for p in net.parameters()) / 1e6:.2f} M" for net in players]
        say(f"{self.settings.name}: {' against '.join(reversed(sizes))} parameters, {self.settings.kimg:g} kimg")
        say(f"run      {self.folder}: config.yaml, metrics.csv, checkpoints/, samples/; at the end overview.png")

    def fit(self, **kwargs: Any) -> None:
        with self.telling():
            self.trainer.fit(**kwargs)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Says where a run was stopped."""
        try:
            yield
        except (Stopped, SystemExit) as end:  # Lightning's answer to Ctrl-C before the first step is an exit
            at = (
                f"at {self.model.kimg:.1f} kimg; go on with --resume"
                if trained(self.folder)
                else "before the first step"
            )
            say(f"stopped {at}")
            raise Stopped(end.signal if isinstance(end, Stopped) else signal.SIGINT) from None

    def after_fit(self) -> None:
        if self.fidelity is not None:
            with self.telling():
                self.test(model=self.model, datamodule=self.datamodule)
        checkpoints = self.folder / "checkpoints"
        best = self.checkpoints
        say(f"done in {clock(time.monotonic() - self.began)}: {checkpoints / 'last.ckpt'}")
        if best.best is not None and (checkpoints / "best.ckpt").exists():
            score = shown((best.best_name, best.best))
            say(f"best     {checkpoints / 'best.ckpt'}: {score} at {best.best_kimg:.1f} kimg")
        say(f"pictures {self.folder / 'overview.png'}, {self.folder / 'samples'}")
        self.recorder.update(phase="done")  # before boards end, which may take minutes

    def validate(self, **kwargs: Any) -> None:
        self.report(self.trainer.validate(**{**kwargs, "verbose": False}))

    def test(self, **kwargs: Any) -> None:
        self.report(self.trainer.test(**{**kwargs, "verbose": False}))

    def report(self, results: list[Mapping[str, float]]) -> None:
        """Prints every measure with its protocol."""
        for name, value in results[0].items():
            if name != "kimg":
                say(f"{value:10.3f}  {name}")


class Resolution(GanlitCLI):
    """Reads a command line and stops there."""

    def before_instantiate_classes(self) -> None:
        self.give_name()
        self.check_flags()
        if self.settings.ckpt_path is not None:
            raise UserError("ckpt_path is given, which the configuration of a new run does not hold: leave it out.")

    def instantiate_classes(self) -> None:
        """Nothing is built."""

    def _run_subcommand(self, subcommand: str) -> None:
        """Nothing is run."""


def resolve(args: list[str]) -> str:
    """The whole configuration, as it would stand in config.yaml, of a `fit` with these arguments.

    Args:
        args: such as `["--config", "configs/dcgan.yaml", "--seed=3"]`.

    Raises:
        UserError: a key is unknown or a value does not fit.
    """
    return Resolution(["fit", *args]).dump()


def quieten() -> None:
    """Leaves only what a user can act on of what Lightning says."""
    ours = Path(ganlit.__file__).parent
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(
        lambda record: ours in Path(record.pathname).parents
    )
    logging.getLogger("lightning.fabric.utilities.distributed").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=PossibleUserWarning)
    warnings.filterwarnings("ignore", message=".*all_gather.* is deprecated.*")  # which Lightning calls
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # of torch, met inside Lightning
    warnings.filterwarnings("ignore", message=".*callbacks used to create the checkpoint.*")  # to measure needs fewer


def main(args: list[str] | None = None) -> int:
    """Runs a command; the exit code is 2 for an error that is the user's to mend, told in one line."""
    quieten()
    try:
        GanlitCLI(args)
    except MENDABLE as error:
        print(f"error: {sentence(error)}", file=sys.stderr)
        return 2
    except Stopped as stopped:
        return left(stopped.signal)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def left(number: int) -> int:
    """The exit code of a run that a signal has stopped; one that SLURM asked to make room is queued again first."""
    if rank_zero_only.rank:  # with another code, a launched process would be taken for a failure
        return 0
    if number != signals.ENDING:
        return 128 + number
    if (job := slurm.job()) is None:
        return slurm.REQUEUE
    try:
        slurm.requeue(job)
    except UserError as error:
        why = str(error).partition(": run this")[0]
        say(f"job {job} cannot queue itself again ({why}); exit code {slurm.REQUEUE} asks for it")
        return slurm.REQUEUE
    say(f"job {job} is queued again")
    return 0
