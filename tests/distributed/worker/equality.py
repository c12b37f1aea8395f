"""What each player's step is, for every loss and every regularizer."""

from __future__ import annotations

from typing import Any

import torch
from games import WORLD, Shards, flat, game, train
from sequences import ItemSequence, TextShards, sequences
from torch import Tensor
from translators import Judge, Translator

from ganlit.losses.adversarial import Hinge, LeastSquares, Minimax, NonSaturating, Relativistic, Wasserstein
from ganlit.losses.likelihood import KL
from ganlit.losses.reconstruction import L1, FeatureMatching
from ganlit.losses.regularizers.differences import FiniteR1
from ganlit.losses.regularizers.generator import PathLength
from ganlit.losses.regularizers.gradient import R1, R2, GradientPenalty
from ganlit.losses.weight import AdaptiveWeight, Weight
from ganlit.networks.pairs import ThereAndBack
from ganlit.tasks.cycle import CycleTranslation
from ganlit.tasks.translation import Translation

LOSSES = (NonSaturating, Minimax, Hinge, Wasserstein, LeastSquares, Relativistic)
REGULARIZERS: dict[str, Any] = {
    "none": dict,
    "R1": lambda: {"regularizers": [R1(weight=0.5)]},
    "R2": lambda: {"regularizers": [R2(weight=0.5)]},
    "GradientPenalty": lambda: {"regularizers": [GradientPenalty(weight=2.0)]},
    "FiniteR1": lambda: {"regularizers": [FiniteR1(weight=0.5, sigma=0.1)]},
    "PathLength": lambda: {"generator_regularizers": [PathLength(weight=2.0, every=1, decay=0.3)]},
}
TRANSLATIONS: dict[str, Any] = {
    "translation": lambda: {"adversarial": Weight(0.5)},
    "adaptive": lambda: {"adversarial": AdaptiveWeight(0.5)},
    "conditional": lambda: {"conditional": True, "discriminator": Judge((2, 8, 8)), "adversarial": AdaptiveWeight(0.5)},
}
CLIPS = {"discriminator_clip": 0.02, "generator_clip": 0.01}


def played(steps: int = 2, shards: type[Shards] = Shards, **parts: Any) -> dict[str, Tensor]:
    """Steps of both players in float64: the gradients of the last and what they have made of the state."""
    module = game(**parts)
    trainer = train(module, shards(steps, shape=(1, 8, 8)), precision="64-true")
    return {
        "discriminator": flat(parameter.grad for parameter in module.discriminator.parameters()),
        "generator": flat(parameter.grad for parameter in module.generator.parameters()),
        "state": flat(module.state_dict().values()),
        "terms": flat(value for name, value in sorted(trainer.callback_metrics.items()) if "/" in name),
    }


def found() -> dict[str, dict[str, Tensor]]:
    """By "loss regularizer", and by what was done beside: accumulation, clipping."""
    # Three ranks differ from two in the shares that they have of a batch: each loss and each regularizer once.
    games = {
        f"{loss.__name__} {name}": played(loss=loss(), **regularizer())
        for loss in LOSSES
        for name, regularizer in REGULARIZERS.items()
        if WORLD < 3 or loss is Relativistic or name == "R1"
    }
    # What ranks do to a batch and what accumulation does to a rank's share of it are independent: with one process all
    # is tried, with several a few.
    pairs = [(loss, name) for loss in LOSSES for name in REGULARIZERS if name != "PathLength"]
    for loss, name in pairs if WORLD == 1 else [(NonSaturating, "R1"), (Relativistic, "GradientPenalty")]:
        for count in (2, 4):
            key = f"{loss.__name__} {name} accumulate={count}"
            games[key] = played(loss=loss(), accumulate=count, **REGULARIZERS[name]())
    for name, parts in TRANSLATIONS.items():
        for count in (1, 2, 4) if WORLD == 1 else (1, 2):
            key = name if count == 1 else f"{name} accumulate={count}"
            criteria = [L1(), KL(0.5), FeatureMatching(2.0)]
            given = {"generator": Translator(), "discriminator": Judge(), "regularizers": [R1(weight=0.5)]} | parts()
            games[key] = played(kind=Translation, criteria=criteria, accumulate=count, **given)
    for count in (1, 2, 4) if WORLD == 1 else (1, 2):
        torch.manual_seed(0)
        both = [ThereAndBack(part(), part()) for part in (Translator, Judge)]
        given = {"generator": both[0], "discriminator": both[1], "regularizers": [R1(weight=0.5)], "pool": 30}
        criteria = {"cycle": [L1(5.0)], "identity": [L1(2.0)], "adversarial": AdaptiveWeight(0.5)}
        key = "cycle" if count == 1 else f"cycle accumulate={count}"
        games[key] = played(3, kind=CycleTranslation, accumulate=count, **criteria, **given)
    for name in sequences():
        for count in (1, 2, 4) if WORLD == 1 else (1, 2):
            key = name if count == 1 else f"{name} accumulate={count}"
            games[key] = played(3, TextShards, kind=ItemSequence, accumulate=count, **sequences()[name])
    games["clipped"] = played(loss=NonSaturating(), steps=1, **CLIPS)
    games["clipped accumulate=2"] = played(loss=NonSaturating(), steps=1, accumulate=2, **CLIPS)
    games["not clipped"] = played(loss=NonSaturating(), steps=1)
    return games
