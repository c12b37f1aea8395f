"""What the command line says when it refuses a configuration: one sentence, the full key, the nearest known one.

jsonargparse explains itself over many lines, nested by class; the path, the reason and the value are read out of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches

from jsonargparse import ArgumentParser
from omegaconf.errors import OmegaConfBaseException

from ganlit.configuration.names import known_classes
from ganlit.errors import UserError
from ganlit.records.trust import imported, refusal

LIGHTNINGS = "MisconfigurationException"
"""By its name: Lightning is not there for every command."""
UNFIT = "in loading state_dict"

STEP = re.compile(
    r"""Parser key "(?P<key>[^"]+)"|given class_path '(?P<owner>[^']+)'"""
    r"""|callable class: (?=[OPt])(?=(?s:.*?)Got value: Namespace\(class_path='(?P<callable>[^']+)')"""
)
UNKNOWN = re.compile(
    r"Option '([^']+)' is not accepted|not accept option '([^']+)'|unrecognized arguments: --([^\s=]+)"
)
ABSTRACT = re.compile(r"Expected an instantiatable class, but (.+? is|is) abstract")
OTHER_KIND = re.compile(r"correspond to a subclass of (\w+)|to be a subclass of <class '(?:[\w.]*\.)?(\w+)'>")
FUNCTION = re.compile(r"Expected '(\S+)' to be a function|unexpected keyword argument '(linked_targets)'")
REPEATED = re.compile(r"(\.init_args)+:")
LONGEST = 400
"""Characters of a sentence; what it is about may be longer."""
NOISE = ("Expected a path", "Expected a <class 'NoneType'>", "Problem with given")
COUNT = re.compile(r"Expected (a tuple with \d+ elements)")
STRAY = re.compile(r"unrecognized arguments: (\S+)")
MISSING = re.compile(r"the following arguments are required: (.+)")
COMMAND = re.compile(
    r"(fit|validate|test|prepare|audit|generate|translate|encode|decode|evaluate|report|dashboard|data.check"
    r"|sweep.[a-z]+)[.]"
)
CLASS = re.compile(
    r"Expected a dot import path string: (\S+)|Unexpected import path format: (\S[^\n]*?)(?:\. Got|$)"
    r"|module '\S+' has no attribute '(\w+)'"
)
DENIED = re.compile(r"Importing '([^']+)' is not allowed")
TYPE = re.compile(r"Expected (?:an? )?<class '([^']+)'>|Expected an? (?:typing\.)?(Literal\[.+?\]|List|Tuple|Dict)")
WRAPPED = re.compile(r"^\w+ raised while resolving interpolation: ")
VALUE = re.compile(r"(?:Got|Given) value: (.*)")


def refused(error: BaseException | None) -> UserError | None:
    """The sentence of ours that libraries have wrapped into theirs, if there is one."""
    open_, seen = [error], set[int]()
    while open_:
        each = open_.pop(0)
        if isinstance(each, UserError):
            return each
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            open_ += [each.__cause__, each.__context__]
    return None


def explain(message: str, keys: Collection[str]) -> str:
    """One sentence for a message of jsonargparse.

    Args:
        message: several lines of text.
        keys: the known keys of the top level, dotted inside its groups.
    """
    return REPEATED.sub(":", _explained(message, keys), count=1).removeprefix(": ")[:LONGEST]


