"""A discriminator of windows of all sizes: SeqGAN, Yu et al., arXiv 1609.05473, appendix B and the authors' code."""

from __future__ import annotations

from torch import Tensor, nn

from ganlit.contracts import Judgement
from ganlit.errors import within
from ganlit.networks.sizes import check
from ganlit.networks.text.judging import Answer, Windows
from ganlit.networks.text.symbols import Symbols

WINDOWS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20]
FILTERS = [100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160, 160]


class TextCNN(nn.Module):
    """Filters over windows of a text, the strongest answer of each, a highway, and a logit.

    Args:
        symbols: how many there are.
        length: places of a text.
        classes: 0 when it knows none.
        width: of a symbol's vector.
        windows: places that a filter sees, of each group of filters; by default those of SeqGAN that fit in the length.
        filters: how many are in each group.
        dropout: share of the features that is left out in training.
    """

    def __init__(
        self,
        symbols: int,
        length: int,
        classes: int = 0,
        width: int = 64,
        windows: list[int] | None = None,
        filters: list[int] | None = None,
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        check("TextCNN", symbols=symbols, length=length, width=width)
        within("TextCNN.dropout", dropout, least=0, below=1)
        windows = [each for each in WINDOWS if each <= length] if windows is None else windows
        filters = FILTERS[: len(windows)] if filters is None else filters
        self.symbols, self.classes = symbols, classes
        self.vectors = Symbols(symbols, width)
        nn.init.uniform_(self.vectors.weight, -1, 1)
        self.windows = Windows("TextCNN", width, length, windows, filters)
        self.dropout = nn.Dropout(dropout)
        self.answer = Answer(self.windows.features, classes)

    def forward(self, item: Tensor, label: Tensor) -> Judgement:
        """Texts [B, L] int64 or [B, L, symbols] shares to [B] logits and the features [B, d] before them."""
        features = self.windows(self.vectors(item))
        return Judgement([self.answer(self.dropout(features), label)], [[features]])
