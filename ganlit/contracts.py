"""The few types that the rooms of the house hand to one another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from ganlit.errors import UserError

Terms = dict[str, Tensor]
"""Named scalar terms of one player's objective: what is summed, differentiated and logged."""


class Labelled(NamedTuple):
    """A batch of items with classes; an unlabelled dataset has the one class 0."""

    item: Tensor  # [B, ...]: stored on the way to the device, as networks take it in the task; see `Modality`
    label: Tensor  # [B] int64


class Pair(NamedTuple):
    """A batch of items, and what is to be made of each."""

    source: Tensor  # [B, ...]
    target: Tensor  # [B, ...]
    label: Tensor | None = None  # [B] int64

    @classmethod
    def of(cls, batch: Pair | Labelled) -> Pair:
        """The same for items alone, each of which is its own target, as an autoencoder's are."""
        return batch if isinstance(batch, Pair) else cls(batch.item, batch.item, batch.label)


class Sampled(NamedTuple):
    """What a task shows of itself: the batch's own items beside those of the EMA generator, as networks have them."""

    reference: Tensor  # [B, ...]: where there is one, the target
    output: Tensor  # [B, ...] float
    source: Tensor | None = None  # [B, ...]: what the output was made from, where that is data
    side: Mapping[str, Any] = {}  # what else the generator handed out; under "prior" items [B, ...] of its own


class Reference(NamedTuple):
    """The real items that generated ones are measured against."""

    name: str  # "digits-train": dataset and split, part of every protocol id
    digest: str  # hash of the items and labels
    items: Tensor  # [N, ...] stored, in memory or mapped, or what has a length and answers slices and [B] with such
    labels: Tensor  # [N] int64
    classes: tuple[str, ...]  # empty where the dataset has no labels


class Made(NamedTuple):
    """What a generator gives that hands out more than its output, such as a posterior, codes or a commitment."""

    output: Tensor  # [B, ...]
    side: Mapping[str, Any] = {}

    @classmethod
    def of(cls, answer: Tensor | Made) -> Made:
        """The same for a generator that gives its output alone."""
        return answer if isinstance(answer, Made) else cls(answer)


class Judgement(NamedTuple):
    """What a discriminator says: one answer of each network in it, if there are several."""

    logits: Sequence[Tensor]  # [B] or, of patches, [B, ...] each
    features: Sequence[Sequence[Tensor]] = ()  # of each network those inside it, [B, ...], if it hands them out

    @classmethod
    def of(cls, answer: Tensor | Sequence[Tensor] | Judgement) -> Judgement:
        """The same for a discriminator that gives its logits alone, or a list of them."""
        if isinstance(answer, Judgement):
            return answer
        return cls([answer] if isinstance(answer, Tensor) else list(answer))


class Sight(ABC):
    """A trained network through which a discriminator looks: it learns nothing more, and is no part of a checkpoint."""

    @abstractmethod
    def inside(self, items: Tensor) -> list[Tensor]:
        """Items [B, ...] as networks have them to what is seen at several depths, [B, C, ...], the finest first.

        Raises:
            UserError: it is not there, or nothing of such items is left to see.
        """


Critic = Callable[[Tensor], "Tensor | Sequence[Tensor] | Judgement"]
"""Items [B, ...] in, what is thought of them out: the discriminator with augmentation and conditions bound to it."""


class Verdict:
    """What one player sees of one micro-batch.

    The logits are computed on first use and once, so that a loss and a regularizer share one pass through the critic,
    and so are the features inside it.

    Args:
        critic: the only door to the discriminator; real and fake items pass the same augmentation behind it.
        real: [B, ...] real items as networks take them; they require a gradient when a regularizer differentiates by
            them.
        fake: [B, ...] generated items; detached when the discriminator plays.
        latent: [b, ...] what the first b generated items were made from, with a graph from it to them, when a
            regularizer of the generator asked for it: the styles [b, layers + 1, w_dim] of a StyleGenerator, or z.
        side: what else the generator handed out, by name.
    """

    def __init__(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        latent: Tensor | None = None,
        side: Mapping[str, Any] | None = None,
    ) -> None:
        self.critic = critic
        self.real = real
        self.fake = fake
        self.latent = latent
        self.side = side or {}
        self.networks = 1  # in the discriminator, as far as it has been asked

    def judgement(self, items: Tensor) -> Judgement:
        """What the discriminator says of items: a pass of its own."""
        found = Judgement.of(self.critic(items))
        self.networks = len(found.logits)
        return found

    @cached_property
    def real_judgement(self) -> Judgement:
        return self.judgement(self.real)

    @cached_property
    def fake_judgement(self) -> Judgement:
        return self.judgement(self.fake)

    @property
    def real_logits(self) -> Tensor:
        """[B, ...]; of several networks, all of theirs in one row."""
        return joined(self.real_judgement.logits)

    @property
    def fake_logits(self) -> Tensor:
        return joined(self.fake_judgement.logits)

    @property
    def real_features(self) -> Sequence[Sequence[Tensor]]:
        return handed_out(self.real_judgement)

    @property
    def fake_features(self) -> Sequence[Sequence[Tensor]]:
        return handed_out(self.fake_judgement)

    def part(self, network: int) -> Verdict:
        """The same as one network of several sees it."""
        return Part(self, network)


