"""The policy gradient: what is written is rewarded, whatever chose it."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from ganlit.contracts import Terms
from ganlit.errors import UserError, within
from ganlit.losses.text.base import Estimator, Turn, counted, log_likelihood
from ganlit.losses.text.baselines import Baseline


class PolicyGradient(Estimator):
    """Each symbol is made likelier by what the discriminator thinks of the texts that it leads to.

    SeqGAN, Yu et al., arXiv 1609.05473, equations 4 and 7: the gradient of -E[sum_t log G(y_t | y_1..t-1) (Q_t - b_t)],
    where Q_t is the probability D(Y) that the discriminator gives to a text being real, its mean over texts Y that
    begin with y_1..t and are written to their end by the roll-out policy. Here it is a mean over places and texts.
    Without roll-outs Q_t is D(Y) of the whole text for all its places, or, with a discount, what later places get.

    Args:
        rollouts: texts that are written on from each place; 0 for none.
        update_rate: what the roll-out policy keeps of itself at each step of the generator; 0 takes the generator.
        baseline: b_t, what is expected; by default 0, as in SeqGAN.
        discount: for a discriminator that judges at each place: Q_t is the sum over s >= t of discount^(s - t) D_s, as
            in MaskGAN, arXiv 1801.07736, section 2.3. Without it judgements of one text are averaged.

    Raises:
        UserError: an argument is out of its range, or there are both roll-outs and a discount.
    """

    def __init__(
        self,
        rollouts: int = 16,
        update_rate: float = 0.8,
        baseline: Baseline | None = None,
        discount: float | None = None,
    ) -> None:
        super().__init__()
        within("PolicyGradient.rollouts", rollouts, least=0, most=10_000)
        within("PolicyGradient.update_rate", update_rate, least=0, below=1)
        within("PolicyGradient.discount", discount, optional=True, least=0, most=1)
        if rollouts and discount is not None:
            raise UserError(
                f"PolicyGradient.discount is {discount:g} beside {rollouts} roll-outs, which tell what later places "
                "get: set PolicyGradient.rollouts to 0, or leave the discount out."
            )
        self.rollouts, self.update_rate, self.discount = rollouts, update_rate, discount
        self.baseline = baseline
        self.policy: nn.Module | None = None

    def start(self, generator: nn.Module) -> None:
        if self.rollouts and self.update_rate:
            self.policy = deepcopy(generator).eval().requires_grad_(False)
        if self.baseline is not None:
            self.baseline.start(generator)

    @torch.no_grad()
    def follow(self, generator: nn.Module) -> None:
        if self.policy is not None:
            torch._foreach_lerp_(list(self.policy.parameters()), list(generator.parameters()), 1 - self.update_rate)
            for mine, buffer in zip(self.policy.buffers(), generator.buffers(), strict=True):
                mine.copy_(buffer)
        if self.baseline is not None:
            self.baseline.follow()

    def train(self, mode: bool = True) -> PolicyGradient:
        super().train(mode)
        if self.policy is not None:
            self.policy.eval()
        return self

    def shown(self, generator: nn.Module, label: Tensor, kimg: float) -> Tensor:
        return generator.write(generator.latents(label), label)

    def terms(self, turn: Turn) -> Terms:
        tokens = self.shown(turn.generator, turn.label, turn.kimg)
        here = counted(tokens, turn.generator.ends)
        returns = self.returns(turn, tokens)
        expected, terms = torch.zeros_like(returns), {}
        if self.baseline is not None:
            expected, terms = self.baseline.expected(turn, tokens, returns, here)
        likelihood = log_likelihood(turn.generator(tokens, turn.label), tokens, turn.generator.ends)
        return {"adversarial": -(likelihood * (returns - expected)).mean(), **terms}

    @torch.no_grad()
    def returns(self, turn: Turn, tokens: Tensor) -> Tensor:
        """Q_t of every place of texts [B, L] int64: [B, L]."""
        if self.discount is not None:
            return self.later(turn, tokens)
        whole = worth(turn.judge(tokens, turn.label))
        batch, length = tokens.shape
        if not self.rollouts:
            return whole[:, None].expand(-1, length)
        policy = turn.generator if self.policy is None else self.policy
        # Numbers of an item are in one row: they are the same however the batch is shared.
        shares = torch.rand(batch, length - 1, self.rollouts, length, device=tokens.device)
        labels = turn.label.repeat_interleave(self.rollouts)
        found = []
        for place in range(1, length):
            ways = policy.write(shares[:, place - 1], turn.label, prefix=tokens[:, :place])
            found.append(worth(turn.judge(ways.flatten(0, 1), labels)).view(batch, -1).mean(1))
        return torch.stack([*found, whole], dim=1)

    def later(self, turn: Turn, tokens: Tensor) -> Tensor:
        """What each place and those behind it get, of a discriminator that judges them one by one."""
        logits = turn.judge(tokens, turn.label)
        if any(each.shape != tokens.shape for each in logits):
            raise UserError(
                f"PolicyGradient.discount is {self.discount:g}, but the discriminator does not judge at each place: "
                "leave it out, or take LSTMDiscriminator with each_place."
            )
        rewards = torch.stack([each.sigmoid() for each in logits]).mean(0) * counted(tokens, turn.generator.ends)
        found = [rewards[:, -1]]
        for reward in rewards[:, :-1].flip(1).unbind(1):
            found.append(reward + self.discount * found[-1])
        return torch.stack(found[::-1], dim=1)


def worth(logits: list[Tensor]) -> Tensor:
    """How probably texts are real, to all networks of a discriminator: [N]."""
    return torch.stack([each.sigmoid().reshape(len(each), -1).mean(1) for each in logits]).mean(0)
