"""What metrics of sets are asked, what they answer, and what one is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, TypeVar

from ganlit.contracts import Reference
from ganlit.metrics.portrait import Portrait
from ganlit.metrics.protocol import Protocol
from ganlit.metrics.reality import Reality

Better = Literal["lower", "higher"]
Items = TypeVar("Items", Reference, Reality)


class Measured(NamedTuple):
    """One number."""

    protocol: Protocol
    value: float
    spread: float | None = None
    of: str = ""  # over what: "20 bootstraps", "100 subsets", "10 splits"

    @property
    def metric(self) -> str:
        return self.protocol.metric


class Question(NamedTuple):
    """What is compared with what, and how."""

    fake: Portrait
    real: Reality
    made: str  # how the generated items were made
    replicates: int = 0  # of the bootstrap; none by default
    seed: int = 0  # of the bootstrap

    def answer(self, metric: str, value: float, variant: str = "", part: str = "") -> Measured:
        """A number of the kept items, which are all where they are not very many."""
        extractor, reference = self.real.extractor.protocol, self.real.kept_name
        return Measured(Protocol(metric, len(self.fake.rows), variant, extractor, reference, self.made, part), value)

    def answer_by_sums(self, metric: str, value: float, variant: str = "", reference: str | None = None) -> Measured:
        """A number of all items."""
        reference = self.real.name if reference is None else reference
        extractor = self.real.extractor.protocol
        return Measured(Protocol(metric, self.fake.count, variant, extractor, reference, self.made), value)


class Metric(NamedTuple):
    """How a name is answered."""

    measure: Callable[[Question], Iterator[Measured]]
    first: str  # what its first number is called
    better: Better  # of that number
    rows: bool  # asks for features one by one, of which `KEPT` items are kept
    least: int  # generated items that it needs
    real: int = 2  # real items that it needs
    within_classes: bool = False  # whether these must be of one class
    trained: bool = False  # whether these are those that were trained on, also where others are measured
    derived: Callable[[Reality], object] = lambda real: None  # has what it asks of real rows computed and stored
    modality: str = ""  # whose alone it is
    extractor: str = ""  # by which alone it is seen, or by one of its family

    def among(self, measured: Items, trained: Items | None) -> Items:
        """Which real items it asks for: those that are measured against, or, if these are others, those trained on."""
        return trained if self.trained and trained is not None else measured
