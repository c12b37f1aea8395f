"""A generator of text beside what knows how good its texts become, as in MaskGAN, arXiv 1801.07736, section 2.3."""

from __future__ import annotations

from torch import Tensor, nn

from ganlit.networks.sizes import check
from ganlit.networks.text.symbols import Before
from ganlit.networks.text.writing import State, TextGenerator


class Valued(TextGenerator):
    """A generator, and a memory of its own that reads along and tells what to expect; `LearnedBaseline` teaches it.

    Args:
        generator: what writes.
        width: of a symbol's vector in the memory.
        hidden: numbers that it remembers.
    """

    def __init__(self, generator: TextGenerator, width: int = 32, hidden: int = 32) -> None:
        super().__init__(generator.symbols, generator.length, generator.classes, generator.ends)
        check("Valued", width=width, hidden=hidden)
        self.generator = generator
        self.before = Before(self.symbols, width, self.classes)
        self.memory = nn.LSTM(width, hidden, batch_first=True)
        self.value = nn.Linear(hidden, 1)

    @property
    def longest(self) -> int | None:
        return self.generator.longest

    def begin(self, batch: int, label: Tensor) -> State:
        return self.generator.begin(batch, label)

    def step(self, state: State, previous: Tensor | None) -> tuple[Tensor, State]:
        return self.generator.step(state, previous)

    def forward(self, tokens: Tensor, label: Tensor) -> Tensor:
        return self.generator(tokens, label)

    def values(self, tokens: Tensor, label: Tensor) -> Tensor:
        """What is expected at each place of texts [B, L], by what is before it alone: [B, L]."""
        said, _ = self.memory(self.before.places(tokens, label))
        return self.value(said)[..., 0]
