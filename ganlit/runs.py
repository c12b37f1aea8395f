"""The run directory, who writes into it, and how a trained module comes back from it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, TextIO

import yaml
from jsonargparse import ArgumentError, ArgumentParser
from torch import Tensor, nn

from ganlit import durable
from ganlit.cache import UNSUPPORTED
from ganlit.callbacks.progress import say
from ganlit.data.base import GanDataModule
from ganlit.durable import LAST, PREVIOUS
from ganlit.errors import UserError
from ganlit.state import LOCK
from ganlit.tasks.base import AdversarialModule

locks: set[TextIO] = set()
"""The open lock files of this process."""


def disown() -> None:
    """Closes what a forked child inherits: a data worker that outlives a killed run must not keep its lock."""
    while locks:
        locks.pop().close()


os.register_at_fork(after_in_child=disown)


@contextmanager
def locked(folder: Path, patience: float = 0.0) -> Iterator[None]:
    """Keeps other runs out of a directory while the block lasts, and removes what a killed one left half written.

    The kernel gives the lock back when the process ends, however it ends: a file that is lying there means nothing.

    Args:
        folder: the run directory.
        patience: seconds to wait for one that writes there. On a network filesystem a host that has died holds its
            locks for a while.

    Raises:
        UserError: a run is writing there, or nobody can.
    """
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise UserError(f"{folder} cannot be written ({error.strerror}): give another --name.") from None
    with file:
        try:
            _lock(file, patience)
            if not (path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))):
                raise BlockingIOError  # a run that was refused has just removed this very file
        except BlockingIOError:
            raise UserError(f"{folder} is in use by {_holder(file)}: wait for it, or give another --name.") from None
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            say(f"{folder}: no lock on this filesystem ({error.strerror}), so nothing keeps a second run out")
        else:
            for room in (folder, folder / "checkpoints", folder / "samples"):
                durable.sweep(room)
        locks.add(file)
        try:
            file.truncate(0)
            since = datetime.now().astimezone().isoformat(" ", "seconds")
            json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": since}, file)
            file.flush()
            yield
        finally:
            locks.discard(file)
            if [path.name for path in folder.iterdir()] == [LOCK]:  # all that a refused run has left
                path.unlink()
                folder.rmdir()


def _lock(file: TextIO, patience: float) -> None:
    """Takes a lock, or raises BlockingIOError when that takes too long."""
    last = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= last:
                raise
            time.sleep(1)


def _holder(file: TextIO) -> str:
    """Who wrote a lock file; it may be about to."""
    file.seek(0)
    try:
        holder = json.load(file)
    except json.JSONDecodeError:
        return "another process that has just started"
    return "process {pid} on {host} since {since}".format(**holder)


def claim(folder: Path, ckpt_path: str | None) -> None:
    """Refuses a directory in which another run would be overwritten.

    Args:
        folder: the run directory.
        ckpt_path: what training resumes from, if it does.

    Raises:
        UserError: the directory holds a run that is not the resumed one.
    """
    checkpoints = folder / "checkpoints"
    resumed = ckpt_path is not None and Path(ckpt_path).resolve().parent == checkpoints.resolve()
    if trained(folder) and not resumed:
        raise UserError(f"{folder} already holds a run: give another --name, or go on with it by --resume.")


def trained(folder: Path) -> bool:
    """Whether a run directory holds a checkpoint: what a kill left before the first one is no run."""
    try:  # a listing: a client of a network filesystem may believe for a minute that a single name is not there
        return not {LAST, PREVIOUS}.isdisjoint(os.listdir(folder / "checkpoints"))
    except OSError:
        return False


def last_checkpoint(folder: Path) -> Path:
    """The newest checkpoint of a run directory: the one before the last, with a line, where the last is damaged.

    Raises:
        UserError: it holds none that is whole.
    """
    if not trained(folder):
        raise UserError(f"{folder} holds no trained run: train it first, or name a --ckpt_path.")
    newest = durable.newest(folder / "checkpoints")
    if newest.warning is not None:
        say(newest.warning)
    return newest.path


def load(run: str | Path, checkpoint: Literal["last", "best"] = "last") -> AdversarialModule:
    """A trained module in evaluation mode, with its EMA, ready to `sample`.

    It is rebuilt from a configuration and weights: neither the dataset nor a Trainer is needed.

    Args:
        run: its directory, such as `runs/stylegan_lite`, or a `.safetensors` file that it wrote. That file holds the
            averaged generator, which then takes the place of the trained one too; the discriminator is untrained.
        checkpoint: of a directory, the last, or the best by FID.

    Raises:
        UserError: that is no run of ganlit, or it holds no such checkpoint, or only damaged ones.
    """
    path = Path(run)
    return (_from_weights(path) if path.suffix == ".safetensors" else _from_directory(path, checkpoint)).eval()


def _from_directory(folder: Path, checkpoint: str) -> AdversarialModule:
    config = _config_file(folder)
    path = last_checkpoint(folder) if checkpoint == "last" else folder / "checkpoints" / f"{checkpoint}.ckpt"
    state = durable.load(path)
    module = build(config.read_text(), config)
    _fill(module, state.get("state_dict", {}), path, config)
    module.on_load_checkpoint(state)
    return module


def _from_weights(path: Path) -> AdversarialModule:
    weights = durable.read_weights(path)
    module = build(weights.config, path)
    for generator in (module.ema.module, module.generator):
        _fill(generator, weights.state, path, "the configuration in it")
    module.images_seen = weights.images_seen
    return module


def _fill(module: nn.Module, state: dict[str, Tensor], path: Path, config: Path | str) -> None:
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(" ".join(str(error).splitlines()[:2]).split())
        raise UserError(f"{path} does not fit {config}: {reason}") from None


def build(config: str, source: Path) -> AdversarialModule:
    """The untrained module that a saved configuration describes.

    Args:
        config: content of a config.yaml.
        source: the file that it comes from.

    Raises:
        UserError: it does not describe one.
    """
    module: AdversarialModule = _described("model", AdversarialModule, config, source)
    module.seed = _settings(config, source).get("seed", module.seed)
    return module


class Setting(NamedTuple):
    """What a run was trained on, in which precision, and how it was measured."""

    data: GanDataModule
    precision: str
    fidelity: dict[str, Any]  # arguments of the callback; empty where nothing was measured


def setting(run: str | Path) -> Setting:
    """The data that a run was trained on, with its seed, the precision of its Trainer, and its measures' arguments.

    Args:
        run: as for `load`.

    Raises:
        UserError: that is no run of ganlit.
    """
    path = Path(run)
    if path.suffix == ".safetensors":
        config, source = durable.read_weights(path).config, path
    else:
        source = _config_file(path)
        config = source.read_text()
    data: GanDataModule = _described("data", GanDataModule, config, source)
    settings = _settings(config, source)
    data.seed = settings.get("seed", data.seed)
    fidelity = settings.get("fidelity") or {}
    precision = str(settings.get("trainer", {}).get("precision", "32-true"))
    return Setting(data, precision, fidelity.get("init_args", fidelity if "class_path" not in fidelity else {}))


def _config_file(folder: Path) -> Path:
    config = folder / "config.yaml"
    if not config.is_file():
        raise UserError(f"{folder} is not a run directory: it has no config.yaml; name one such as runs/stylegan_lite.")
    return config


def _described(key: str, kind: type, config: str, source: Path) -> Any:
    """The object that a saved configuration describes under a key."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(kind, key, required=True)
    try:
        parsed = parser.parse_object({key: _settings(config, source)[key]})
    except (TypeError, KeyError, ArgumentError) as error:
        raise UserError(f"{source} does not describe a {key} of ganlit ({' '.join(str(error).split())}).") from None
    return parser.instantiate(parsed)[key]


def _settings(config: str, source: Path) -> dict[str, Any]:
    try:
        return yaml.safe_load(config)
    except yaml.YAMLError as error:
        raise UserError(f"{source} is no YAML ({' '.join(str(error).split())}).") from None
