"""RelGAN's networks: Nie et al., ICLR 2019, sections 2.1 and 2.3, the memory is of arXiv 1806.01822."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.errors import within
from ganlit.networks.sizes import check
from ganlit.networks.text.judging import Windows
from ganlit.networks.text.symbols import Before, Symbols
from ganlit.networks.text.writing import State, TextGenerator


class RelationalMemory(nn.Module):
    """Slots that look at one another and at what is read, and keep as much of what they held as gates say.

    Santoro et al., equations 2 to 8, without an output gate.

    Args:
        slots: of the memory.
        heads: of the attention.
        head: numbers of each; a slot has as many as all heads together.
        width: of what is read.
    """

    def __init__(self, slots: int, heads: int, head: int, width: int) -> None:
        super().__init__()
        self.slots, self.heads, self.size = slots, heads, heads * head
        self.read = nn.Linear(width, self.size)
        self.attention = nn.Linear(self.size, 3 * self.size)
        self.change = nn.Sequential(
            nn.Linear(self.size, self.size), nn.ReLU(), nn.Linear(self.size, self.size), nn.ReLU()
        )
        self.norms = nn.ModuleList(nn.LayerNorm(self.size) for _ in range(2))
        self.gates_of_read = nn.Linear(self.size, 2 * self.size)
        self.gates_of_memory = nn.Linear(self.size, 2 * self.size)

    def begin(self, batch: int) -> Tensor:
        """[B, slots, size], in which no slot is like another."""
        weight = self.read.weight
        return torch.eye(self.slots, self.size, dtype=weight.dtype, device=weight.device).expand(batch, -1, -1)

    def forward(self, memory: Tensor, vector: Tensor) -> Tensor:
        """The memory [B, slots, size] after a vector [B, width] was read."""
        read = self.read(vector)[:, None]
        all_slots = torch.cat([memory, read], dim=1)
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.attention(all_slots).chunk(3, dim=2)
        )
        seen = F.scaled_dot_product_attention(query[:, :, :-1], key, value).transpose(1, 2).flatten(2)
        new = self.norms[0](memory + seen)
        new = self.norms[1](new + self.change(new))
        into, keep = (self.gates_of_read(read) + self.gates_of_memory(memory.tanh())).chunk(2, dim=2)
        return into.sigmoid() * new.tanh() + (keep + 1).sigmoid() * memory  # what was held is kept at first


class RelationalGenerator(TextGenerator):
    """Remembers a text in slots that are related to one another.

    Args:
        symbols: as for any generator of text, and so are the next three.
        length: see there.
        classes: see there.
        ends: see there.
        width: of a symbol's vector.
        slots: of the memory.
        heads: of its attention.
        head: numbers of each.
    """

    def __init__(
        self,
        symbols: int,
        length: int,
        classes: int = 0,
        ends: bool = True,
        width: int = 32,
        slots: int = 1,
        heads: int = 2,
        head: int = 256,
    ) -> None:
        super().__init__(symbols, length, classes, ends)
        check("RelationalGenerator", width=width, slots=slots, heads=heads, head=head)
        self.before = Before(symbols, width, classes)
        self.memory = RelationalMemory(slots, heads, head, width)
        self.out = nn.Linear(slots * self.memory.size, symbols)

    def begin(self, batch: int, label: Tensor) -> State:
        return self.memory.begin(batch), label

    def step(self, state: State, previous: Tensor | None) -> tuple[Tensor, State]:
        memory, label = state
        memory = self.memory(memory, self.before(previous, label))
        return self.out(memory.flatten(1)), (memory, label)


class RelGANDiscriminator(nn.Module):
    """Sees a text by several representations at once, each with vectors of its own, and judges by each of them.

    Args:
        symbols: how many there are.
        length: places of a text.
        representations: how many.
        width: of a symbol's vector in each of them.
        windows: places that a filter sees, of each group of filters, which all representations share.
        filters: how many are in each group.
        dropout: share of the features that is left out in training.
    """

    classes = 0

    def __init__(
        self,
        symbols: int,
        length: int,
        representations: int = 64,
        width: int = 1,
        windows: list[int] | None = None,
        filters: list[int] | None = None,
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        check("RelGANDiscriminator", symbols=symbols, length=length, representations=representations, width=width)
        within("RelGANDiscriminator.dropout", dropout, least=0, below=1)
        self.symbols, self.representations = symbols, representations
        self.vectors = Symbols(symbols, representations * width)
        windows = [2, 3, 4, 5] if windows is None else windows
        filters = [300] * len(windows) if filters is None else filters
        self.windows = Windows("RelGANDiscriminator", width, length, windows, filters)
        self.answer = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.windows.features, 100), nn.Linear(100, 1))

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        """Texts [B, L] int64 or [B, L, symbols] shares to a logit of each representation, [B, S]."""
        vectors = self.vectors(item).unflatten(2, (self.representations, -1)).transpose(1, 2)
        features = self.windows(vectors.flatten(0, 1)).unflatten(0, (len(item), self.representations))
        return self.answer(features)[..., 0]
