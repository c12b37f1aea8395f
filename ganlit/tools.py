"""The commands beside training: those that need neither a module nor a Trainer of their own."""

from __future__ import annotations

from collections.abc import Callable
from inspect import getdoc
from typing import Any

from jsonargparse import ActionSubCommands, Namespace

from ganlit.dashboard.dashboard import dashboard
from ganlit.data.check import check
from ganlit.evaluation.evaluate import evaluate
from ganlit.generate import generate
from ganlit.refusals import Parser
from ganlit.report.report import report
from ganlit.sweeps import commands as sweep

TOOLS: dict[str, Callable[..., None]] = {
    "generate": generate,
    "evaluate": evaluate,
    "report": report,
    "dashboard": dashboard,
    "data check": check,
    "sweep run": sweep.run,
    "sweep submit": sweep.submit,
    "sweep status": sweep.status,
    "sweep retry": sweep.retry,
    "sweep propose": sweep.propose,
}

GROUPS = {"data": "Look after datasets.", "sweep": "Ask one question of many runs."}


def add_tools(commands: ActionSubCommands) -> None:
    """Gives a parser every tool, with the parameters of its function."""
    groups: dict[str, ActionSubCommands] = {}
    for words, tool in TOOLS.items():
        group, _, name = words.rpartition(" ")
        if group and group not in groups:
            parser = Parser(description=GROUPS[group])
            commands.add_subcommand(group, parser, help=GROUPS[group])
            groups[group] = parser.add_subcommands()
        purpose = getdoc(tool).splitlines()[0]
        parser = Parser(description=purpose)
        parser.add_function_arguments(tool, as_positional=True)
        for action in parser._actions:
            if action.default is False:  # `--dry-run` says `--dry-run true`
                action.nargs, action.const = "?", True
        groups.get(group, commands).add_subcommand(name, parser, help=purpose)


def underscored(args: list[str]) -> list[str]:
    """The same arguments, where a tool's option may be written with hyphens: `--max-parallel` is `--max_parallel`."""
    if not args or args[0] not in {words.split()[0] for words in TOOLS}:
        return args
    return [_underscored(argument) if argument.startswith("--") else argument for argument in args]


def _underscored(option: str) -> str:
    name, equals, value = option[2:].partition("=")
    return f"--{name.replace('-', '_')}{equals}{value}"


def called(config: Namespace) -> bool:
    """Calls the tool that a command line has chosen, if it has."""
    for words, tool in TOOLS.items():
        arguments: Any = config.get(words.replace(" ", "."))
        if arguments is not None:
            tool(**arguments.as_dict())
            return True
    return False
