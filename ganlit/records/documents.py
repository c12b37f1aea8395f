"""YAML that people and runs write: read as what it is, or refused in a sentence, before anything expands it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from ganlit.errors import UserError

LARGEST = 10_000_000
"""Bytes of a file; a configuration has some thousands."""

MOST = 100_000
"""Values in a document, those that aliases repeat included: a few lines can stand for billions."""

DEEPEST = 100
"""Mappings and lists inside one another."""

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

BINARY = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]")


def text(path: Path) -> str:
    """The content of a text file.

    Raises:
        UserError: there is no such file, it cannot be read, or it is no text in UTF-8.
    """
    try:
        if not path.is_file():  # a pipe or a device would be waited for
            raise UserError(f"{path} {'is no file' if path.exists() else 'does not exist'}: name a YAML file.")
        if (size := path.stat().st_size) > LARGEST:
            raise UserError(f"{path} has {size / 1e6:,.0f} MB, which is no configuration: name a YAML file.")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{str(path)!r} cannot be read ({_line(error)}): name a YAML file.") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError(f"{path} is text in UTF-16: save it in UTF-8.")
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path} is no text in UTF-8 (line {line}): save it in UTF-8, or name a YAML file.") from None
    if BINARY.search(decoded):
        raise UserError(f"{path} is no text: name a YAML file.")
    return decoded


def mapping(content: str, source: str | Path) -> dict[str, Any]:
    """What a YAML document holds, key by key.

    Args:
        content: the text.
        source: what messages call it.

    Raises:
        UserError: it is no YAML, holds something else than a mapping, a key twice, itself, or more than can be meant.
    """
    try:
        shallow(content, source)
        loader = LOADER(content)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise UserError(f"{source} is no mapping in YAML, lines of `key: value`: name a file that is.")
        check(node, source)
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError, TypeError) as error:  # such as a date in a thirteenth month
        if isinstance(error, UserError):
            raise
        raise UserError(f"{source} is no YAML ({_line(error)}): mend it.") from None


def shallow(content: str, source: str | Path) -> None:
    """Refuses what is nested so deep that whoever reads it would run out of stack.

    Raises:
        UserError: it is.
    """
    depth = 0
    for event in yaml.parse(content, LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise UserError(f"{source} is nested more than {DEEPEST} deep: mend it.")


def check(node: yaml.Node, source: str | Path) -> None:
    """Refuses a document that means nothing or too much, without expanding it.

    Raises:
        UserError: a key stands twice in one mapping, an alias is inside what it repeats, or all is too large.
    """
    sizes: dict[int, int] = {}
    outside: set[int] = set()

    def size(node: yaml.Node) -> int:
        if (key := id(node)) in outside:
            raise UserError(f"{source}, line {node.start_mark.line + 1}: an alias repeats what it lies in: remove it.")
        if key not in sizes:
            outside.add(key)
            sizes[key] = 1 + sum(size(child) for child in children(node))
            outside.remove(key)
        return sizes[key]

    def children(node: yaml.Node) -> list[yaml.Node]:
        if isinstance(node, yaml.MappingNode):
            names = set[str]()
            for name, _ in node.value:
                if isinstance(name, yaml.ScalarNode) and name.value in names:
                    line = name.start_mark.line + 1
                    raise UserError(f"{source}, line {line}: the key {name.value} stands twice: leave one of them.")
                names.add(name.value if isinstance(name, yaml.ScalarNode) else "")
            return [each for pair in node.value for each in pair]
        return node.value if isinstance(node, yaml.SequenceNode) else []

    if (count := size(node)) > MOST:
        raise UserError(
            f"{source} holds {count:,} values when its aliases are spelled out: write down at most {MOST:,}."
        )


def _line(error: Exception) -> str:
    return " ".join(str(error).replace(' in "<unicode string>",', "").split()) or type(error).__name__