class Part(Verdict):
    """A verdict of one network among several; passes through the critic are shared with the others."""

    def __init__(self, whole: Verdict, network: int) -> None:
        super().__init__(self._ask, whole.real, whole.fake, whole.latent, whole.side)
        self.whole = whole
        self.network = network

    def _ask(self, items: Tensor) -> Tensor:
        return self.whole.judgement(items).logits[self.network]

    @cached_property
    def real_judgement(self) -> Judgement:
        return self._own(self.whole.real_judgement)

    @cached_property
    def fake_judgement(self) -> Judgement:
        return self._own(self.whole.fake_judgement)

    def _own(self, judgement: Judgement) -> Judgement:
        features = [judgement.features[self.network]] if judgement.features else ()
        return Judgement([judgement.logits[self.network]], features)


def over_networks(objective: Callable[[Verdict], Tensor], verdict: Verdict) -> Tensor:
    """An objective that reads one network's logits; of a discriminator of several, the mean of each one's.

    How many there are is known once the objective itself has asked the first: nothing is computed for it.
    """
    value = objective(verdict.part(0))
    others = range(1, verdict.networks)
    return sum((objective(verdict.part(each)) for each in others), value) / verdict.networks if others else value


def joined(logits: Sequence[Tensor]) -> Tensor:
    return logits[0] if len(logits) == 1 else torch.cat([each.flatten() for each in logits])


def handed_out(judgement: Judgement) -> Sequence[Sequence[Tensor]]:
    """The features inside a discriminator.

    Raises:
        UserError: it hands none out.
    """
    if not judgement.features:
        raise UserError("the discriminator hands out no features: let it return a Judgement that has them.")
    return judgement.features


Space = Literal["z", "w", "w+", "s"]
"""Where a latent lies: what a generator from noise takes, one style for all layers, a style for each, or what linear
layers make of these for their channels."""


@runtime_checkable
class Styled(Protocol):
    """A generator of two parts: latents to styles, one for each layer, and styles to items.

    In evaluation mode all styles of an item are the same one, and `synthesise(styles(z, label))` is the item.
    """

    def styles(self, z: Tensor, label: Tensor) -> Tensor:
        """Latents [B, z_dim] and labels [B] to styles [B, layers, w_dim]."""

    def synthesise(self, styles: Tensor) -> Tensor:
        """Styles [B, layers, w_dim] to items [B, ...]."""


def spaces(generator: object) -> tuple[Space, ...]:
    """The latent spaces of a generator from noise: "z" alone, or also those of its styles, if it is `Styled`."""
    return ("z", "w", "w+", "s") if isinstance(generator, Styled) else ("z",)


