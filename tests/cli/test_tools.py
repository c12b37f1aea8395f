from __future__ import annotations

from inspect import Parameter, getdoc, signature
from pkgutil import resolve_name
from string import digits as DIGITS
from typing import Any

import pytest
from jsonargparse import ActionSubCommands, ArgumentParser

from ganlit.callbacks.fidelity import Fidelity
from ganlit.cli.check import check
from ganlit.cli.tools import CONFIGURED, GROUPS, OF_KINDS, TOOLS, of_kinds, parser, underscored
from ganlit.configuration.names import modalities, own_options
from ganlit.configuration.outline import outline, purpose
from ganlit.data.audio.published import SETS
from ganlit.metrics.groups import called, kinds
from ganlit.studies.evaluation.evaluate import evaluate


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("sweep submit F --max-parallel 8", "sweep submit F --max_parallel=8"),
        ("sweep submit --dry-run F", "sweep submit --dry_run=true F"),
        (
            "sweep retry --failed true F --diverged --preempted false",
            "sweep retry --failed=true F --diverged=true --preempted=false",
        ),
        ("sweep submit F --sbatch --gpu-bind=none", "sweep submit F --sbatch=--gpu-bind=none"),
        ("sweep submit F --sbatch=--gpu-bind=none", "sweep submit F --sbatch=--gpu-bind=none"),
        ("sweep submit F --sbatch --max-parallel=8", "sweep submit F --sbatch=--max-parallel=8"),
        ("sweep submit F --partition --dry-run", "sweep submit F --partition --dry_run=true"),
        ("sweep submit F --max-paralel 8", "sweep submit F --max-paralel 8"),
        ("data check --skip-this photos", "data check --skip-this photos"),
        ("fit --some-key 8", "fit --some-key 8"),
        ("sweep --help", "sweep --help"),
        ("", ""),
    ],
)
def test_options_of_tools_are_understood(given: str, taken: str) -> None:
    assert underscored(given.split()) == taken.split()


def test_a_value_may_be_many_words() -> None:
    value = "--gpu-bind=none\n--max-parallel 3"
    assert underscored(["sweep", "submit", "--sbatch", value]) == ["sweep", "submit", f"--sbatch={value}"]
    assert underscored(["sweep", "submit", f"--sbatch={value}"]) == ["sweep", "submit", f"--sbatch={value}"]


@pytest.mark.parametrize("told", [Fidelity, evaluate])
def test_every_metric_is_named_where_they_are_asked_for(told: Any) -> None:
    words = {word.strip(",.;:").rstrip(DIGITS) for word in told.__doc__.split()}
    assert not {name.rstrip(DIGITS) for name in (*kinds(), *called())} - words  # bleu4 tells that there is a bleu2


def test_every_set_of_recordings_is_named_where_data_are_checked() -> None:
    (source,) = (line for line in check.__doc__.replace("\n            ", " ").splitlines() if "source:" in line)
    assert "recordings" in source
    assert all(name in source for name in SETS)


def taken(tool: Any) -> list[Parameter]:
    """What a function takes, with what its annotations stand for."""
    return [one for one in signature(tool, eval_str=True).parameters.values() if one.kind != Parameter.VAR_KEYWORD]


@pytest.mark.parametrize("path", TOOLS.values())
def test_the_outline_of_a_tool_is_that_of_its_function(path: str) -> None:
    assert taken(outline(path)) == taken(resolve_name(path))
    assert outline(path).__doc__ == resolve_name(path).__doc__


@pytest.mark.parametrize("words", OF_KINDS)
def test_a_tool_has_the_options_of_all_kinds_of_data(words: str) -> None:
    method = OF_KINDS[words]
    known = {name for kind in modalities() if ".data." in type(kind).__module__ for name in own_options(kind, method)}
    for path in of_kinds(words):
        owner, _, _ = path.rpartition(".")
        kind = resolve_name(owner)()
        own = own_options(kind, method)
        outlined = {one.name: one for one in taken(outline(path, optional=True))}
        whole = {one.name: one.replace(kind=Parameter.KEYWORD_ONLY) for one in taken(getattr(kind, method))}
        assert outlined == {name: whole[name] for name in own}
        known -= own.keys()
    assert not known


def test_purposes_are_those_of_the_commands() -> None:
    from ganlit.cli.commands import GanlitCLI

    assert CONFIGURED.keys() == GanlitCLI.subcommands().keys()
    assert all(CONFIGURED[name] == purpose(f"ganlit.cli.lab.Lab.{name}") for name in ("prepare", "audit"))


def test_the_overview_says_of_each_command_what_it_does() -> None:
    def shown(whole: ArgumentParser) -> dict[str, str]:
        commands = next(action for action in whole._actions if isinstance(action, ActionSubCommands))
        told = {action.dest: action.help for action in commands._choices_actions}
        return told | {
            f"{group} {name}": says
            for group in GROUPS.keys() & told.keys()
            for name, says in shown(commands.choices[group]).items()
        }

    expected = {words: getdoc(resolve_name(path)).splitlines()[0] for words, path in TOOLS.items()}
    assert shown(parser()).items() >= expected.items()
