"""Games of texts whose every random draw belongs to an item."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

import torch
from games import RANK, WORLD, Shards
from letters import SIZES, words
from torch import Tensor

from ganlit.contracts import Labelled, Terms
from ganlit.losses.text.baselines import LearnedBaseline, MovingBaseline
from ganlit.losses.text.policy import PolicyGradient
from ganlit.losses.text.relaxation import GumbelSoftmax, Temperature
from ganlit.losses.weight import Weight
from ganlit.networks.text.lstm import LSTMDiscriminator, LSTMGenerator
from ganlit.networks.text.valued import Valued
from ganlit.tasks.sequence import Sequence

RAND = torch.rand


def sequences() -> dict[str, dict[str, Any]]:
    """The parts of each, anew."""
    torch.manual_seed(0)
    given = {
        "generator": LSTMGenerator(**SIZES, width=4, hidden=5),
        "discriminator": LSTMDiscriminator(**SIZES, width=4, hidden=5),
        "likelihood": Weight(0.5),
    }
    tau = Temperature(end=0.1, last=0.5)
    learned = {
        "generator": Valued(LSTMGenerator(**SIZES, width=4, hidden=5), width=3, hidden=3),
        "discriminator": LSTMDiscriminator(**SIZES, width=4, hidden=5, each_place=True),
        "estimator": PolicyGradient(rollouts=0, baseline=LearnedBaseline(), discount=0.9),
    }
    return {
        "roll-outs": given | {"estimator": PolicyGradient(rollouts=3, baseline=MovingBaseline(0.5))},
        "learned baseline": given | learned,
        "gumbel": given | {"estimator": GumbelSoftmax(tau)},
    }


class TextShards(Shards):
    """The same for texts."""

    def __iter__(self) -> Iterator[Labelled]:
        texts = words(self.steps * self.batch).view(self.steps, self.batch, -1)
        for step in range(self.steps):
            yield Labelled(texts[step][RANK::WORLD], torch.arange(self.batch)[RANK::WORLD])


class ItemSequence(Sequence):
    """The label of a text is the number of its item, by which all that is random about it is drawn."""

    def discriminator_terms(self, batch: Labelled) -> Terms:
        with drawn(batch.label, self.step):
            return super().discriminator_terms(batch)

    def generator_terms(self, batch: Labelled) -> Terms:
        with drawn(batch.label, self.step + 1000):
            return super().generator_terms(batch)


@contextmanager
def drawn(label: Tensor, step: int) -> Iterator[None]:
    """A row of its own for each item in each call of torch.rand."""
    calls = count()

    def rand(rows: int, *shape: int, device: Any) -> Tensor:
        assert rows == len(label)
        call = next(calls)
        streams = [torch.Generator().manual_seed((step * 100 + call) * 1000 + item) for item in label.tolist()]
        return torch.stack([RAND(*shape, generator=stream) for stream in streams])

    with patch("torch.rand", rand):
        yield
