"""The run directory, and how a trained module comes back from it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal

import torch
import yaml
from jsonargparse import ArgumentError, ArgumentParser

from ganlit.errors import UserError
from ganlit.tasks.base import AdversarialModule


def claim(folder: Path, ckpt_path: str | None) -> None:
    """Refuses a directory in which another run would be overwritten.

    Args:
        folder: the run directory.
        ckpt_path: what training resumes from, if it does.

    Raises:
        UserError: the directory holds a run that is not the resumed one.
    """
    last = folder / "checkpoints" / "last.ckpt"
    resumed = ckpt_path is not None and Path(ckpt_path).resolve().parent == last.resolve().parent
    if last.exists() and not resumed:
        raise UserError(f"{folder} already holds a run: give another --name, or go on with it by --ckpt_path {last}.")


def last_checkpoint(folder: Path) -> Path:
    """The newest checkpoint of a run directory.

    Raises:
        UserError: it holds none.
    """
    path = folder / "checkpoints" / "last.ckpt"
    if not path.exists():
        raise UserError(f"{folder} holds no trained run to measure: train it first, or name a --ckpt_path.")
    return path


def whole(path: Path) -> Path:
    """The same path, of a checkpoint that is all there: torch writes zip files, whose index comes last.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist: give the path of a checkpoint.")
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path} is not a checkpoint, or is damaged: go on from another one.")
    return path


def load(run_dir: str | Path, checkpoint: Literal["last", "best"] = "last") -> AdversarialModule:
    """The trained module of a run, in evaluation mode, with its EMA, ready to `sample`.

    It is rebuilt from config.yaml and one checkpoint: neither the dataset nor a Trainer is needed.

    Args:
        run_dir: such as `runs/stylegan_lite`.
        checkpoint: the last, or the best by FID.

    Raises:
        UserError: the folder is not a run's, or holds no such checkpoint.
    """
    folder = Path(run_dir)
    path = folder / "config.yaml"
    if not path.is_file():
        raise UserError(f"{folder} is not a run directory: it has no config.yaml; name one such as runs/stylegan_lite.")
    state = torch.load(whole(folder / "checkpoints" / f"{checkpoint}.ckpt"), map_location="cpu", weights_only=True)
    module = build(path)
    try:
        module.load_state_dict(state["state_dict"])
    except (RuntimeError, KeyError) as error:
        reason = " ".join(" ".join(str(error).splitlines()[:2]).split())
        raise UserError(f"{folder}: {checkpoint}.ckpt does not fit config.yaml: {reason}") from None
    module.on_load_checkpoint(state)
    return module.eval()


def build(config_path: Path) -> AdversarialModule:
    """The untrained module that a saved configuration describes.

    Raises:
        UserError: the file does not describe one.
    """
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(AdversarialModule, "model", required=True)
    try:
        config = yaml.safe_load(config_path.read_text())
        parsed = parser.parse_object({"model": config["model"]})
    except (yaml.YAMLError, TypeError, KeyError, ArgumentError) as error:
        raise UserError(
            f"{config_path} does not describe a model of ganlit ({' '.join(str(error).split())})."
        ) from None
    module: AdversarialModule = parser.instantiate(parsed).model
    module.seed = config.get("seed", module.seed)
    return module
