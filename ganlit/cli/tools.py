"""The commands, of which those beside training need neither a module nor a Trainer of their own.

What they take is read from their files, so that a command imports what it uses, and none what another one does.
"""

from __future__ import annotations

import re
from collections import deque
from inspect import signature
from pkgutil import resolve_name

from jsonargparse import ActionConfigFile, ActionSubCommands, Namespace

import ganlit
from ganlit.configuration.manual import MANUAL, PURPOSES
from ganlit.configuration.names import foreign, own_options
from ganlit.configuration.outline import kinds, outline, purpose
from ganlit.configuration.parser import Parser

CONFIGURED = {
    **PURPOSES,
    **{name: purpose(f"ganlit.cli.lab.Lab.{name}") for name in ("prepare", "audit")},
}
"""Lightning's commands, which take a whole configuration: `ganlit.cli.commands`."""

TOOLS = {
    "generate": "ganlit.studies.evaluation.generate.generate",
    "translate": "ganlit.studies.evaluation.translate.translate",
    "encode": "ganlit.studies.evaluation.encode.encode",
    "decode": "ganlit.studies.evaluation.encode.decode",
    "evaluate": "ganlit.studies.evaluation.evaluate.evaluate",
    "report": "ganlit.studies.report.report.report",
    "diagnose": "ganlit.studies.diagnosis.diagnose.diagnose",
    "tradeoff": "ganlit.studies.tradeoff.tradeoff.tradeoff",
    "dashboard": "ganlit.studies.dashboard.dashboard.dashboard",
    "data check": "ganlit.cli.check.check",
    "latent adopt": "ganlit.studies.latent.adopt.adopt",
    "latent interpolate": "ganlit.studies.latent.interpolate.interpolate",
    "latent truncate": "ganlit.studies.latent.truncate.truncate",
    "latent mix": "ganlit.studies.latent.mix.mix",
    "latent directions": "ganlit.studies.latent.directions.directions",
    "latent project": "ganlit.studies.latent.project.project",
    "latent resemble": "ganlit.studies.latent.resemble.resemble",
    "latent saliency": "ganlit.studies.latent.saliency.saliency",
    "latent dissect": "ganlit.studies.latent.dissect.dissect",
    "latent disentangle": "ganlit.studies.latent.disentangle.disentangle",
    "latent spectrum": "ganlit.studies.latent.spectrum.spectrum",
    "latent page": "ganlit.studies.latent.page.page",
    "explore": "ganlit.studies.explore.explore.explore",
    "sweep run": "ganlit.studies.sweeps.commands.run",
    "sweep submit": "ganlit.studies.sweeps.commands.submit",
    "sweep status": "ganlit.studies.sweeps.commands.status",
    "sweep retry": "ganlit.studies.sweeps.commands.retry",
    "sweep propose": "ganlit.studies.sweeps.commands.propose",
}

OF_KINDS = {"data check": "check", "translate": "bring", "encode": "bring", "latent project": "bring"}
"""Tools that take options of the kinds of data, and the method of a Modality whose they are."""

GROUPS = {
    "data": "Look after datasets.",
    "latent": "See what a generator's latent space knows.",
    "sweep": "Ask one question of many runs.",
}


def parser() -> Parser:
    """That of the whole command line, in which the tools have their parameters."""
    whole = Parser(
        prog="python -m ganlit",
        description=f"{ganlit.__doc__} --trust MODULE,... lets files name what is in modules of yours.",
        parser_mode="omegaconf+",
        allow_abbrev=False,
    )
    whole.add_argument(
        "-c", "--config", action=ActionConfigFile, help="Path to a configuration file in json or yaml format."
    )
    commands = whole.add_subcommands()
    for word, told in CONFIGURED.items():
        commands.add_subcommand(word, Parser(description=told), help=told)
    add_tools(commands)
    return whole


