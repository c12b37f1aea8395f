"""The command that builds a dashboard on Weights & Biases."""

from __future__ import annotations

from ganlit.errors import UserError


def dashboard(project: str = "ganlit") -> None:
    """Save a workspace of a project on Weights & Biases.

    Args:
        project: of the runs that it shows.
    """
    raise UserError("dashboard is not built yet.")
