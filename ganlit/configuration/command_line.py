"""What a command line and its files ask for: `python -m ganlit fit | validate | test`, parsed and checked."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from jsonargparse import Namespace
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

import ganlit
from ganlit.callbacks.fidelity import Fidelity
from ganlit.callbacks.loggers.wandb import WandbOptions, agents_run, understood
from ganlit.callbacks.recovery import Recovery
from ganlit.configuration import building  # noqa: F401, by which classes are built
from ganlit.configuration.inheritance import KEYS, Inheritance
from ganlit.configuration.manual import MANUAL, PURPOSES
from ganlit.configuration.names import import_named
from ganlit.configuration.parser import Parser
from ganlit.configuration.references import kept, refuse_open
from ganlit.configuration.refusals import refused
from ganlit.data.base import GanDataModule
from ganlit.errors import UserError, within
from ganlit.metrics.pruning import EarlyTerminate
from ganlit.records.moved import current
from ganlit.records.resume import Resume
from ganlit.records.runs import trained
from ganlit.tasks.base import AdversarialModule

import_named()

USAGE = "%(prog)s --config FILE [--config OVERLAY ...] [--KEY VALUE ...]"


def said(command: str) -> dict[str, str | None]:
    """What the help of a command says beside its options; its purpose is that of its method, if it says none."""
    purpose = {"description": PURPOSES[command]} if command in PURPOSES else {}
    return {"usage": USAGE, "epilog": MANUAL.get(command), **purpose}


def typed(args: list[str]) -> list[str]:
    """Words as people type them, with None for null.

    Raises:
        UserError: a reference is typed, which only files can hold.
    """
    found: list[str] = []
    for word in args:
        if any("\ud800" <= letter <= "\udfff" for letter in word):
            raise UserError(f"{word!a} holds bytes that are no UTF-8: rename it, or set LC_ALL=C.UTF-8.")
        option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
        if "${" in value and not value.lstrip().startswith("{"):
            raise UserError(f"{word} holds a reference, which is filled in where a file holds it: write it into one.")
        if value == "None":
            value = "null"
        found.append(f"{option}{equals}{value}")
    return found


def named(value: object) -> str | None:
    """A name as it was typed.

    Raises:
        UserError: to YAML it is something else, so that no config.yaml could give it back.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise UserError(f"name is {value} to YAML: give a name that it does not read as something else, such as run-1.")


def is_record(file: str) -> bool:
    """Whether a file is what a run has written of its settings."""
    return Path(file).name == "config.yaml"


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
ELSEWHERE |= {
    **dict.fromkeys(("limit_train_batches", "fast_dev_run", "overfit_batches", "barebones"), "a short --kimg"),
    **dict.fromkeys(("val_check_interval", "check_val_every_n_epoch"), "data.init_args.tick"),
    **dict.fromkeys(("limit_val_batches", "num_sanity_val_steps"), "data.init_args.val_images"),
    **dict.fromkeys(("limit_test_batches", "limit_predict_batches"), "data.init_args.test_images"),
}
UNSET = {
    "accumulate_grad_batches": 1,
    "max_epochs": -1,
    "max_steps": -1,
    "check_val_every_n_epoch": 1,
    "fast_dev_run": False,
    "overfit_batches": 0.0,
    "barebones": False,
    "num_sanity_val_steps": 0,
}
ACCELERATORS = ("auto", "cpu", "gpu", "cuda")
STRATEGIES = ("auto", "adversarial_ddp", "ddp", "ddp_find_unused_parameters_true", "ddp_find_unused_parameters_false")
"""What is asked for as ddp, as Lightning's users do, is ganlit's own, which two players need."""


class Configured(Parser, LightningArgumentParser):
    """Takes classes of modules, data and callbacks, too."""


