"""jsonargparse's parser as ganlit's commands use it."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from jsonargparse import ActionSubCommands, Namespace, set_parsing_settings
from lightning.pytorch.cli import LightningArgumentParser

from ganlit.configuration.refusals import explain
from ganlit.errors import UserError
from ganlit.records.moved import current

# Interpolations resolve once, after all files and overrides are merged, wherever in the tree they end up.
set_parsing_settings(omegaconf_absolute_to_relative_paths=True)


class Parser(LightningArgumentParser):
    """Refuses in one sentence, and knows its commands and files."""

    def add_subcommands(self, **kwargs: Any) -> ActionSubCommands:
        self.commands = super().add_subcommands(**kwargs)
        return self.commands

    @property
    def files(self) -> list[str]:
        """The configuration files named on the command line."""
        parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        parser.add_argument("-c", "--config", action="append", default=[])
        return parser.parse_known_args(self.args)[0].config

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        if not self.exit_on_error:  # the parser of a class inside: its message becomes part of the outer one's
            super().error(message, ex)
        parser = getattr(ex, "subcommand_parser", self)
        if "config: " in message.splitlines()[0]:
            message = f"{', '.join(parser.files)}: {message}"
        raise UserError(explain(message, set(parser.get_defaults(skip_validation=True).keys())))

    def parse_string(self, content: str, *args: Any, **kwargs: Any) -> Namespace:
        """A file of an older ganlit names classes by the place they had."""
        return super().parse_string(current(content), *args, **kwargs)
