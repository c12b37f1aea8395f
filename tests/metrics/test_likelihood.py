"""How improbable real texts are to a generator that says it symbol by symbol."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganlit.contracts import Sampled
from ganlit.data.text.modality import TextModality
from ganlit.data.text.vocabulary import Vocabulary
from ganlit.metrics.gauges import Shown
from ganlit.metrics.inside import Likelihood


class Constant(nn.Module):
    """The same scores everywhere."""

    def forward(self, items: Tensor, label: Tensor) -> Tensor:
        return torch.tensor([0.5, 0.1, 0.2, 0.2]).log().expand(*items.shape, 4)

    def begin(self, batch: int, label: Tensor) -> None:
        return None


def test_it_is_a_mean_over_what_a_text_has_and_its_end() -> None:
    kind = TextModality(Vocabulary.of(["a b"], "words"))
    gauge = Likelihood(Constant(), kind, "texts@1a2b3c", torch.device("cpu"))
    items = torch.tensor([[2, 0, 0], [1, 2, 3]])
    sampled = Sampled(items, torch.zeros_like(items))
    gauge.add(Shown(items.int(), torch.arange(2), None, "ema", sampled=sampled))
    (found,) = gauge.finish()
    each = -torch.tensor([[0.2, 0.5, 1, 1], [0.1, 0.2, 0.2, 1]]).log().sum(1) / torch.tensor([2, 3])
    assert found.value == pytest.approx(float(each.mean()), rel=1e-6)
    assert str(found.protocol) == "nll2/-/-/texts@1a2b3c/ema"
