"""Whether the gradient of what a player is judged by reaches all of it that is to learn, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ganlit.contracts import Judgement, Made, Verdict
from ganlit.studies.audit.findings import Finding, grouped, kind_of
from ganlit.studies.audit.game import Game
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import Player

Calls = list[tuple[str, nn.Module, Tensor]]
"""The modules without others inside, as they were called, each with a tensor that it gave."""


class Reach(NamedTuple):
    """What a number depends on."""

    parameters: set[str]
    unheard: set[int]  # places among the calls whose output has no say in it


ADVERSARIAL = "adversarial"
"""What tasks call the discriminator's term; of several ways, one has this name and the others theirs behind it."""


def verdict_on_generator(game: Game, module: AdversarialModule) -> Finding:
    """Whether the adversarial term alone reaches every trained parameter of the generator.

    What the output does not depend on, such as a codebook behind a straight-through estimate, may learn by other terms.

    Args:
        game: that is audited.
        module: a copy that has been played for some steps.
    """
    check, names = "D's verdict reaches G", game.trained("generator")
    if "discriminator" not in game.players:
        return Finding(check, "does not apply", "adversarial.weight is 0")
    if not names:
        return Finding(check, "does not apply", "all of the generator is frozen")
    with made(module) as answers:
        terms, calls = terms_of(game, module, "generator")
    verdicts = [term for name, term in terms.items() if name == ADVERSARIAL or name.startswith(f"{ADVERSARIAL}_")]
    if not verdicts:
        seen = f"generator_terms names {', '.join(terms)}, and no term adversarial"
        return Finding(check, "fails", seen, "Name the discriminator's term adversarial, as the base class expects it.")
    parameters = {name: dict(module.generator.named_parameters())[name] for name in names}
    reached = reach(torch.stack(verdicts).sum(), parameters, calls)
    missed = [name for name in names if name not in reached.parameters]
    if not missed:
        return Finding(check, "ok", f"all {len(names)} trained parameters")
    others = [reach(term, parameters, calls).parameters for term in terms.values()]
    shown = set[str]().union(*(reach(each, parameters, calls).parameters for each in answers))
    taught = [name for name in missed if name not in shown and name in set[str]().union(*others)]
    lost = [name for name in missed if name not in taught]
    if not lost:
        seen = f"all of {len(names)} but what its output does not depend on, and other terms teach: {grouped(taught)}"
        return Finding(check, "ok", seen)
    seen = f"misses {len(lost)} of {len(names)} trained parameters: {grouped(lost)}"
    if shown.issuperset(lost):
        cause = "The gradient ends between the generator's output and the term: detached, or under no_grad"
    else:
        cause = ending(module.generator, lost, calls, reached)
    return Finding(check, "fails", seen, f"{cause}; mend that, or freeze what is not to learn.")


def loss_on_discriminator(game: Game, module: AdversarialModule) -> Finding:
    """Whether the discriminator's own terms reach every trained parameter of it."""
    check, names = "D's loss reaches D", game.trained("discriminator")
    if "discriminator" not in game.players:
        return Finding(check, "does not apply", "adversarial.weight is 0")
    if not names:
        return Finding(check, "does not apply", "all of the discriminator is frozen")
    reached, weighed, calls = heard_by_discriminator(game, module)
    missed = [name for name in names if name not in reached.parameters]
    cancelling = [name for name in missed if name in weighed.parameters]
    if missed := [name for name in missed if name not in cancelling]:
        seen = f"misses {len(missed)} of {len(names)} trained parameters: {grouped(missed)}"
        cause = ending(module.discriminator, missed, calls, reached)
        return Finding(check, "fails", seen, f"{cause}; mend that, or freeze what is not to learn.")
    aside = f", though for {grouped(cancelling)} real and generated items cancel one another" if cancelling else ""
    return Finding(check, "ok", f"all {len(names)} trained parameters{aside}")


