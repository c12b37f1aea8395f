"""Whether both players move, leave one another alone, and leave what is frozen as it is."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ganlit.studies.audit.findings import Finding, grouped, told
from ganlit.studies.audit.game import Game, Turn, play, watch
from ganlit.studies.audit.reach import heard_by_discriminator
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS, Player

STEPS = 3
"""Of the generator: what begins at zero, and what is behind it, has moved by then."""

Gradients = dict[str, Tensor | None]


class Played(NamedTuple):
    """A few steps, and what they have made of a copy."""

    module: AdversarialModule
    turns: dict[Player, list[bool]]  # whether each was taken
    optimizers: list[torch.optim.Optimizer]
    stepped: set[int]  # places of those that made a step
    moved: set[str]  # parameters and buffers, by their names in the module
    failed: str | None  # which turn has ended it, and how


def numbers(module: nn.Module) -> dict[str, Tensor]:
    """What can move: parameters and buffers, without those of the average."""
    found = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    return {name: tensor.detach().cpu().clone() for name, tensor in found.items() if not name.startswith("ema.")}


def played(game: Game, clock: int, steps: int) -> Played:
    """Plays steps on a copy, as far as they can be played."""
    module, failed = game.copy(), None
    optimizers, stepped = list[torch.optim.Optimizer](), set[int]()
    turns: dict[Player, list[bool]] = {player: [] for player in PLAYERS}
    before, now = numbers(module), "the first step"

    def note(player: Player, turn: Turn) -> bool:
        nonlocal now
        now = f"the {player}'s turn"
        if not optimizers:
            optimizers.extend(module.trainer.optimizers)
            for place, each in enumerate(optimizers):
                each.register_step_post_hook(lambda *_, place=place: stepped.add(place))
        turns[player].append(turn())
        return turns[player][-1]

    try:
        play(watch(module, note), [game.few] * steps, clock, game.device)
    except Exception as error:
        failed = f"{now} fails ({told(error)})"
    after = numbers(module)
    moved = {name for name, value in before.items() if not torch.equal(value, after[name])}
    return Played(module, turns, optimizers, stepped, moved, failed)


def movement(game: Game, found: Played, player: Player) -> Finding:
    """Whether every trained parameter of a player has moved."""
    check, names = f"{player} moves", game.trained(player)
    if player not in game.players:
        return Finding(check, "does not apply", "adversarial.weight is 0, so it never plays")
    if not names:
        return Finding(check, "does not apply", "all of it is frozen")
    still = [name for name in names if f"{player}.{name}" not in found.moved]
    steps = len(found.turns[player])
    if found.failed is not None and f"{player}'s turn" in found.failed:
        return Finding(check, "fails", found.failed, "The engine cannot play this game: mend what the error names.")
    if found.failed is not None and still:
        return Finding(check, "does not apply", found.failed)
    cancelling = cancelled(game, found, still) if player == "discriminator" else []
    if not (still := [name for name in still if name not in cancelling]):
        aside = f" but {grouped(cancelling)}, where real and generated items cancel one another" if cancelling else ""
        return Finding(check, "ok", f"all {len(names)} trained parameters{aside}, after {steps} turns")
    seen = f"{len(still)} of {len(names)} trained parameters have not moved in {steps} turns: {grouped(still)}"
    return Finding(check, "fails", seen, standstill(found, player, still))


def cancelled(game: Game, found: Played, still: list[str]) -> list[str]:
    """Those of the discriminator's parameters that stand still since what its terms say of them cancels."""
    parameters = dict(found.module.discriminator.named_parameters())
    gradients = {name: parameters[name].grad for name in still}
    zero = [name for name, gradient in gradients.items() if gradient is not None and not bool(gradient.any())]
    if not zero:
        return []
    reached, weighed, _ = heard_by_discriminator(game, found.module)
    return [name for name in zero if name in weighed.parameters - reached.parameters]


def standstill(found: Played, player: Player, still: list[str]) -> str:
    """Why parameters have not moved, and what to do."""
    if not found.turns[player]:
        return "It had no turn: let the task's plays() give it one."
    if not any(found.turns[player]):
        culprit = next((name for name in found.module.skipped if name.startswith(player)), "something")
        return f"Each of its steps was skipped, as {culprit} is not finite: lower the learning rate, or mend that term."
    parameters = dict(getattr(found.module, player).named_parameters())
    groups = found.optimizers[PLAYERS.index(player)].param_groups
    rates = {id(parameter): group.get("lr", 1.0) for group in groups for parameter in group["params"]}
    if any(id(parameters[name]) not in rates for name in still):
        return f"{player}_optimizer does not hold them: build it on the parameters that it is given."
    if all(not rates[id(parameters[name])] for name in still):
        return f"The learning rate of {player}_optimizer is 0: set model.init_args.{player}_optimizer.init_args.lr."
    gradients = [parameters[name].grad for name in still]
    if PLAYERS.index(player) not in found.stepped:
        return f"{player}_optimizer never made a step: call its step() in play()."
    if all(gradient is None for gradient in gradients):
        return "No term of its objective has a gradient for them: use them, detach less, or freeze them."
    if not any(gradient is not None and bool(gradient.any()) for gradient in gradients):
        return "Their gradient is zero: look for a unit that never opens, or a weight of 0, behind them."
    return f"They have a gradient, but {player}_optimizer does not follow it: look at its settings."