class Modality(ABC):
    """All that the house knows of one kind of data: how an item is kept, read, written, shown and checked.

    Items have two forms. Datasets keep them *stored*, [N, ...] of any type, such as uint8 pixels; networks take and
    give them in a range of their own, such as floats in [-1, 1].

    A subclass sets these, implements what is abstract, and can be built without arguments.
    """

    name: str  # "images": of its rooms in data/, networks/ and metrics/
    item: str  # what messages call one: "image"
    axes: str  # what the sizes of one are: "channels, height, width"
    shaped_by: str  # the settings, of data and networks alike, that they follow: "resolution and channels"
    extractor: str  # that metrics see items by, unless they name another
    tile: int | None = None  # side of the parts that larger items [C, ...] go through a network in; None for whole ones
    step: int = 1  # places along a side of a stored item that one place of what networks take stands for,
    reach: int = 0  # and how many beside that one it depends on, on either side
    listings: Sequence[str] = ()  # suffixes of files that hold many items
    ragged: bool = False  # whether items go on along their last side, and are of any length

    @abstractmethod
    def to_network(self, stored: Tensor) -> Tensor:
        """Stored items [B, ...] as networks take them."""

    @abstractmethod
    def to_stored(self, output: Tensor) -> Tensor:
        """What a network gave [B, ...] as it would be stored, brought into its range."""

    def for_extractor(self, stored: Tensor, wanted: Any = None) -> Tensor:
        """Stored items [B, ...] as extractors take them.

        Args:
            stored: the items.
            wanted: what the extractor says of itself by its attribute `wants`, such as a sample rate.
        """
        return stored

    def traits(self, items: Tensor) -> Tensor | None:
        """Items [B, ...], as networks have them, as floats [B, ...] whose distance says how unlike they are.

        By these the signals of a training tell items apart; None where no such numbers are known.
        """
        return items if items.is_floating_point() else None

    def seconds(self, stored: Tensor) -> float:
        """How long stored items [B, ...] last, one after the other; 0 of what does not."""
        return 0.0

    @abstractmethod
    def write(self, stored: Tensor, path: Path, beside: Any = None) -> Path:
        """Writes one item [...]; the path lacks the suffix, which is given back with it.

        Args:
            stored: in memory or mapped.
            path: its folder is made where it is missing.
            beside: what else the file holds that the item was made of, see `Kept`: it goes along as far as it can.
        """

    def paced(self, fps: float | None) -> tuple[Modality, float]:
        """The same at so many frames a second, and how many frames of these lie from one of those to the next.

        Raises:
            UserError: such items have no frames.
        """
        if fps is None:
            return self, 1.0
        raise UserError(f"--fps: {self.item}s have no frames: leave it out.")

    def prefix(self, beginning: str, option: str = "--prefix", length: int | None = None) -> Tensor:
        """How items shall begin, as networks take it.

        Args:
            beginning: as it was typed.
            option: that asks for it.
            length: places of an item, beyond which it cannot go.

        Raises:
            UserError: it cannot be the beginning of such items.
        """
        raise UserError(f"{option}: {self.item}s are not written from their beginning on: leave it out.")

    def write_all(self, stored: Iterable[Tensor], file: Path, about: Iterable[Mapping[str, Any]] | None = None) -> Path:
        """Writes many items [B, ...] in one file, which has one of the suffixes of `listings`.

        Args:
            stored: batches of them.
            file: with its suffix.
            about: what else the file may say of each.

        Raises:
            UserError: each is a file of its own.
        """
        raise UserError(f"{file}: {self.item}s are each in a file of their own: name a folder.")

    def glance(self, stored: Tensor) -> Tensor:
        """Stored items [B, ...] as small as they may be for `show`."""
        return stored

    @abstractmethod
    def show(self, rows: Sequence[Tensor], columns: int, path: Path) -> list[Path]:
        """Writes what people look at or listen to: stored items [n, ...], row after row.

        Args:
            rows: batches; items of other shapes are brought to that of the largest.
            columns: items in a row.
            path: without the suffix.

        Returns:
            The files; their names begin like the path, and the first is a picture.
        """

    @abstractmethod
    def recognises(self, place: str) -> float:
        """How much of a folder, a file or a dataset by name looks like such items: from 0, nothing, to 1, all."""

    @abstractmethod
    def open(self, place: str, split: str, root: Path) -> Collection:
        """The items of a folder, a file or a dataset by name.

        Args:
            place: its path or name.
            split: "train", or what else there is.
            root: where datasets known by name lie.

        Raises:
            UserError: there is no such thing, or no item in it.
        """

    def bring(self, place: Path, form: Any, labelled: bool, any_size: bool) -> Collection:
        """The items of a folder, a file or whatever holds some, as networks take them that were trained on such data.

        A modality may take more, with defaults: they become options of `translate` and `encode`.

        Args:
            place: a path at which something is; all that lies in it counts.
            form: what the data module says of it, see `GanDataModule.form_of`.
            labelled: whether their classes are wanted.
            any_size: whether they may have any, which then is their own, unless an option says otherwise.

        Raises:
            UserError: there is no item in it.
        """
        return self.open(str(place), "train", place.parent)

    @abstractmethod
    def check(self, place: str, split: str, root: Path, batch: int) -> None:
        """Prints what a place holds, what of it would stop a training, and what would work.

        A modality may take more, with defaults: they become options of `data check`.

        Args:
            place: as for `open`, and so are the next two.
            split: "train", or what else there is.
            root: where datasets known by name lie.
            batch: items in a step.

        Raises:
            SystemExit: with status 1, where anything would stop a training.
        """


class Kept(NamedTuple):
    """Items of which each shall become a file like its own."""

    stored: Tensor  # [B, ...]
    beside: list[Any]  # of each, what its file holds beside that, for `Modality.write`; None for nothing


class Collection(ABC):
    """Items as they lie somewhere: read when they are asked for, and written nowhere."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Part of protocol ids."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """A hash of the content, wherever it lies."""

    @property
    def modality(self) -> Modality | None:
        """Their kind, where the place says more of it than was known before, such as a sample rate."""
        return None

    @property
    @abstractmethod
    def labels(self) -> Tensor:
        """[N] int64; zeros where there are none."""

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Their names; empty without labels."""

    @property
    @abstractmethod
    def paths(self) -> list[str]:
        """Of each item, inside the place and without its suffix: what pairs it with one of another place."""

    @property
    @abstractmethod
    def together(self) -> int:
        """How many to ask for at a time."""

    @property
    @abstractmethod
    def whole(self) -> Collection:
        """All items of the place, of which these may be some."""

    @abstractmethod
    def chosen(self, places: Sequence[int]) -> Collection:
        """Some of these items, in this order."""

    @property
    def reference(self) -> Reference:
        """As what others are measured against."""
        return Reference(self.name, self.digest, self, self.labels, self.classes)

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, places: slice | Tensor) -> Tensor:
        """Stored items [B, ...].

        Raises:
            UserError: one cannot be read, or has another shape than the first.
        """

    def kept(self, places: slice) -> Kept:
        """The same for who writes files like theirs: what networks do not see, such as opacity, is beside them."""
        stored = self[places]
        return Kept(stored, [None] * len(stored))
