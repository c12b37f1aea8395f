"""A game of texts: one step by hand, its phases on the clock, and that it is learned."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest
import torch
from letters import LENGTH, SIZES, Letters, game, words
from lightning.pytorch import Callback, Trainer
from torch import Tensor, nn

from ganlit.callbacks.budget import Budget
from ganlit.contracts import Labelled
from ganlit.errors import UserError
from ganlit.losses.adversarial import Relativistic, Wasserstein
from ganlit.losses.regularizers.generator import PathLength
from ganlit.losses.regularizers.gradient import R1, GradientPenalty
from ganlit.losses.text.baselines import LearnedBaseline, MovingBaseline
from ganlit.losses.text.policy import PolicyGradient
from ganlit.losses.text.relaxation import GumbelSoftmax, Softmax, Temperature
from ganlit.losses.weight import AdaptiveWeight, Weight
from ganlit.networks.text.lstm import LSTMDiscriminator, LSTMGenerator
from ganlit.networks.text.relgan import RelationalGenerator, RelGANDiscriminator
from ganlit.networks.text.residual import ResidualTextDiscriminator, ResidualTextGenerator
from ganlit.networks.text.textcnn import TextCNN
from ganlit.networks.text.valued import Valued
from ganlit.tasks.sequence import Sequence
from ganlit.tasks.step import stateless_seed

BATCH = 12


def fit(module: Sequence, steps: int, *callbacks: Callback, batch: int = BATCH, **data: Any) -> None:
    quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary", "use_distributed_sampler")
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=-1,
        callbacks=[Budget(steps * batch / 1000), *callbacks],
        num_sanity_val_steps=0,
        **dict.fromkeys(quiet, False),
    )
    trainer.fit(module, Letters(batch=batch, tick=1000, **data))


class Watch(Callback):
    """Notes the first batch, and who moves at each step."""

    def __init__(self) -> None:
        self.first: Labelled | None = None
        self.moved: list[str] = []

    def on_train_batch_start(self, trainer: Trainer, pl_module: Sequence, batch: Labelled, *_: Any) -> None:
        self.first = self.first or batch
        self.before = {player: weights(getattr(pl_module, player)) for player in ("discriminator", "generator")}

    def on_train_batch_end(self, trainer: Trainer, pl_module: Sequence, *_: Any) -> None:
        moved = [
            name[0] for name, old in self.before.items() if not torch.equal(old, weights(getattr(pl_module, name)))
        ]
        self.moved.append("".join(moved))


def weights(module: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten().clone() for parameter in module.parameters()])


def descend(module: nn.Module, loss: Tensor, lr: float = 0.5) -> None:
    parameters = list(module.parameters())
    for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.data -= lr * slope


def written(network: LSTMGenerator, shares: Tensor, prefix: Tensor) -> list[int]:
    """One text, symbol by symbol."""
    text = prefix.tolist()
    for place in range(len(text), LENGTH):
        if 0 in text:
            text.append(0)
            continue
        seen = torch.tensor([[*text, 0]])
        odds = network(seen, torch.zeros(1, dtype=torch.int64))[0, -1].softmax(0)
        text.append(int((odds.cumsum(0) <= shares[place]).sum()))
    return text


@torch.no_grad()
def reward(g: nn.Module, policy: nn.Module, d: nn.Module, text: Tensor, shares: Tensor) -> list[float]:
    """Q of each place: SeqGAN, equation 4."""

    def real(texts: list[list[int]]) -> float:
        return float(d(torch.tensor(texts), torch.zeros(len(texts), dtype=torch.int64)).sigmoid().mean())

    found = [
        real([written(policy, shares[place - 1, way], text[:place]) for way in range(3)]) for place in range(1, LENGTH)
    ]
    return [*found, real([text.tolist()])]


def test_one_step_equals_the_game_written_by_hand() -> None:
    module, watch = game(), Watch()
    g, d = copy.deepcopy(module.generator), copy.deepcopy(module.discriminator)
    with torch.no_grad():  # the policy is another one by now
        for parameter in module.estimator.policy.parameters():
            parameter.mul_(2)
    policy = copy.deepcopy(module.estimator.policy)
    fit(module, 1, watch)
    real, label = watch.first
    texts = torch.empty(0, dtype=torch.int64)

    torch.manual_seed(stateless_seed(0, 0, 0))
    fake = torch.tensor([written(g, shares, texts) for shares in torch.rand(BATCH, LENGTH)])
    descend(d, -d(real, label).sigmoid().log().mean() - (1 - d(fake, label).sigmoid()).log().mean())
    fake = torch.tensor([written(g, shares, texts) for shares in torch.rand(BATCH, LENGTH)])
    shares = torch.rand(BATCH, LENGTH - 1, 3, LENGTH)
    objective = torch.zeros(())
    for row in range(BATCH):
        gets = reward(g, policy, d, fake[row], shares[row])
        for texts, factors in ((fake, gets), (real, [0.5] * LENGTH)):
            logs = g(texts[row : row + 1], label[:1])[0].log_softmax(1)
            last = (texts[row] == 0).nonzero()
            for place in range(int(last[0]) + 1 if len(last) else LENGTH):
                objective = objective - factors[place] * logs[place, texts[row, place]] / BATCH / LENGTH
    descend(g, objective)
    torch.testing.assert_close(weights(module.discriminator), weights(d), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(weights(module.generator), weights(g), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(weights(module.estimator.policy), 0.8 * weights(policy) + 0.2 * weights(g))


def test_the_phases_of_seqgan_are_a_configuration() -> None:
    """Likelihood at each step; then the discriminator alone; then one step of the generator to three of the other."""
    step = BATCH / 1000
    weighed = {"likelihood": Weight(1.0, end=4 * step), "adversarial": Weight(1.0, start=6 * step, lead=2 * step)}
    module, watch = game(n_critic=3, estimator=PolicyGradient(rollouts=1), **weighed), Watch()
    fit(module, 12, watch)
    assert watch.moved == ["g"] * 4 + ["d"] * 2 + ["d", "d", "dg"] * 2
    assert {"generator/likelihood", "generator/adversarial"} <= set(module.latest)


def test_a_likelihood_alone_needs_no_discriminator() -> None:
    module, watch = game(adversarial=Weight(0.0)), Watch()
    fit(module, 3, watch)
    assert watch.moved == ["g"] * 3


def test_a_step_that_is_not_taken_leaves_the_estimator_as_it_was() -> None:
    estimator = PolicyGradient(rollouts=1, baseline=MovingBaseline())
    module = game(estimator=estimator)
    before = copy.deepcopy(estimator.state_dict())
    module.discriminator.register_forward_hook(lambda *args: args[2] * torch.nan)
    fit(module, 2)
    assert module.skipped == {"discriminator/adversarial": 2, "generator/adversarial": 2}
    assert all(torch.equal(value, before[name]) for name, value in estimator.state_dict().items())


ADAM = partial(torch.optim.Adam, lr=0.01, betas=(0.5, 0.99))
BOTH = {"generator_optimizer": ADAM, "discriminator_optimizer": ADAM}
GAMES: dict[str, Any] = {
    "roll-outs": lambda: {
        "estimator": PolicyGradient(rollouts=2),
        "discriminator": TextCNN(**SIZES, width=8, filters=[4] * 6),
    },
    "learned baseline": lambda: {
        "generator": Valued(LSTMGenerator(**SIZES, width=8, hidden=16)),
        "discriminator": LSTMDiscriminator(**SIZES, each_place=True),
        "estimator": PolicyGradient(rollouts=0, baseline=LearnedBaseline(), discount=0.9),
    },
    "gumbel": lambda: {
        "generator": RelationalGenerator(**SIZES, width=8, head=8),
        "discriminator": RelGANDiscriminator(**SIZES, representations=4, filters=[4] * 4),
        "estimator": GumbelSoftmax(Temperature(end=1.0, last=0.1)),
        "loss": Relativistic(),
        "regularizers": [R1(0.1)],
    },
    "softmax": lambda: {
        "generator": ResidualTextGenerator(**SIZES, z_dim=8, width=16, blocks=1, window=3),
        "discriminator": ResidualTextDiscriminator(**SIZES, width=16, blocks=1, window=3),
        "estimator": Softmax(),
        "loss": Wasserstein(),
        "regularizers": [GradientPenalty(10.0)],
        "likelihood": None,
    },
}


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_every_estimator_plays_in_every_precision(name: str, precision: str) -> None:
    module, watch = game(**(BOTH | GAMES[name]())), Watch()
    quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    trainer = Trainer(
        accelerator="cpu",
        precision=precision,
        max_epochs=-1,
        callbacks=[Budget(0.036), watch],
        **dict.fromkeys(quiet, False),
    )
    trainer.fit(module, Letters(batch=BATCH, tick=1000))
    assert watch.moved == ["dg"] * 3
    assert module.skipped == {}
    sampled = module.sampled(watch.first, 0)
    assert sampled.output.dtype == torch.int64
    assert sampled.output.shape == (BATCH, LENGTH)
    assert torch.equal(sampled.output, module.sampled(watch.first, 0).output)


def alphabetical(texts: Tensor) -> float:
    """The share of texts that could be of the data."""
    known = set(map(tuple, words(5000).tolist()))
    return sum(tuple(text) in known for text in texts.tolist()) / len(texts)


def test_the_alphabet_is_learnt_by_likelihood() -> None:
    module = game(adversarial=Weight(0.0), generator=LSTMGenerator(**SIZES, width=8, hidden=24), **BOTH)
    many = Labelled(torch.zeros(400, LENGTH).long(), torch.zeros(400).long())
    before = alphabetical(module.sampled(many, 0).output)
    fit(module, 250, batch=60)
    assert before < 0.05
    assert alphabetical(module.sampled(many, 0).output) > 0.8


def test_one_that_only_gets_a_verdict_learns_what_it_likes() -> None:
    """By policy gradient alone, of a discriminator that does not learn and likes the symbol 3."""

    class Likes(nn.Module):
        classes = 0

        def __init__(self) -> None:
            super().__init__()
            self.bias = nn.Parameter(torch.zeros(()))

        def forward(self, item: Tensor, label: Tensor) -> Tensor:
            return (item == 3).float().sum(1) - 3 + self.bias

    parts = {
        "estimator": PolicyGradient(rollouts=4, baseline=MovingBaseline()),
        "likelihood": None,
        "discriminator": Likes(),
    }
    module = game(**(BOTH | parts | {"discriminator_optimizer": partial(torch.optim.SGD, lr=0.0)}))
    fit(module, 150, batch=24)
    many = Labelled(torch.zeros(200, LENGTH).long(), torch.zeros(200).long())
    assert (module.sampled(many, 0).output == 3).float().mean() > 0.8


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"estimator": Softmax()}, "estimator is Softmax, which is for generators of all places at once, and LSTMGen"),
        (GAMES["softmax"]() | {"likelihood": Weight(1.0)}, "likelihood counts, but ResidualTextGenerator tells no"),
        (GAMES["softmax"]() | {"estimator": PolicyGradient()}, "PolicyGradient, which is for generators that read"),
        ({"regularizers": [R1(1.0)]}, "which PolicyGradient makes symbols: leave them out, or take GumbelSoftmax"),
        ({"generator_regularizers": [PathLength()]}, "generator_regularizers is of no use to Sequence"),
        ({"likelihood": AdaptiveWeight(1.0)}, "likelihood has no lead and does not adapt"),
        (
            {"likelihood": Weight(1.0, end=2), "adversarial": Weight(1.0, start=5, lead=1)},
            "nothing is learnt from 2 to 4 kimg",
        ),
        ({"likelihood": None, "adversarial": Weight(1.0, start=5, lead=1)}, "nothing is learnt from 0 to 4 kimg"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        game(**parts)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"symbols": 9}, "letters-train has 9 symbols but the generator knows 8: set symbols alike"),
        ({"ends": False}, "texts of letters-train have no end: set model.init_args.generator.init_args.ends to false"),
        (
            {"length": 7},
            r"letters-train has texts of \[7\] \(symbols\) but the generator makes \[6\]: set len",
        ),
    ],
)
def test_other_data_are_refused_before_training(data: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        game().check_data(Letters(**data))
