"""The generator of a run, ready to be sampled, and whether what it makes means anything."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganlit.configuration.rebuild import load, setting
from ganlit.errors import UserError, reason
from ganlit.records.runs import trained
from ganlit.tasks.base import AdversarialModule

Weights = Literal["ema", "trained"]
Checkpoint = Literal["last", "best"]


def loaded(run: str, checkpoint: Checkpoint, weights: Weights = "ema") -> AdversarialModule:
    """A trained module whose average has the weights that are asked for.

    Args:
        run: its directory, or the .safetensors file of its averaged generator.
        checkpoint: of a directory, the last, or the best.
        weights: the average of the generator, or the generator as it was trained last.

    Raises:
        UserError: the run cannot be loaded, does not hold such weights, or some of them are not finite.
    """
    path = Path(run)
    if weights == "trained" and path.suffix == ".safetensors":
        raise UserError(f"{run} holds the averaged generator alone: name its run directory for --weights trained.")
    if checkpoint == "last" and (path / "config.yaml").is_file() and not trained(path):
        raise UserError(f"{run} holds no checkpoint: train it first, or name another run.")
    module = load(run, checkpoint)
    if weights == "trained":
        module.ema.module.load_state_dict(module.generator.state_dict())
    for name, value in module.ema.module.state_dict().items():
        if not bool(value.isfinite().all()):
            raise UserError(f"{run} has weights that are not finite ({name}): take another checkpoint.")
    refuse_foreign(module, run)
    return module


def refuse_foreign(module: AdversarialModule, run: str) -> None:
    """Refuses the vocabulary of another run, by which numbers would be other symbols.

    Raises:
        UserError: it lies in the run directory.
    """
    own = getattr(module, "vocabulary", None)
    there = getattr(setting(run).data.modality, "vocabulary", None) if own else None
    if there is not None and there.digest != own:
        raise UserError(
            f"vocabulary.json in {run} is not that of its training, but of another one: bring its own back, or train "
            "again."
        )


def taking_data(run: str, checkpoint: Checkpoint) -> AdversarialModule:
    """A trained module whose generator takes data, on the GPU where there is one.

    Raises:
        UserError: as `loaded`, or it makes items from noise.
    """
    module = loaded(run, checkpoint)
    if not module.takes_data:
        raise UserError(
            f"{run} holds a {type(module).__name__}, which takes no data: have it make items by python -m ganlit "
            f"generate {run}."
        )
    return module.to(place())


def place() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def from_noise(module: AdversarialModule, label: Tensor, **options: Any) -> Tensor:
    """Items [B, ...] of the average, from latents, or from a prior over them, that torch's random stream gives.

    Args:
        module: for which `makes_from_noise`.
        label: [B] their classes.
        options: of the generator.
    """
    if not module.takes_data:
        return module.averaged(module.latents(label), label, **options)
    generator = module.ema.module
    return generator.decode(generator.prior(label), label).float()


def makes_from_noise(module: AdversarialModule, run: str) -> None:
    """Refuses to make something from nothing by a generator that takes data and knows no prior.

    Raises:
        UserError: it is one.
    """
    if module.takes_data and not hasattr(module.generator, "prior"):
        raise UserError(
            f"{run} holds a {type(module).__name__} without a prior, which makes nothing from noise alone: give it "
            f"data by python -m ganlit translate {run} INPUT --out DIR."
        )


@contextmanager
def passing(items: str, module: AdversarialModule, run: str) -> Iterator[None]:
    """Says of which items a network fails, and why; nothing is differentiated meanwhile.

    Raises:
        UserError: it fails.
    """
    try:
        with torch.no_grad():
            yield
    except Exception as error:
        network = f"{type(module.generator).__name__} of {run}"
        why = str(error).rstrip(".") if isinstance(error, UserError) else reason(error)
        raise UserError(f"{items} cannot go through the {network} ({why}): give what it was trained on.") from error


def digest_of(network: nn.Module) -> str:
    """A hash of all weights, by their names."""
    digest = blake2b(digest_size=16)
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.int8).numpy().tobytes())
    return digest.hexdigest()


def takes(module: AdversarialModule, option: str) -> bool:
    """Whether a generator takes an option where it makes items: in `write`, if that is how it does, or in forward."""
    making = getattr(module.generator, "write", module.generator.forward)
    return option in inspect.signature(making).parameters


def knows(module: AdversarialModule, option: str, run: str, flag: str | None = None) -> None:
    """Refuses what a generator does not take, such as truncation.

    Args:
        option: its name there.
        flag: what is typed for it, where that is another.

    Raises:
        UserError: it knows nothing of it.
    """
    if not takes(module, option):
        raise UserError(f"{type(module.generator).__name__} in {run} knows no {option}: leave --{flag or option} out.")


def settle(module: AdversarialModule, options: Mapping[str, float], run: str) -> None:
    """Has the average make whatever it is sampled by some options.

    Raises:
        UserError: its generator does not know one of them.
    """
    for name in options:
        knows(module, name, run)
    if options:
        module.averaged = partial(module.averaged, **options)


def finite(output: Tensor, run: str) -> Tensor:
    """The same items [B, ...], as a network gave them.

    Raises:
        UserError: some number in them is not finite.
    """
    if not bool(output.isfinite().all()):
        raise UserError(f"{run} makes items that are not finite: take another checkpoint, or leave --truncation out.")
    return output