def _explained(message: str, keys: Collection[str]) -> str:
    path, owner = _place(message)
    if (denied := _found(DENIED, message)) and denied.endswith((".yaml", ".yml", ".json")):
        return f"{path}: there is no file {denied}"
    if denied:
        return f"{path}: {refusal(denied)}"
    inside = f"{path}." if path else ""
    if unknown := _found(UNKNOWN, message):
        if unknown.split(".")[0].isdecimal():
            return (
                f"{path}: a part of a list is not set by its number; without {unknown.split('.')[0]}, the last one is"
            )
        known = _parameters(owner) if owner else set(keys)
        return f"unknown key {inside}{unknown}{_nearest(unknown, known - {unknown}, inside)}"
    if stray := _found(STRAY, message):
        return f"unexpected argument {stray}: a configuration file is given as --config FILE"
    if missing := _found(MISSING, message):
        return f"missing key {inside}{COMMAND.sub('', missing).partition('. Got value')[0]}"
    if "Not a valid subclass" in message:
        return f"{path}: expected class_path and init_args, and nothing beside them"
    given = (_found(VALUE, message) or "").partition(". Got value")[0]
    if abstract := _found(ABSTRACT, message):
        name = abstract.removesuffix("is").strip() or given
        return f"{path}: {name} is abstract, so there is nothing to build: name a class that implements it"
    if kind := _found(OTHER_KIND, message):
        return f"{path}: what is named there is no {kind}: {given}"
    if count := _found(COUNT, message):
        return f"{path}: expected {count}, got {given}"
    types = [(match[1] or match[2]).rpartition("abc.")[2] for match in TYPE.finditer(message)]
    types = [name for name in dict.fromkeys(types) if name != "NoneType"]
    if (name := _found(CLASS, message)) and "float" not in types:
        return f"{path}: no class {name} fits here{_nearest(name, known_classes() - {name}, '')}"
    if types:
        return f"{path}: expected {' or '.join(types)}, got {given}"
    if function := _found(FUNCTION, message):
        return f"{path}: {function if function != 'linked_targets' else given} is a function: name a class"
    lines = [line.strip(" -") for line in message.splitlines() if line.strip().startswith("- ")]
    told = [line for line in lines if not line.startswith(NOISE)]
    rest = told[-1] if told else message.rpartition(f'"{path}":')[2]
    return f"{path}: {' '.join(rest.partition('. Got value')[0].partition('Given value')[0].split())}"


def sentence(error: Exception) -> str:
    """What to tell the user of an error.

    Raises:
        Exception: the one given, where it is not the user's to mend.
    """
    text = str(error)
    unfit = isinstance(error, RuntimeError) and UNFIT in text
    named = LIGHTNINGS in (kind.__name__ for kind in type(error).__mro__)
    if not (unfit or named or isinstance(error, UserError | OmegaConfBaseException)):
        raise error
    if isinstance(error, OmegaConfBaseException):  # a ${key} that leads nowhere
        command, _, key = str(error.full_key).partition(".")
        text = f"{key}: {WRAPPED.sub('', text.splitlines()[0])}".replace(f"{command}.", "")
    elif unfit:
        text = f"--ckpt_path does not fit the configuration: {' '.join(text.splitlines()[:2])}"
    return " ".join(text.split())


def _place(message: str) -> tuple[str, str | None]:
    """The dotted path of the trouble, and the class one of whose parameters it is about."""
    path: list[str] = []
    owner = None
    for step in STEP.finditer(message):
        if step["key"]:
            path.append(step["key"])
        else:
            owner = step["owner"] or step["callable"]
            implied = f"<class '{owner}'>" in message  # where only one class fits, its name and init_args are left out
            path += [] if implied else ["init_args"]
    return ".".join(path), owner


def _found(pattern: re.Pattern[str], message: str) -> str | None:
    """The first group that matched, at the first match."""
    match = pattern.search(message)
    return next((group for group in match.groups() if group), None) if match else None


def _nearest(name: str, known: Collection[str], inside: str) -> str:
    """ "; did you mean KEY?" or, where nothing is close, what there is."""
    close = get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean {inside}{close[0]}?"
    return f"; known here: {', '.join(sorted(known))}" if len(known) <= 20 else ""


def _parameters(class_path: str) -> set[str]:
    """What a class takes, inherited parameters included."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(imported(class_path), fail_untyped=False)
    return {key.partition(".")[0] for key in parser.get_defaults(skip_validation=True).keys(branches=True)}