def add_tools(commands: ActionSubCommands) -> None:
    """Gives a parser every tool, with the parameters of its function."""
    groups: dict[str, ActionSubCommands] = {}
    for words, path in TOOLS.items():
        group, _, name = words.rpartition(" ")
        if group and group not in groups:
            parser = Parser(description=GROUPS[group], epilog=MANUAL.get(group))
            commands.add_subcommand(group, parser, help=GROUPS[group])
            groups[group] = parser.add_subcommands()
        told = purpose(path)
        parser = Parser(description=told, epilog=MANUAL.get(words))
        parser.add_function_arguments(outline(path), as_positional=True)
        for method in of_kinds(words):
            there = {action.dest for action in parser._actions}  # two kinds may call an option alike
            parser.add_function_arguments(outline(method, optional=True), skip=there, as_group=False)
        for kind in foreign() if words in OF_KINDS else ():
            method, there = OF_KINDS[words], {action.dest for action in parser._actions}
            others = signature(getattr(kind, method)).parameters.keys() - own_options(kind, method).keys()
            parser.add_method_arguments(type(kind), method, skip=others | there, as_group=False)
        for action in parser._actions:
            if action.default is False:
                action.nargs, action.const = "?", True  # which --help shows
        groups.get(group, commands).add_subcommand(name, parser, help=told)


def of_kinds(words: str) -> list[str]:
    """The paths of what of the kinds of data gives a tool more options."""
    return [*kinds(OF_KINDS[words])] if words in OF_KINDS else []


OPTION = re.compile(r"--([a-z][a-z_-]*)(=.*)?", re.DOTALL)


def underscored(args: list[str]) -> list[str]:
    """The same arguments as jsonargparse takes them.

    A tool's option may be written with hyphens, as `--max-parallel 8`; its value may begin with some, as in
    `--sbatch --exclusive`; and one that is true or false needs no value, wherever it stands: `--dry-run FOLDER`.
    """
    words = next((words.split() for words in TOOLS if args[: len(words.split())] == words.split()), None)
    if words is None:
        return args
    paths = [TOOLS[" ".join(words)], *of_kinds(" ".join(words))]
    parameters = [one for path in paths for one in signature(outline(path, optional=True)).parameters.values()]
    for kind in foreign() if (method := OF_KINDS.get(" ".join(words))) else ():
        parameters += own_options(kind, method).values()
    known = {one.name: one.default is False for one in parameters}
    found, rest = words, deque(args[len(words) :])
    while rest:
        word = rest.popleft()
        option = OPTION.fullmatch(word)
        name = option[1].replace("-", "_") if option else None
        if name not in known:
            found.append(word)
        elif option[2] is not None:
            found.append(f"--{name}{option[2]}")
        elif known[name]:
            found.append(f"--{name}={rest.popleft() if rest and rest[0].lower() in ('true', 'false') else 'true'}")
        elif rest and rest[0].removeprefix("--").replace("-", "_") not in known:
            found.append(f"--{name}={rest.popleft()}")
        else:  # its value was forgotten, of which the parser tells
            found.append(f"--{name}")
    return found


BY_CONFIGURATION = re.compile(r"(--config|-c)(=.*)?", re.DOTALL)


def call(args: list[str]) -> None:
    """Calls the tool that a command line asks for.

    Raises:
        UserError: it asks for none, or for what that does not take.
        SystemExit: it asks for help.
    """
    if args[:2] == ["data", "check"] and any(map(BY_CONFIGURATION.fullmatch, args)):  # what else it holds is of `fit`
        resolve_name("ganlit.cli.look.check_configured")(args[2:])
        return
    chosen = parser().parse_args(underscored(args))
    for words, path in TOOLS.items():
        arguments: Namespace | None = chosen.get(words.replace(" ", "."))
        if arguments is not None:
            resolve_name(path)(**arguments.as_dict())


def configured(args: list[str]) -> bool:
    """Whether a command line asks for one of Lightning's commands; another one may have a word that is called so."""
    commands = {*CONFIGURED, *(words.split()[0] for words in TOOLS)}
    return next((word for word in args if word in commands), None) in CONFIGURED
