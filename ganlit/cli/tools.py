"""The commands beside training: those that need neither a module nor a Trainer of their own."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from inspect import Parameter, getdoc, signature
from typing import Any

from jsonargparse import ActionSubCommands, Namespace

from ganlit.cli.check import check, check_configured
from ganlit.configuration.manual import MANUAL
from ganlit.configuration.names import modalities, own_options
from ganlit.configuration.parser import Parser
from ganlit.studies.dashboard.dashboard import dashboard
from ganlit.studies.diagnosis.diagnose import diagnose
from ganlit.studies.evaluation.encode import decode, encode
from ganlit.studies.evaluation.evaluate import evaluate
from ganlit.studies.evaluation.generate import generate
from ganlit.studies.evaluation.translate import translate
from ganlit.studies.report.report import report
from ganlit.studies.sweeps import commands as sweep

TOOLS: dict[str, Callable[..., None]] = {
    "generate": generate,
    "translate": translate,
    "encode": encode,
    "decode": decode,
    "evaluate": evaluate,
    "report": report,
    "diagnose": diagnose,
    "dashboard": dashboard,
    "data check": check,
    "sweep run": sweep.run,
    "sweep submit": sweep.submit,
    "sweep status": sweep.status,
    "sweep retry": sweep.retry,
    "sweep propose": sweep.propose,
}

OF_MODALITIES: dict[Callable[..., None], str] = {check: "check", translate: "bring", encode: "bring"}
"""Tools that take options of the kinds of data, and the method of a Modality whose they are."""

GROUPS = {"data": "Look after datasets.", "sweep": "Ask one question of many runs."}


def add_tools(commands: ActionSubCommands) -> None:
    """Gives a parser every tool, with the parameters of its function."""
    groups: dict[str, ActionSubCommands] = {}
    for words, tool in TOOLS.items():
        group, _, name = words.rpartition(" ")
        if group and group not in groups:
            parser = Parser(description=GROUPS[group], epilog=MANUAL.get(group))
            commands.add_subcommand(group, parser, help=GROUPS[group])
            groups[group] = parser.add_subcommands()
        purpose = getdoc(tool).splitlines()[0]
        parser = Parser(description=purpose, epilog=MANUAL.get(words))
        parser.add_function_arguments(tool, as_positional=True)
        for kind in modalities() if (method := OF_MODALITIES.get(tool)) else ():
            there = {action.dest for action in parser._actions}  # two kinds may call an option alike
            others = signature(getattr(kind, method)).parameters.keys() - own_options(kind, method).keys()
            parser.add_method_arguments(type(kind), method, skip=others | there, as_group=False)
        for action in parser._actions:
            if action.default is False:
                action.nargs, action.const = "?", True  # which --help shows
        groups.get(group, commands).add_subcommand(name, parser, help=purpose)


OPTION = re.compile(r"--([a-z][a-z_-]*)(=.*)?", re.DOTALL)


def underscored(args: list[str]) -> list[str]:
    """The same arguments as jsonargparse takes them.

    A tool's option may be written with hyphens, as `--max-parallel 8`; its value may begin with some, as in
    `--sbatch --exclusive`; and one that is true or false needs no value, wherever it stands: `--dry-run FOLDER`.
    """
    words = next((words.split() for words in TOOLS if args[: len(words.split())] == words.split()), None)
    if words is None:
        return args
    tool = TOOLS[" ".join(words)]
    parameters = [*signature(tool).parameters.values()]
    if method := OF_MODALITIES.get(tool):
        parameters += [one for kind in modalities() for one in own_options(kind, method).values()]
    known = {one.name: one.default is False for one in parameters if one.default is not Parameter.empty}
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


CONFIGURED = re.compile(r"(--config|-c)(=.*)?", re.DOTALL)


def called_by_words(args: list[str]) -> bool:
    """Calls the tool that reads a configuration, if a command line asks for it: what else it holds is of `fit`."""
    if args[:2] != ["data", "check"] or not any(map(CONFIGURED.fullmatch, args)):
        return False
    check_configured(args[2:])
    return True


def called(config: Namespace) -> bool:
    """Calls the tool that a command line has chosen, if it has."""
    for words, tool in TOOLS.items():
        arguments: Any = config.get(words.replace(" ", "."))
        if arguments is not None:
            tool(**arguments.as_dict())
            return True
    return False
