"""Items from items of another kind, with nothing that says which belongs to which."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ganlit.contracts import Labelled, Made, Pair, Sampled, Terms, Verdict
from ganlit.errors import UserError
from ganlit.losses.base import Attempt, Criterion
from ganlit.networks.ranks import everyone, world
from ganlit.tasks.clocked import Player
from ganlit.tasks.pool import Pool, Turn
from ganlit.tasks.step import labels, stateless_seed
from ganlit.tasks.weighed import WeighedModule

THERE, BACK = "", "_back"
"""Behind the names of terms: of the way from sources to targets, and of the other."""


class CycleTranslation(WeighedModule):
    """Makes sources into targets and targets into sources, each of which its own discriminator cannot tell from real.

    CycleGAN, Zhu et al., arXiv 1703.10593: what went there and back should be what it was (equation 2), and what is a
    target already should stay as it is (section 5.2). A batch is a `Pair` whose two sides have nothing to do with one
    another. Generator and discriminator are two networks each, `there` and `back`, see `ThereAndBack`; the former take
    `forward(item, label)`.

    Args:
        cycle: criteria of what came back, beside what set out.
        identity: criteria of what a generator makes of what is as it should be; none leaves that out.
        pool: size of the pool of older items, of which half of what a discriminator sees as fake is drawn; 0 for none.
        game: generator, discriminator, loss, optimizers and all else, as in `WeighedModule`; both ways are weighed
            alike, and an adaptive weight measures each by its own generator.

    Raises:
        UserError: there is no criterion of the cycle, or a player has not two networks.
    """

    def __init__(
        self, cycle: list[Criterion], identity: list[Criterion] | None = None, pool: int = 50, **game: Any
    ) -> None:
        super().__init__(**game)
        if not cycle:
            raise UserError("model.init_args.cycle is empty: name one, such as L1 with a weight of 10.")
        for player in ("generator", "discriminator"):
            network = getattr(self, player)
            if not (hasattr(network, "there") and hasattr(network, "back")):
                raise UserError(
                    f"model.init_args.{player} is one {type(network).__name__}, but each way needs a network of its "
                    "own: name ThereAndBack, with one as there and one as back."
                )
        self.cycle = nn.ModuleList(cycle)
        self.identity = nn.ModuleList(identity or [])
        if self.generator_regularizers:
            raise UserError("model.init_args.generator_regularizers is of no use to CycleTranslation: leave it out.")
        self.pools = {"there": Pool(pool), "back": Pool(pool)}
        self.turns: dict[str, Turn] | None = None  # of the pools, while a turn of the discriminator lasts
        self.fresh: dict[str, list[Tensor]] = {}  # what this rank has made in it, micro-batch by micro-batch

    @property
    def taught(self) -> dict[str, nn.Module]:
        return {f"adversarial{THERE}": self.generator.there, f"adversarial{BACK}": self.generator.back}

    def play(self, player: Player, batch: Any) -> bool:
        """As for any player; pools take what was made once the discriminator's step is done, if it was."""
        if player == "generator":
            return super().play(player, batch)
        count, seed = len(batch[0]) * world(), stateless_seed(self.seed, 0, self.images_seen, self.branch, 1)
        self.turns = {way: pool.turn(count, seed + place) for place, (way, pool) in enumerate(self.pools.items())}
        self.fresh = {way: [] for way in self.pools}
        try:
            taken = super().play(player, batch)
            for way, pool in self.pools.items() if taken else ():
                pool.take(everyone(torch.cat(self.fresh[way])), self.turns[way].kept)
        finally:
            self.turns, self.fresh = None, {}
        return taken

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["pools"] = {way: pool.items for way, pool in self.pools.items()}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        for way, pool in self.pools.items():
            pool.items = checkpoint.get("pools", {}).get(way)

    def discriminator_terms(self, batch: Pair | Labelled) -> Terms:
        pair = Pair.of(batch)
        with torch.no_grad():
            made = {
                "back": self.made("back", pair.target, pair.label).output,
                "there": self.made("there", pair.source, pair.label).output,
            }
        terms: Terms = {}
        for way, real, suffix in (("back", pair.source, BACK), ("there", pair.target, THERE)):
            verdict = Verdict(self.judge(way, pair.label), real, self.mixed(way, made[way]))
            terms |= {f"{name}{suffix}": term for name, term in self.judged(verdict).items()}
        return terms

    def generator_terms(self, batch: Pair | Labelled) -> Terms:
        pair, factor = Pair.of(batch), self.weight.at(self.kimg)
        terms: Terms = {}
        for way, other, source, target, suffix in (
            ("there", "back", pair.source, pair.target, THERE),
            ("back", "there", pair.target, pair.source, BACK),
        ):
            made = self.made(way, source, pair.label)
            verdict = Verdict(self.judge(way, pair.label), target, made.output, side=made.side)
            penalties = self.penalties("generator", verdict)
            returned = self.made(other, made.output, pair.label)
            found = {"adversarial": factor * self.adversarial("generator", verdict)} if factor else {}
            found |= penalties | self.criteria("cycle", made.output, source, returned)
            if self.identity:
                found |= self.criteria("identity", target, target, self.made(way, target, pair.label))
            terms |= {f"{name}{suffix}": term for name, term in found.items()}
        return terms

    def criteria(self, which: str, source: Tensor, target: Tensor, made: Made) -> Terms:
        """Terms of what was made of a source and should be the target: under one name, or, of several, one each."""
        verdict = Verdict(lambda items: items.new_zeros(len(items)), target, made.output, side=made.side)
        attempt, criteria = Attempt(source, verdict), getattr(self, which)
        names = [which if len(criteria) == 1 else f"{which}-{each.name}" for each in criteria]
        return {name: each.term(attempt) for name, each in zip(names, criteria, strict=True)}

    def made(self, way: str, items: Tensor, label: Tensor | None) -> Made:
        """What the generator in training makes of items that go a way."""
        return Made.of(getattr(self.generator, way)(items, labels(items, label)))

    def judge(self, way: str, label: Tensor | None) -> Any:
        """The door to the discriminator at the end of a way."""

        def door(items: Tensor) -> Any:
            return self.critic(labels(items, label), network=getattr(self.discriminator, way))(items)

        return door

    def mixed(self, way: str, fresh: Tensor) -> Tensor:
        """What the discriminator sees of what was just made, the next micro-batch of its turn."""
        if self.turns is None:  # nobody plays: parts are tried out
            return fresh
        begun = sum(map(len, self.fresh[way]))
        own = (torch.arange(begun, begun + len(fresh))) * world() + self.global_rank
        self.fresh[way].append(fresh)
        return self.pools[way].mixed(fresh, self.turns[way].shown[own])

    def sample(self, batch: Pair | Labelled) -> Sampled:
        """The average's answer there; what came back from the targets is beside it."""
        pair, ema = Pair.of(batch), self.ema.module
        there = Made.of(self.ema(pair.source, labels(pair.source, pair.label)))
        back = Made.of(ema.back(pair.target, labels(pair.target, pair.label))).output.float()
        side = {**there.side, "back": back, "back_reference": pair.source}
        return Sampled(pair.target, there.output.float(), pair.source, side)
