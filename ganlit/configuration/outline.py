"""The outlines of functions: what they take and what they say of it, read from their files, of which none is run.

What a command takes is known before the libraries are there by which it does its work: these take seconds to import.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import ganlit

HERE = Path(ganlit.__path__[0])
OWN = "ganlit."


def outline(path: str, optional: bool = False) -> Callable[..., None]:
    """A function that does nothing, with the name, the parameters and the documentation of another one.

    Args:
        path: of a function of this package, or of a method, such as ganlit.studies.report.report.report; decorators,
            and what it takes by `**`, are left out.
        optional: whether it has only the parameters without which that can do.
    """
    module, node = _found(path)
    given = node.args
    taken = ast.arguments([], given.args, None, given.kwonlyargs, given.kw_defaults, None, given.defaults)
    if optional:
        pairs = [*zip(given.args[::-1], given.defaults[::-1], strict=False)][::-1]
        pairs += [pair for pair in zip(given.kwonlyargs, given.kw_defaults, strict=True) if pair[1] is not None]
        taken = ast.arguments([], [], None, [name for name, _ in pairs], [default for _, default in pairs], None, [])
    said = node.body[:1] if ast.get_docstring(node) is not None else []
    bare = ast.FunctionDef(node.name, taken, [*said, ast.Pass()], [], None, lineno=1, col_offset=0)
    code = compile(ast.fix_missing_locations(ast.Module([bare], [])), path, "exec", dont_inherit=True)
    scope = Scope(module)
    exec(code, {"__name__": __name__}, scope)
    return scope[node.name]


def purpose(path: str) -> str:
    """What such a function is for: the first line of its documentation."""
    return (ast.get_docstring(_found(path)[1]) or "").partition("\n")[0]


class Scope(dict[str, Any]):
    """The names of a module as they are asked for: constants are read, and what else there is is imported.

    Args:
        module: of this package.
    """

    def __init__(self, module: str) -> None:
        super().__init__()
        self.module = module

    def __missing__(self, name: str) -> Any:
        for node in _tree(self.module).body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return _value(node.module, alias.name)
            elif isinstance(node, ast.Assign) and [name] == [ast.unparse(target) for target in node.targets]:
                return eval(compile(ast.Expression(node.value), self.module, "eval", dont_inherit=True), {}, self)
            elif getattr(node, "name", None) == name:  # a class or a function
                return getattr(import_module(self.module), name)
        raise KeyError(name)  # so that Python looks among its own


def _value(module: str, name: str) -> Any:
    """What another module calls so."""
    read = module.startswith(OWN) and _file(module).is_file()
    return Scope(module)[name] if read else getattr(import_module(module), name)


def kinds(method: str) -> Iterator[str]:
    """The paths of a method of all kinds of data that have it as their own: of those of the rooms of `data`."""
    for room in iter_modules([str(HERE / "data")]):
        module = f"{OWN}data.{room.name}.modality"
        for kind in _tree(module).body if _file(module).is_file() else ():
            whole = isinstance(kind, ast.ClassDef) and "Modality" in map(ast.unparse, kind.bases)
            if whole and method in [getattr(one, "name", None) for one in kind.body]:
                yield f"{module}.{kind.name}.{method}"


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_file(module).read_text(encoding="utf-8"))


def _file(module: str) -> Path:
    return HERE.joinpath(*module.removeprefix(OWN).split(".")).with_suffix(".py")


def _found(path: str) -> tuple[str, ast.FunctionDef]:
    """The module of a function or a method, and where it stands in it."""
    module, inside = path, list[str]()
    while not _file(module).is_file():
        module, _, name = module.rpartition(".")
        inside.insert(0, name)
    node: Any = _tree(module)
    for name in inside:
        node = next(one for one in node.body if isinstance(one, ast.ClassDef | ast.FunctionDef) and one.name == name)
    return module, node
