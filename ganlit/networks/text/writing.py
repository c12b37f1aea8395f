"""What writes a text: symbol after symbol, each by what stands before it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from ganlit.networks.resting import at_rest
from ganlit.networks.sizes import check
from ganlit.networks.text.symbols import END, choice

State = Any
"""What a generator remembers of the places before: tensors [B, ...] in tuples."""


class TextGenerator(nn.Module, ABC):
    """The probabilities of the next symbol, given those before it.

    Args:
        symbols: how many there are; 0 is the end, where there is one.
        length: places of a text.
        classes: 0 when it knows none.
        ends: whether a text is over at its first symbol 0.
    """

    def __init__(self, symbols: int, length: int, classes: int = 0, ends: bool = True) -> None:
        super().__init__()
        check(type(self).__name__, symbols=symbols, length=length)
        self.symbols, self.length, self.classes, self.ends = symbols, length, classes, ends

    @property
    def longest(self) -> int | None:
        """Places of the longest text that it can go through; None where there is no such."""
        return None

    @abstractmethod
    def begin(self, batch: int, label: Tensor) -> State:
        """What it remembers before the first place."""

    @abstractmethod
    def step(self, state: State, previous: Tensor | None) -> tuple[Tensor, State]:
        """The logits [B, symbols] of the next place, and what it remembers then.

        Args:
            state: as it was.
            previous: the symbol before, [B] int64 or [B, symbols] shares of each; None before the first.
        """

    def forward(self, tokens: Tensor, label: Tensor) -> Tensor:
        """The logits [B, L, symbols] of every place of texts [B, L] int64, by what is before it alone."""
        state, previous, found = self.begin(len(label), label), None, []
        for place in range(tokens.shape[1]):
            logits, state = self.step(state, previous)
            found.append(logits)
            previous = tokens[:, place]
        return torch.stack(found, dim=1)

    def latents(self, label: Tensor) -> Tensor:
        """What chooses the symbols of a text for each label: [B, L] uniform numbers."""
        return torch.rand(len(label), self.length, device=label.device)

    @torch.no_grad()
    def write(
        self,
        latents: Tensor,
        label: Tensor,
        temperature: float = 1.0,
        prefix: Tensor | None = None,
        length: int | None = None,
    ) -> Tensor:
        """Texts, written without dropout.

        Args:
            latents: [B, L] numbers from 0 to 1, each of which chooses a symbol; or [B, K, L], to go on from a prefix in
                K ways.
            label: [B].
            temperature: by which logits are divided; at 0 the likeliest symbols are taken.
            prefix: [B, P] int64, with which the texts begin.
            length: places of a text, L by default; beyond these, symbols are chosen by torch's random stream.

        Returns:
            [B, L] int64, or [B, K, L]; with a length, so many places.
        """
        ways = latents.shape[1:-1]
        shares = latents.flatten(0, -2)
        if length is not None:
            more = torch.rand(len(shares), max(0, length - shares.shape[1]), device=shares.device)
            shares = torch.cat([shares[:, :length], more.to(shares)], dim=1)
        previous: Tensor | None = None
        with at_rest(self):
            state = self.begin(len(label), label)
            given = label.new_empty(len(label), 0) if prefix is None else prefix
            for place in range(given.shape[1]):
                _, state = self.step(state, previous)
                previous = given[:, place]
            over = (given == END).any(1)
            if ways:
                state, previous, over, given = tree_map(several(ways[0]), (state, previous, over, given))
            written = list(given.unbind(1))
            for place in range(len(written), shares.shape[1]):
                logits, state = self.step(state, previous)
                previous = choice(logits, shares[:, place], temperature)
                if self.ends:
                    previous = previous.masked_fill(over, END)
                    over = over | (previous == END)
                written.append(previous)
        return torch.stack(written, dim=1).unflatten(0, (len(label), *ways))


def several(count: int) -> Any:
    """What puts each row of a tensor several times, one after the other."""
    return lambda part: part.repeat_interleave(count, 0) if isinstance(part, Tensor) else part
