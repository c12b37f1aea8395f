"""What `evaluate` is asked about: items that a run makes, or items from anywhere."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganlit.compute.precision import native_bf16
from ganlit.configuration.names import kind_of
from ganlit.configuration.rebuild import setting
from ganlit.contracts import Collection, Modality
from ganlit.data.base import GanDataModule
from ganlit.errors import UserError
from ganlit.metrics.gauges import Shown
from ganlit.metrics.groups import Group, Real, Side, sides
from ganlit.metrics.portrait import fixed_choice
from ganlit.studies.evaluation.levels import reduced
from ganlit.studies.evaluation.trained import Checkpoint, Weights, finite, loaded, settle
from ganlit.tasks.base import AdversarialModule

RELATIVE = "where its relative paths begin (be where it was trained)"


class Subject(ABC):
    """Items to be measured, which come turn by turn.

    Attributes:
        name: what messages call them.
        made: how they were made, as ids say it, but for what a generator that takes data has made them from.
        classes: the names of their classes; empty where they have none.
        turns: the places [B], among all, of the items that come together.
        fidelity: how a run measured itself, the arguments of its `Fidelity`; empty for a collection.
        generator: of a run, its average.
    """

    name: str
    made: str
    classes: tuple[str, ...]
    turns: list[Tensor]
    fidelity: dict[str, Any]
    generator: nn.Module | None = None

    @abstractmethod
    def show(self, turn: int) -> Shown:
        """The items of a turn, each time the same ones."""

    def __len__(self) -> int:
        return sum(map(len, self.turns))

    def at(self, places: Tensor, making: str = "") -> list[Tensor]:
        """The items of a making at these places, shown again, on the CPU."""
        found = {}
        for turn, here in enumerate(self.turns):
            if (wanted := here[torch.isin(here, places)]).numel():
                items = self.show(turn).by(making).items
                found |= {int(place): items[int(place) - int(here[0])].cpu() for place in wanted}
        return [found[place] for place in places.tolist()]


class Generated(Subject):
    """What the generator of a run makes: the very items that `python -m ganlit test` measures.

    Args:
        run: its directory, or the .safetensors file of its averaged generator.
        count: of items; by default as many as the run's own tests, whose numbers these can then be compared with.
        weights: the average of the generator, or the generator as it was trained last.
        truncation: psi; 1 is none.
        seed: of latents and labels; the run's own by default.
        checkpoint: of a run directory, the last, or the best.
        device: where they are made.
        groups: the metrics that they are made for.
        levels: of codes that are in several; all by default.
        temperature: of texts; 1 is that of the training.

    Raises:
        UserError: the run cannot be loaded, does not hold such weights, or its generator knows no truncation or
            temperature, or has no such levels.
    """

    def __init__(
        self,
        run: str,
        count: int | None,
        weights: Weights,
        truncation: float,
        seed: int | None,
        checkpoint: Checkpoint,
        device: torch.device,
        groups: Sequence[Group] = (),
        levels: int | None = None,
        temperature: float = 1.0,
    ) -> None:
        self.name = run
        self.module: AdversarialModule = loaded(run, checkpoint, weights).to(device)
        self.made = weights + reduced(self.module, levels, run)
        self.made += "" if truncation == 1 else f"-psi{truncation:g}"
        self.made += "" if temperature == 1 else f"-t{temperature:g}"
        self.generator = self.module.ema.module
        self.takes_data = self.module.takes_data
        _, precision, self.fidelity = setting(run)
        self.data = data_of(run)
        self.autocast = precision == "bf16-mixed" and native_bf16(device)
        if seed is not None:
            self.module.seed = self.data.seed = seed
        asked = {"truncation": truncation, "temperature": temperature}
        settle(self.module, {name: value for name, value in asked.items() if value != 1}, run)
        self.data.test_images = count or self.data.test_images
        self.turns = self.data.batches(self.data.test_images)
        self.batches = self.data.test_dataloader().sampler
        known = getattr(self.module.generator, "classes", 0)
        self.classes = self.data.reference.classes if known or self.takes_data else ()
        self.sides = sides(groups, self.data)

    @torch.no_grad()
    def show(self, turn: int) -> Shown:
        device = self.module.device
        batch = self.module.transfer_batch_to_device(self.data.measured[self.batches[turn]], device, 0)
        with torch.autocast(device.type, torch.bfloat16) if self.autocast else nullcontext():
            sampled = self.module.sampled(self.data.on_after_batch_transfer(batch, 0), turn)
        finite(sampled.output, self.name)
        return Shown.of(sampled, self.turns[turn], getattr(batch, "label", None), self.made, self.sides)


class Collected(Subject):
    """Items as they are.

    Args:
        items: all of them.
        made: what ids say of how they were made: that they are images, or of another kind.
        labelled: whether their classes are wanted, for which every file is read once more.
    """

    def __init__(self, items: Collection, made: str, labelled: bool) -> None:
        self.items = items
        self.made = made
        self.name = items.name
        self.classes = items.classes if labelled else ()
        self.turns = list(torch.arange(len(items)).split(items.together))
        self.fidelity = {}

    def show(self, turn: int) -> Shown:
        places = self.turns[turn]
        labels = self.items.labels[places] if self.classes else None
        return Shown(self.items[int(places[0]) : int(places[-1]) + 1], places, labels, self.made)


def data_of(run: str) -> GanDataModule:
    """The data that a run was trained on, ready.

    Raises:
        UserError: they are not there; relative paths, which a run keeps as they were given, may be those of elsewhere.
    """
    data = setting(run).data
    try:
        data.prepare_data()
    except UserError as error:
        source = getattr(data, "source", "")
        where = f" from {Path.cwd()}, {RELATIVE}" if source and not Path(source).is_absolute() else ""
        raise UserError(f"The data of {run} cannot be opened{where}: {error}") from None
    return data


def reachable(word: str) -> None:
    """Refuses a path that nobody may or can read; what is not there may be the name of a dataset.

    Raises:
        UserError: it is such a path.
    """
    if not word.strip():
        raise UserError("An empty name is none of a run, of items or of a dataset: give one.")
    try:
        path = Path(word).expanduser()
        folder = path.is_dir()
        if not (folder or path.is_file()) and path.stat():  # which tells why it is neither
            raise OSError(None, "it is neither a file nor a folder")
        if not os.access(path, os.R_OK | (os.X_OK if folder else 0)):
            raise OSError(None, "no permission")
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: nobody has this ~home
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{word} cannot be read ({reason.rstrip('.')}): name another.") from None


def is_run(word: str) -> bool:
    """Whether a path is that of a run, or of the weights that it wrote.

    Raises:
        UserError: it is that of a folder of runs.
    """
    path = Path(word)
    if (path.suffix == ".safetensors" and not path.is_dir()) or (path / "config.yaml").is_file():
        return True
    if runs := sorted(config.parent for config in path.glob("*/config.yaml")):
        raise UserError(f"{word} is a folder of runs: name one of them, such as {runs[0]}.")
    return False


def modality_of(*words: str | None) -> Modality:
    """The kind of data that is spoken of: that of the first run among the words, else what they look like."""
    given = [word for word in words if word is not None]
    run = next((word for word in given if is_run(word)), None)
    if run is not None:
        return setting(run).data.modality
    return kind_of(*given)


def collection_of(word: str, modality: Modality, split: str, root: Path, count: int | None) -> Collection:
    """The items of a folder, a zip or a dataset: all, or a fixed random choice of them.

    Raises:
        UserError: there are none, or less than that.
    """
    path = Path(word).expanduser()
    if not path.exists() and (os.sep in word or path.suffix):
        raise UserError(
            f"There is nothing at {word}: name a run directory (with its config.yaml), a .safetensors file of a run, a "
            f"folder of {modality.name}, a zip of {modality.name}, or a dataset."
        )
    if path.is_file() and not modality.recognises(word):
        raise UserError(
            f"{word} is a file of neither {modality.name} nor averaged weights: name a run directory instead of its "
            f"checkpoint, a .safetensors file of a run, a folder or zip of {modality.name}, or a dataset."
        )
    if path.is_dir() and any(path.iterdir()) and not modality.recognises(word):
        raise UserError(
            f"{word} is neither a run, for it has no config.yaml, nor a folder of {modality.name}, for no file in it "
            "has the suffix of one: name another."
        )
    found = modality.open(word, split, root)
    if count is None or count == len(found):
        return found
    if count > len(found):
        raise UserError(
            f"--count is {count}, but {found.name} has {len(found)} {modality.item}s: ask for as many at most."
        )
    return found.chosen(fixed_choice(len(found), count).sort().values.tolist())


def real_of(word: str, groups: Sequence[Group], modality: Modality, split: str, root: Path) -> dict[Side, Real]:
    """What items are measured against by metrics: a collection, or the data that a run was trained on."""
    if is_run(word):
        return sides(groups, data_of(word))
    found = collection_of(word, modality, split, root, None)
    return {"target": Real(found.reference, found.modality or modality)}