def waiting(game: Game) -> Finding | None:
    """Of a task whose adversarial term begins late: whether the discriminator waits for its lead, and then learns."""
    weight, check = game.weight, "before adversarial.start"
    if weight is None or not weight.weight or not weight.start or not game.trained("discriminator"):
        return None
    early = played(game, 0, game.module.n_critic)
    if early.failed is not None:
        return Finding(check, "fails", f"at 0 kimg {early.failed}", "Mend what the error names.")
    judging = any(name in early.moved for name in parameter_names(early.module, "discriminator"))
    if judging != weight.judges(0.0):
        seen = f"the discriminator {'moves' if judging else 'does not move'} at 0 kimg"
        begin = weight.start - weight.lead
        return Finding(check, "fails", seen, f"It is to learn from {begin:g} kimg on: look at the task's plays().")
    if "generator/adversarial" in early.module.latest:
        seen = "its verdict reaches the generator at 0 kimg"
        return Finding(check, "fails", seen, f"It is to count from {weight.start:g} kimg on: look at generator_terms.")
    does = "learns alone" if judging else f"waits until {weight.start - weight.lead:g} kimg"
    return Finding(check, "ok", f"the discriminator {does}, and the generator learns without its verdict")


def parameter_names(module: AdversarialModule, player: Player) -> list[str]:
    return [f"{player}.{name}" for name, _ in getattr(module, player).named_parameters()]


def stillness(game: Game, found: Played) -> Finding:
    """Whether what is frozen has stayed, buffers of frozen modules included."""
    check, frozen = "frozen parts stay", game.frozen
    if not frozen:
        return Finding(check, "does not apply", "nothing is frozen")
    held = frozen | still_buffers(game)
    if moved := sorted(held & found.moved):
        remedy = (
            "They are frozen, yet a step moves them: keep parameters out of the optimizer, and modules that follow "
            "their batches, such as batch normalisation, in evaluation mode."
        )
        return Finding(check, "fails", f"{len(moved)} have moved: {grouped(moved)}", remedy)
    if found.failed is not None:
        return Finding(check, "does not apply", found.failed)
    return Finding(check, "ok", f"{len(held)} parameters and buffers are as they were")


def still_buffers(game: Game) -> set[str]:
    """The buffers of modules whose parameters are all frozen."""
    found = set[str]()
    for place, part in game.module.named_modules():
        own = {f"{place}.{name}" for name, _ in part.named_parameters()}
        if place and own and own <= game.frozen:
            found |= {f"{place}.{name}" for name, _ in part.named_buffers()}
    return found


def apartness(game: Game) -> Finding:
    """Whether a turn leaves no gradient in the other player, and begins without one of its own."""
    check = "turns are apart"
    clean, left = gradients(game)
    for player, names in left.items():
        other = opponent(player)
        seen = f"the {player}'s turn leaves gradients in the {other}: {grouped(names)} ({len(names)} parameters)"
        remedy = (
            f"The {other}'s next turn would add them up, or they are computed in vain: let play() switch the {other}'s "
            "requires_grad off while the other plays, as AdversarialModule.play does."
        )
        return Finding(check, "fails", seen, remedy)
    for player in clean:
        stale, _ = gradients(game, player)
        if names := [name for name, value in clean[player].items() if not alike(value, stale[player][name])]:
            seen = f"what was left in the {player} joins its next gradient: {grouped(names)} ({len(names)} parameters)"
            return Finding(check, "fails", seen, "Call optimizer.zero_grad() first in play(), as the base class does.")
    return Finding(check, "ok", "each leaves the other's gradients as they were, and begins without any of its own")


def gradients(game: Game, soiled: Player | None = None) -> tuple[dict[Player, Gradients], dict[Player, list[str]]]:
    """The gradients of each player's first turn, and those of the other that a turn has changed, by who played.

    Args:
        game: is played until each had a turn.
        soiled: whose gradients are ones before its turns.
    """
    module, images = game.copy(), len(game.few[0])
    found: dict[Player, Gradients] = {}
    left: dict[Player, list[str]] = {}

    def note(player: Player, turn: Turn) -> bool:
        if player == soiled:
            for parameter in getattr(module, player).parameters():
                parameter.grad = torch.ones_like(parameter)
        before = of(module, opponent(player))
        taken = turn()
        after = of(module, opponent(player))
        found.setdefault(player, of(module, player))
        if changed := [name for name, value in after.items() if not alike(before[name], value)]:
            left.setdefault(player, changed)
        return taken

    play(watch(module, note), [game.few] * module.n_critic, game.clock(images), game.device)
    trained = {player: game.trained(player) for player in found}
    return {player: {name: found[player][name] for name in names} for player, names in trained.items()}, left


def of(module: AdversarialModule, player: Player) -> Gradients:
    parameters = getattr(module, player).named_parameters()
    return {name: None if each.grad is None else each.grad.cpu().clone() for name, each in parameters}


def alike(one: Tensor | None, other: Tensor | None) -> bool:
    return one is other or (one is not None and other is not None and torch.equal(one, other))


def opponent(player: Player) -> Player:
    return PLAYERS[1 - PLAYERS.index(player)]
