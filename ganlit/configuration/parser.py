"""jsonargparse's parser as ganlit's commands use it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any, NoReturn

from jsonargparse import ActionSubCommands, ArgumentParser, Namespace, set_parsing_settings
from jsonargparse._paths import Path as ConfigPath

from ganlit.configuration.refusals import explain, refused
from ganlit.errors import UserError
from ganlit.records import documents
from ganlit.records.moved import current

# Interpolations resolve once, after all files and overrides are merged, wherever in the tree they end up.
set_parsing_settings(omegaconf_absolute_to_relative_paths=True)


# A file may name further files, for parts: they are read as what they are, too.
ConfigPath.read_text = lambda path: documents.text(Path(path.absolute))


class Parser(ArgumentParser):
    """Refuses in one sentence, and knows its commands, its files and what in them was to be filled in."""

    written = ""
    """The configuration before what refers to other keys was filled in."""

    def add_subcommands(self, **kwargs: Any) -> ActionSubCommands:
        self.commands = super().add_subcommands(**kwargs)
        return self.commands

    @property
    def files(self) -> list[str]:
        """The configuration files named on the command line."""
        parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
        parser.add_argument("-c", "--config", action="append", default=[])
        try:
            return parser.parse_known_args(self.args)[0].config
        except argparse.ArgumentError:  # of which more is told elsewhere
            return []

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        if not self.exit_on_error:  # the parser of a class inside: its message becomes part of the outer one's
            super().error(message, ex)
        if (said := refused(ex)) is not None:
            raise said
        parser = getattr(ex, "subcommand_parser", self)
        if parser.files and "config: " in message.splitlines()[0]:
            message = f"{', '.join(parser.files)}: {message}"
        raise UserError(explain(message, set(parser.get_defaults(skip_validation=True).keys())))

    def parse_string(self, content: str, path: str | os.PathLike = "", *args: Any, **kwargs: Any) -> Namespace:
        """A file of an older ganlit names classes by the place they had; none is expanded before it was looked at."""
        documents.mapping(content, path or "--config")
        return super().parse_string(current(content), path, *args, **kwargs)

    def dump(self, cfg: Namespace, **kwargs: Any) -> str:
        text = super().dump(cfg, **kwargs)
        if "${" in text:  # it is asked for once more, just before these are filled in
            self.written = text
        return text
