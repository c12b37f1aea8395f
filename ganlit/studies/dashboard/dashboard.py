"""The command that builds a dashboard on Weights & Biases."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path

import wandb
import yaml

from ganlit.compute.console import say
from ganlit.errors import UserError
from ganlit.metrics.measure import BETTER
from ganlit.studies.dashboard.layout import PARAMETERS, layout

FIRST = BETTER | {"rfid": BETTER["fid"]}
"""Short names under which boards get scores, and which values of them are better."""


def dashboard(
    project: str = "ganlit",
    entity: str | None = None,
    metric: str = "fid",
    sweep: str | None = None,
    dry_run: bool = False,
) -> None:
    """Save a workspace of a project on Weights & Biases.

    Args:
        project: of the runs that it shows.
        entity: the user or team that has the project; by default who is logged in.
        metric: by which sweeps are judged, the first in `fidelity.metrics` of their runs; rfid is FID of
            reconstructions.
        sweep: a sweep's folder or file, whose parameters are compared; by default learning rates, batch and seed.
        dry_run: print the layout as JSON, and do nothing.
    """
    if metric not in FIRST:
        near = get_close_matches(metric, FIRST, 1)
        advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(FIRST)}."
        raise UserError(f"--metric is {metric}: {advice}")
    score = f"{metric}.{'min' if FIRST[metric] == 'lower' else 'max'}"
    sections = layout(score, varied(Path(sweep)) if sweep else PARAMETERS)
    if dry_run:
        print(json.dumps([asdict(section) for section in sections], indent=1))
        return
    try:
        from ganlit.studies.dashboard.workspace import workspace  # not before: its library is an extra
    except ModuleNotFoundError:
        raise UserError('the dashboard is built with wandb-workspaces: pip install "ganlit[dashboard]".') from None
    built = workspace(sections, entity or owner(), project)
    try:
        built.save()
    except Exception as error:  # of the library, of its HTTP client, of the server: none says more than its text
        reason = " ".join(str(error).split())
        raise UserError(f"W&B has not saved it ({reason}): check --entity and --project.") from None
    say(f"dashboard {built.url}")


def owner() -> str:
    """Who is logged in.

    Raises:
        UserError: nobody, or W&B does not answer.
    """
    try:
        return wandb.Api(timeout=20).default_entity
    except Exception as error:
        reason = " ".join(str(error).split())
        raise UserError(f"nobody is logged in to W&B ({reason}): run `wandb login`, or try --dry-run.") from None


def varied(path: Path) -> tuple[str, ...]:
    """The parameters of a sweep file that have more than one value.

    Raises:
        UserError: there is no such file, or it has none.
    """
    file = path / "sweep.yaml" if os.path.isdir(path) else path
    try:
        if not file.is_file():  # a pipe would be waited for
            raise FileNotFoundError
        parameters = yaml.safe_load(file.read_text())["parameters"]
        return tuple(str(name) for name, choice in parameters.items() if "value" not in choice)
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError, AttributeError, RecursionError):
        raise UserError(f"{file} is no sweep file: it has no parameters.") from None
