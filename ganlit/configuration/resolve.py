"""The whole configuration of a run that is not started, and its data."""

from __future__ import annotations

from jsonargparse import Namespace

from ganlit.configuration.command_line import CommandLine
from ganlit.configuration.refusals import refused
from ganlit.data.base import GanDataModule
from ganlit.errors import UserError


class Resolution(CommandLine):
    """Reads a command line and stops there."""

    def before_instantiate_classes(self) -> None:
        super().before_instantiate_classes()
        if self.settings.ckpt_path is not None:
            raise UserError("ckpt_path is given, which the configuration of a new run does not hold: leave it out.")

    def instantiate_classes(self) -> None:
        """Nothing is built."""

    def _run_subcommand(self, subcommand: str) -> None:
        """Nothing is run."""

    def data(self) -> GanDataModule:
        """The data alone: networks and losses may need weights that are not here.

        Raises:
            UserError: they cannot be built.
        """
        try:
            return self._parser(self.subcommand).instantiate(Namespace(data=self.settings.data)).data
        except (ValueError, TypeError) as error:
            raise refused(error) or error from None


def resolved(args: list[str]) -> Resolution:
    """What a `fit` with these arguments would be told.

    Args:
        args: such as `["--config", "configs/dcgan.yaml", "--seed=3"]`.

    Raises:
        UserError: a key is unknown or a value does not fit.
    """
    return Resolution(["fit", *args])


def resolve(args: list[str]) -> str:
    """The whole configuration, as it would stand in config.yaml, of a `fit` with these arguments.

    Raises:
        UserError: as `resolved`.
    """
    return resolved(args).dump()
