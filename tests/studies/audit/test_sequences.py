"""Games of texts, as an audit sees them."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from letters import SIZES, game, words

from ganlit.contracts import Labelled
from ganlit.losses.adversarial import Wasserstein
from ganlit.losses.regularizers.gradient import GradientPenalty
from ganlit.losses.text.baselines import LearnedBaseline, MovingBaseline
from ganlit.losses.text.policy import PolicyGradient
from ganlit.losses.text.relaxation import GumbelSoftmax, Softmax, Temperature
from ganlit.losses.weight import Weight
from ganlit.networks.text.lstm import LSTMGenerator
from ganlit.networks.text.relgan import RelationalGenerator, RelGANDiscriminator
from ganlit.networks.text.residual import ResidualTextDiscriminator, ResidualTextGenerator
from ganlit.networks.text.textcnn import TextCNN
from ganlit.networks.text.transformer import TransformerGenerator
from ganlit.networks.text.valued import Valued
from ganlit.studies.audit.audit import checks
from ganlit.studies.audit.game import Game

PHASES = {"likelihood": Weight(1.0, end=0.04), "adversarial": Weight(1.0, start=0.05, lead=0.02)}
GAMES: dict[str, Any] = {
    "roll-outs": lambda: {
        "estimator": PolicyGradient(rollouts=5),
        "discriminator": TextCNN(**SIZES, width=4, filters=[3] * 6),
        **PHASES,
    },
    "moving baseline": lambda: {"estimator": PolicyGradient(rollouts=3, baseline=MovingBaseline())},
    "learned baseline": lambda: {
        "generator": Valued(LSTMGenerator(**SIZES, width=4, hidden=5), width=3, hidden=3),
        "estimator": PolicyGradient(rollouts=0, baseline=LearnedBaseline()),
    },
    "gumbel": lambda: {
        "generator": RelationalGenerator(**SIZES, width=4, head=4),
        "discriminator": RelGANDiscriminator(**SIZES, representations=5, filters=[3] * 4),
        "estimator": GumbelSoftmax(Temperature(end=1.0, last=0.1)),
    },
    "straight through": lambda: {
        "generator": TransformerGenerator(**SIZES, width=8, layers=1, heads=2),
        "estimator": GumbelSoftmax(Temperature(end=1.0), straight_through=True),
    },
    "softmax": lambda: {
        "generator": ResidualTextGenerator(**SIZES, z_dim=8, width=16, blocks=1, window=3),
        "discriminator": ResidualTextDiscriminator(**SIZES, width=16, blocks=1, window=3),
        "estimator": Softmax(),
        "loss": Wasserstein(),
        "regularizers": [GradientPenalty(1.0)],
        "likelihood": None,
    },
}


@pytest.mark.parametrize("name", GAMES)
def test_a_sound_game_of_texts_fails_no_check(name: str) -> None:
    adam = partial(torch.optim.Adam, lr=1e-2)
    module = game(**({"generator_optimizer": adam, "discriminator_optimizer": adam} | GAMES[name]()))
    batch = Labelled(words(12), torch.zeros(12, dtype=torch.int64))
    found = {each.check: each for each in checks(Game(module, batch, torch.device("cpu")), "not measured")}
    for each in found.values():
        assert each.status != "fails", each
    assert found["two processes"].status == found["two micro-batches"].status == "ok", found["two micro-batches"]
    assert found["D's verdict reaches G"].status == "ok"