def heard_by_discriminator(game: Game, module: AdversarialModule) -> tuple[Reach, Reach, Calls]:
    """What its terms reach; the same if no two items weighed alike; and the calls inside it.

    Of what real and generated items have in common, such as the last bias, losses like Wasserstein's, and Hinge within
    its margin, have no gradient: there it is not cut off, it cancels.
    """
    logits: list[Tensor] = []
    hook = module.discriminator.register_forward_hook(
        lambda _, given, output: logits.extend(Judgement.of(output).logits)
    )
    try:
        terms, calls = terms_of(game, module, "discriminator")
    finally:
        hook.remove()
    own, names = dict(module.discriminator.named_parameters()), game.trained("discriminator")
    parameters, term = {name: own[name] for name in names}, torch.stack(list(terms.values())).sum()
    reached = reach(term, parameters, calls)
    told = [each for each in logits if each.requires_grad and term.requires_grad]
    if not told:
        return reached, reached, calls
    slopes = torch.autograd.grad(term, told, retain_graph=True, allow_unused=True)
    pairs = [(slope, each) for slope, each in zip(slopes, told, strict=True) if slope is not None]
    weighed = [(slope * (0.5 + torch.rand_like(slope)) * each).sum() for slope, each in pairs]
    return reached, reach(torch.stack(weighed).sum(), parameters, calls) if weighed else reached, calls


def terms_of(game: Game, module: AdversarialModule, player: Player) -> tuple[dict[str, Tensor], Calls]:
    """A player's terms of a few items, and the calls inside it that led to them."""
    game.staged(module)
    trained = set(game.trained(player))
    module.requires_grad_(False)
    for name, parameter in getattr(module, player).named_parameters():
        parameter.requires_grad_(name in trained)
    batch = module.transfer_batch_to_device(game.few, game.device, 0)
    with called(getattr(module, player)) as calls:
        terms = getattr(module, f"{player}_terms")(batch)
    module.verdict = None
    return terms, calls


@contextmanager
def made(module: AdversarialModule) -> Iterator[list[Tensor]]:
    """Notes what the generator makes while the block lasts, also where it is not called as a whole."""
    answers: list[Tensor] = []
    penalties = module.penalties

    def noted(player: Player, verdict: Verdict) -> Any:
        answers.append(verdict.fake)
        return penalties(player, verdict)

    module.penalties = noted
    hook = module.generator.register_forward_hook(lambda _, given, output: answers.append(tensor_of(output)))
    try:
        yield answers
    finally:
        hook.remove()
        del module.penalties


@contextmanager
def called(player: nn.Module) -> Iterator[Calls]:
    """Notes the calls inside a network while the block lasts, which hand their output on as it is."""
    calls: Calls = []
    hooks = [
        part.register_forward_hook(lambda part, _, output, name=name: calls.append((name, part, tensor_of(output))))
        for name, part in player.named_modules()
        if not list(part.children())
    ]
    yield calls
    for hook in hooks:
        hook.remove()


def tensor_of(output: Any) -> Tensor:
    """The first tensor in what a module gives."""
    while not isinstance(output, Tensor):
        output = output.output if isinstance(output, Made) else next(iter(output), torch.empty(0))
    return output


def reach(term: Tensor, parameters: dict[str, Tensor], calls: Calls) -> Reach:
    """What has a gradient that is not zero; of a tensor, that of its squares' sum."""
    if not term.requires_grad:
        return Reach(set(), set(range(len(calls))))
    scalar = term if term.dim() == 0 else term.square().sum()
    outputs = {place: output for place, (_, _, output) in enumerate(calls) if output.requires_grad}
    asked = [*parameters.values(), *outputs.values()]
    heard = [
        gradient is not None and bool(gradient.any())
        for gradient in torch.autograd.grad(scalar, asked, retain_graph=True, allow_unused=True)
    ]
    found = {name for name, each in zip(parameters, heard, strict=False) if each}
    told = {place for place, each in zip(outputs, heard[len(parameters) :], strict=True) if each}
    return Reach(found, set(range(len(calls))) - told)


def ending(network: nn.Module, lost: list[str], calls: Calls, reached: Reach) -> str:
    """Where a gradient ends that does not reach some parameters."""
    names = [name for name, _, _ in calls]
    holders = dict.fromkeys(name.rpartition(".")[0] for name in lost)
    parts = dict(network.named_modules())
    if idle := [name for name in holders if name not in names and not list(parts[name].children())]:
        return f"{kind_of(idle[0], parts[idle[0]])} is never called"
    if not reached.parameters and len(reached.unheard) == len(calls):
        return "Nothing that it makes counts: its output is detached, or made under no_grad"
    silent = [place for place in reached.unheard if names[place] in holders]
    if not silent:
        return f"{next(iter(holders))} is used without a gradient, or for nothing"
    last = max(silent)
    before = kind_of(names[last], calls[last][1])
    if last + 1 < len(calls) and last + 1 not in reached.unheard:
        return f"The gradient ends at {kind_of(names[last + 1], calls[last + 1][1])}, behind {before}"
    return f"The gradient ends behind {before}"
