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
from ganlit.studies.audit.means import author, averages
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
        closest = (worth(gap), [], one, other)
        if gap > EQUAL or any(each.why == "beside" for each in found):  # which may agree by chance
            for some in suspects(found):
                pair = whole(some), parts(some)
                if (left := distance(*pair)) <= EQUAL:
                    return Finding(check, "does not apply", f"{blamed(some)}; all else agrees to {left:.0e}")
                closest = min(closest, (worth(left), some, *pair), key=lambda tried: tried[0])
        if gap <= EQUAL:
            return Finding(check, "ok", f"gradients and terms agree with one batch to {gap:.0e}")
        return self.unexplained(check, *closest[1:])

    def unexplained(self, check: str, found: Sequence[Culprit], one: Step, other: Step) -> Finding:
        """What differs where networks are not to blame, or not alone: the terms of the player who plays first.

        Args:
            check: its name.
            found: the modules that had no part in it: they saw the same in both.
            one: the step of the whole batch.
            other: that of its parts.
        """
        named = f"beside {listed(found)}, " if found else ""
        if (loss := self.game.module.loss).compares:
            return Finding(check, "does not apply", f"{named}{type(loss).__name__} compares the items of a micro-batch")
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
        return self.told(check, f"{named}{name} is {whole:.6g} in one batch and {parts:.6g} in two parts", name)

    def told(self, check: str, seen: str, term: str) -> Finding:
        """Whose fault it is that a term differs, as far as that can be shown."""
        player, _, name = term.partition("/")
        who = author(self.game.module, name)
        called = "The task" if who is None else type(who).__name__
        if who is not None and self.follows(name):
            return Finding(check, "does not apply", f"{seen}: {called} follows a mean over its batches")
        mean = None if who is None else averages(who, player, self.game.few[0])
        if mean is None:
            cause = f"Either {called} takes no mean over items there, or what it is given depends on the whole batch"
        elif mean:
            cause = f"{called} is a mean over items, so what it is given depends on the whole batch"
        else:
            cause = f"{called} is no mean over items"
        return Finding(check, "fails", seen, f"{cause}: mend that, or keep to one process and no accumulation.")

    def follows(self, term: str) -> bool:
        """Whether a step moves the buffers of who computes a term."""
        module = self.game.copy()
        before = [each.cpu().clone() for each in author(module.double(), term).buffers()]
        step(module, self.game.few, self.clock, Share(), self.game.device)
        after = author(module, term).buffers()
        return not all(torch.equal(one, other.cpu()) for one, other in zip(before, after, strict=True))

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
    return max(gaps, key=worth)


def worth(gap: float) -> tuple[bool, float]:
    """By which gaps are sorted: what is no number is farthest."""
    return gap != gap, 0.0 if gap != gap else gap


def differs(one: Step, other: Step, player: str) -> bool:
    gaps = [apart(one.gradients[player], other.gradients[player])]
    gaps += [apart(value, other.terms[name]) for name, value in one.terms.items() if name.startswith(player)]
    return any(not gap <= EQUAL for gap in gaps)


def suspects(found: Sequence[Culprit]) -> Iterator[Sequence[Culprit]]:
    """Who minds mates, then all culprits, then all but those of one class.

    What minds earlier calls may have had none, and what joins processes treats their items as one batch.
    """
    beside, kinds = [each for each in found if each.why == "beside"], list(dict.fromkeys(each.kind for each in found))
    if beside:
        yield beside
    if len(beside) < len(found):
        yield found
    for kind in kinds if len(kinds) > 1 else ():
        yield [each for each in found if each.kind != kind]


def blamed(found: Sequence[Culprit]) -> str:
    """Who prevents equality, and how."""
    beside, before = ([each for each in found if each.why == why] for why in ("beside", "before"))
    said = [f"{listed(beside)}: an item's answer there depends on the items beside it"] if beside else []
    said += [f"{listed(before)}: the answer there depends on the calls before it"] if before else []
    return "; ".join(said)


def listed(found: Sequence[Culprit]) -> str:
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(map(str, found[:SHOWN])) + more
