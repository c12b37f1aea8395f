"""Long short-term memories that write and that judge: the generator of SeqGAN, arXiv 1609.05473, appendix A."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlit.errors import within
from ganlit.networks.sizes import check
from ganlit.networks.text.judging import Answer
from ganlit.networks.text.symbols import Before, Symbols
from ganlit.networks.text.writing import State, TextGenerator


class LSTMGenerator(TextGenerator):
    """Reads a symbol, and says what the next one may be.

    Args:
        symbols: as for any generator of text, and so are the next three.
        length: see there.
        classes: see there.
        ends: see there.
        width: of a symbol's vector.
        hidden: numbers that a layer remembers.
        layers: of the memory.
        dropout: share of the numbers between layers that is left out in training.
        deviation: of normal numbers as all weights at the start, as in SeqGAN's code; by default torch's own.
    """

    def __init__(
        self,
        symbols: int,
        length: int,
        classes: int = 0,
        ends: bool = True,
        width: int = 32,
        hidden: int = 32,
        layers: int = 1,
        dropout: float = 0.0,
        deviation: float | None = None,
    ) -> None:
        super().__init__(symbols, length, classes, ends)
        check("LSTMGenerator", width=width, hidden=hidden, layers=layers)
        within("LSTMGenerator.dropout", dropout, least=0, below=1)
        within("LSTMGenerator.deviation", deviation, above=0, optional=True)
        self.before = Before(symbols, width, classes)
        self.memory = nn.LSTM(width, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, symbols)
        for parameter in self.parameters() if deviation is not None else ():
            nn.init.normal_(parameter, std=deviation)

    def begin(self, batch: int, label: Tensor) -> State:
        blank = self.out.weight.new_zeros(batch, self.memory.num_layers, self.memory.hidden_size)
        return blank, blank, label

    def step(self, state: State, previous: Tensor | None) -> tuple[Tensor, State]:
        *memory, label = state
        read = self.dropout(self.before(previous, label))[:, None]
        said, memory = self.memory(read, tuple(part.transpose(0, 1).contiguous() for part in memory))
        return self.out(self.dropout(said[:, 0])), (*(part.transpose(0, 1) for part in memory), label)

    def forward(self, tokens: Tensor, label: Tensor) -> Tensor:
        said, _ = self.memory(self.dropout(self.before.places(tokens, label)))
        return self.out(self.dropout(said))


class LSTMDiscriminator(nn.Module):
    """Reads a text to its end, and then says what it thinks of it; or says it at each place, of what it has read.

    Args:
        symbols: how many there are.
        length: places of a text, of which it reads any number.
        classes: 0 when it knows none.
        width: of a symbol's vector.
        hidden: numbers that a layer remembers.
        layers: of the memory.
        dropout: share of the numbers that is left out in training.
        each_place: judge at each place, as MaskGAN does: Fedus et al., arXiv 1801.07736, section 2.
    """

    def __init__(
        self,
        symbols: int,
        length: int,
        classes: int = 0,
        width: int = 32,
        hidden: int = 64,
        layers: int = 1,
        dropout: float = 0.0,
        each_place: bool = False,
    ) -> None:
        super().__init__()
        check("LSTMDiscriminator", symbols=symbols, length=length, width=width, hidden=hidden, layers=layers)
        within("LSTMDiscriminator.dropout", dropout, least=0, below=1)
        self.symbols, self.classes, self.each_place = symbols, classes, each_place
        self.vectors = Symbols(symbols, width)
        self.memory = nn.LSTM(width, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.answer = Answer(hidden, classes)

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        """[B] logits, or [B, L], of texts [B, L] int64 or [B, L, symbols] shares."""
        said, _ = self.memory(self.dropout(self.vectors(item)))
        said = self.dropout(said)
        if self.each_place:
            return torch.stack([self.answer(place, label) for place in said.unbind(1)], dim=1)
        return self.answer(said[:, -1], label)