class CommandLine(LightningCLI):
    """Lightning's command line with a name, a budget in kimg, one seed and measured fidelity.

    Args:
        args: words; those of this process by default.
        trainer_class: whose methods are the commands.
    """

    def __init__(self, args: list[str] | None = None, trainer_class: type[Trainer] = Trainer) -> None:
        super().__init__(
            AdversarialModule,
            GanDataModule,
            trainer_class=trainer_class,
            subclass_mode_model=True,
            subclass_mode_data=True,
            parser_class=Configured,
            parser_kwargs={
                "prog": "python -m ganlit",
                "description": f"{ganlit.__doc__} --trust MODULE,... lets files name what is in modules of yours.",
                "parser_mode": "omegaconf+",
                "allow_abbrev": False,
                **{name: said(name) for name in self.subcommands()},
            },
            trainer_defaults=TRAINER_DEFAULTS,
            save_config_callback=None,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            args=args,
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        return {name: skip for name, skip in LightningCLI.subcommands().items() if name != "predict"}

    def add_default_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--name", type=named, help="The run directory is runs/NAME; the first file's by default.")
        parser.add_argument("--kimg", type=float, default=1000.0, help="Length in thousands of real images seen.")
        parser.add_argument("--seed", type=int, default=0, help="Of weights, latents, noise and data order.")
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
        parser.add_argument("--from", type=str | None, help="Begin with the networks of a run, or with weights.")
        patterns = str | list[str] | None
        parser.add_argument("--train", type=patterns, help="Parts that learn, as generator.decoder; others are frozen.")
        parser.add_argument("--fresh", type=patterns, help="Parts that begin anew instead of coming from there.")
        parser.add_argument(
            "--from_optimizers", type=bool, default=False, nargs="?", const=True, help="Take moments over, too."
        )
        parser.add_lightning_class_args(Recovery, "recovery")
        parser.add_argument(
            "--early_terminate",
            type=EarlyTerminate | None,
            help="When a trial ends that is worse than those beside it.",
        )
        parser.add_argument("--wandb", type=WandbOptions | None, help="How W&B files the run; null does without.")
        parser.set_defaults({"wandb": {}})

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.link_arguments("seed", "model.init_args.seed", compute_fn=int)
        parser.link_arguments("seed", "data.init_args.seed", compute_fn=int)

    def parse_arguments(self, parser: LightningArgumentParser, args: list[str] | None) -> None:
        args = typed([current(argument) for argument in understood(sys.argv[1:] if args is None else args)])
        if any(argument.startswith("--resume.") for argument in args):  # which says all that the flag says
            args = [argument for argument in args if argument != "--resume"]
        self.config = parser.parse_args(args)

    def _parse_ckpt_path(self) -> None:
        """Lightning would read hyperparameters from the checkpoint; here config.yaml is their record."""

    def _set_seed(self) -> None:
        within("seed", self.settings.seed, least=0, below=2**32)
        seed_everything(int(self.settings.seed), workers=True, verbose=False)

    @property
    def settings(self) -> Namespace:
        """The configuration of the chosen command."""
        return self.config[self.subcommand]

    @property
    def folder(self) -> Path:
        """The run directory."""
        return Path(self.settings.trainer.default_root_dir) / self.settings.name

    def instantiate_classes(self) -> None:
        try:
            super().instantiate_classes()
        except (ValueError, TypeError) as error:
            raise refused(error) or error from None

    def before_instantiate_classes(self) -> None:
        self.give_name()
        refuse_open(self.settings)
        self.check_flags()
        self.inheritance = Inheritance.of(self.settings)

    def give_name(self) -> None:
        """A run is called as its first file is, with W&B's id where W&B's agent starts many, unless it is named."""
        if self.settings.name is None:
            name = next((Path(file).stem for file in self._parser(self.subcommand).files), "unnamed")
            trial = agents_run()
            self.settings.name = f"{name}-{trial}" if trial else name
        name = self.settings.name
        if not name.isprintable() or not name.strip() or Path(name).is_absolute() or {"..", "."} & {*name.split("/")}:
            raise UserError(
                f"name is {name!r}: give the name of a folder below {self.settings.trainer.default_root_dir}."
            )
        self.find_place()

    def find_place(self) -> None:
        """A run's own config.yaml goes on with the run beside it, wherever the command is typed."""
        beside = [Path(file).absolute().parent for file in self._parser(self.subcommand).files if is_record(file)]
        here = [place for place in beside if place.name == self.settings.name and trained(place)]
        if here and not trained(self.folder):
            self.settings.trainer.default_root_dir = str(here[-1].parent)

    def check_flags(self) -> None:
        """Refuses flags of the Trainer that would do nothing, and what two players cannot be trained by."""
        given = self.settings.trainer
        for flag, instead in ELSEWHERE.items():
            if (value := given[flag]) not in (None, UNSET.get(flag)):
                raise UserError(f"trainer.{flag} is {value}: leave it out and set {instead}.")
        for flag, known in {"accelerator": ACCELERATORS, "strategy": STRATEGIES}.items():
            if isinstance(value := given[flag], str) and value not in known:
                raise UserError(f"trainer.{flag} is {value}: it must be one of {', '.join(known)}.")
        if given.strategy in STRATEGIES:
            given.strategy = "auto"
        if given.default_root_dir is None or "://" in str(given.default_root_dir):
            shown = given.default_root_dir or "null"
            raise UserError(f"trainer.default_root_dir is {shown}: name a folder of this machine, such as runs.")
        within("kimg", self.settings.kimg, above=0, most=1e9)
        within("trainer.num_nodes", given.num_nodes, least=1)

    def dump(self) -> str:
        """The configuration from which `--config` repeats the run, filled in.

        Where it resumed from is left out, and so is what would take nothing over from another run, or end nothing.
        """
        settings = self.settings.clone()
        settings.ckpt_path, settings.resume = None, False
        for key in (*KEYS, "early_terminate"):
            if not settings[key]:
                del settings[key]
        text = self._parser(self.subcommand).dump(settings, skip_unset=False)
        if not self.parser.written:
            return text
        written = yaml.safe_load(self.parser.written)[self.subcommand]
        return yaml.safe_dump(kept(yaml.safe_load(text), written), sort_keys=False, allow_unicode=True)
