"""Whether a batch in two parts, one after another or on two processes, is the same step as the batch in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import torch
from lightning.pytorch.plugins.precision import DoublePrecision
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from ganlit.studies.audit.findings import SHOWN, Finding
from ganlit.studies.audit.game import Game
from ganlit.studies.audit.mates import Culprit, apart, culprits
from ganlit.studies.audit.ranks import WORLD, together
from ganlit.studies.audit.shares import Share, Step, step
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS

EQUAL = 1e-6
"""How far gradients in float64 may be apart: networks that round to float32 on their way are within."""

Played = Callable[[Sequence[Culprit]], Step]
"""A step in which some modules see no more than their part of the batch."""


class Equality:
    """The comparison of one batch with its parts.

    Args:
        game: that is audited.
    """

    def __init__(self, game: Game) -> None:
        self.game = game
        self.count = len(game.few[0])
        self.clock = game.clock(self.count)

    @cached_property
    def micro_batches(self) -> Finding:
        """Two, one after another."""
        half = self.count // 2
        parts = [range(half), range(half, self.count)]
        return self.compared(
            "two micro-batches",
            lambda found: self.step(Share(culprits=found, parts=parts), self.game.device),
            lambda found: self.step(Share(accumulate=2, culprits=found), self.game.device),
            self.culprits,
        )

    def processes(self) -> Finding:
        """Two, on the CPU."""
        cpu = torch.device("cpu")
        parts = [range(rank, self.count, WORLD) for rank in range(WORLD)]
        found = [each for each in self.culprits if not (self.game.joined and self.is_batch_norm(each))]
        finding = self.compared(
            "two processes",
            lambda found: self.step(Share(culprits=found, parts=parts), cpu),
            lambda found: together(
                self.game.copy(), self.game.few, self.clock, Share(culprits=found), self.game.joined
            ),
            found,
        )
        if finding.status == "fails" and self.micro_batches.status != "fails":
            remedy = "Its processes do not take the mean of what each finds: let play() call agree(), as the base does."
            return finding._replace(remedy=remedy)
        if finding.status == "does not apply" and any(map(self.is_batch_norm, found)):
            return finding._replace(seen=f"{finding.seen}; trainer.sync_batchnorm true joins batch normalisation")
        return finding

    def compared(self, check: str, whole: Played, parts: Played, found: Sequence[Culprit]) -> Finding:
        """How far the gradients of both are apart, and what is to blame for it."""
        if self.count < 2:
            return Finding(check, "does not apply", "a batch of one item has no parts")
        other, one = parts([]), whole([])  # in this order: processes are not waited for without end
        gap = distance(one, other)
        if gap > EQUAL or any(each.mates for each in found):  # which may agree by chance
            for some in suspects(found):
                left = distance(whole(some), parts(some))
                if left <= EQUAL:
                    return Finding(check, "does not apply", f"{blamed(some)}; all else agrees to {left:.0e}")
        if gap <= EQUAL:
            return Finding(check, "ok", f"gradients and terms agree with one batch to {gap:.0e}")
        named = f"beside {listed(found)}, " if found else ""
        return self.unexplained(check, named, one, other)

    def unexplained(self, check: str, named: str, one: Step, other: Step) -> Finding:
        """What differs where networks are not to blame, or not alone: the terms of the player who plays first."""
        player = next(each for each in PLAYERS if each in one.gradients and differs(one, other, each))
        terms = {
            name: (float(one.terms[name]), float(other.terms[name]))
            for name in one.terms
            if name.startswith(player) and not apart(one.terms[name], other.terms[name]) <= EQUAL
        }
        if not terms:
            gap = apart(one.gradients[player], other.gradients[player])
            seen = f"{named}gradients of the {player} differ by {gap:.1e}, though its terms agree"
            return Finding(check, "fails", seen, "Something in it divides its gradient by the batch: mend that.")
        name, (whole, parts) = next(iter(terms.items()))
        author = self.author(name.partition("/")[2])
        seen = f"{named}{name} is {whole:.6g} in one batch and {parts:.6g} in two parts"
        if author is not None and list(author.buffers()):
            return Finding(check, "does not apply", f"{seen}: {type(author).__name__} follows a mean over its batches")
        who = type(author).__name__ if author is not None else "The term"
        remedy = f"{who} is no mean over items: let it be one, or keep to one process and model.init_args.accumulate 1."
        return Finding(check, "fails", seen, remedy)

    def author(self, term: str) -> nn.Module | None:
        """Who computes a term."""
        module = self.game.module
        if term == "adversarial":
            return module.loss
        parts = [*module.regularizers, *module.generator_regularizers, *getattr(module, "criteria", [])]
        return next((each for each in parts if getattr(each, "name", type(each).__name__.lower()) == term), None)

    def step(self, share: Share, device: torch.device) -> Step:
        return step(self.game.copy(), self.game.few, self.clock, share, device)

    @cached_property
    def culprits(self) -> list[Culprit]:
        """The modules that do not treat each item for itself."""
        if self.count < 2:
            return []
        module: AdversarialModule = self.game.staged(self.game.copy().double())
        batch = module.transfer_batch_to_device(self.game.few, self.game.device, 0)
        with DoublePrecision().forward_context():
            return culprits(module, tree_map(widened, batch))

    def is_batch_norm(self, culprit: Culprit) -> bool:
        return isinstance(self.game.module.get_submodule(culprit.name), nn.modules.batchnorm._BatchNorm)


def widened(part: Any) -> Any:
    return part.double() if isinstance(part, Tensor) and part.is_floating_point() else part


def distance(one: Step, other: Step) -> float:
    """That of the gradient which is farthest from its like, or of the term."""
    gaps = [apart(value, other.gradients[player]) for player, value in one.gradients.items()]
    gaps += [apart(value, other.terms[name]) for name, value in one.terms.items()]
    return max(gaps, key=lambda gap: (gap != gap, gap))  # what is no number is farthest


def differs(one: Step, other: Step, player: str) -> bool:
    gaps = [apart(one.gradients[player], other.gradients[player])]
    gaps += [apart(value, other.terms[name]) for name, value in one.terms.items() if name.startswith(player)]
    return any(not gap <= EQUAL for gap in gaps)


def suspects(found: Sequence[Culprit]) -> Iterator[Sequence[Culprit]]:
    """All culprits, and then all but those of one class: its modules may join what processes see, as some do."""
    kinds = list(dict.fromkeys(each.kind for each in found))
    if found:
        yield found
    for kind in kinds if len(kinds) > 1 else ():
        yield [each for each in found if each.kind != kind]


def blamed(found: Sequence[Culprit]) -> str:
    """Who prevents equality, and how."""
    mates, calls = ([each for each in found if each.mates is kind] for kind in (True, False))
    said = [f"{listed(mates)}: an item's answer there depends on the items beside it"] if mates else []
    said += [f"{listed(calls)}: the answer there changes with every call"] if calls else []
    return "; ".join(said)


def listed(found: Sequence[Culprit]) -> str:
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(map(str, found[:SHOWN])) + more
