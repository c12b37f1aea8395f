"""What a new run takes over from an earlier one, and what of it learns: `fit --from RUN --train ... --fresh ...`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jsonargparse import Namespace
from torch import Tensor, nn

from ganlit.configuration.moments import take_over
from ganlit.configuration.patterns import FEW, chosen, covering, few, listed, matches
from ganlit.configuration.rebuild import kind
from ganlit.errors import UserError, nearest
from ganlit.records import durable, published
from ganlit.records.paths import at_home
from ganlit.records.runs import last_checkpoint, trained
from ganlit.tasks.base import PLAYERS, AdversarialModule

KEYS = ("from", "train", "fresh", "from_optimizers")
"""Of a configuration."""

EXAMPLE = "name a run directory, such as runs/stylegan_lite, a checkpoint in one, or a generator's .safetensors or .pth"


class Inheritance(NamedTuple):
    """What was asked for; patterns are those of `ganlit.configuration.patterns`."""

    source: Path | None  # a run directory, a checkpoint in one, or the weights of a generator alone
    train: list[str] | None  # patterns of what learns; None for all
    fresh: list[str]  # patterns of what begins anew
    optimizers: bool  # whether what the source's optimizers remember is taken over, too

    @classmethod
    def of(cls, settings: Namespace) -> Inheritance:
        """Reads a configuration.

        Raises:
            UserError: its keys contradict one another.
        """
        source, train, fresh, optimizers = (settings[key] for key in KEYS)
        for key in ("fresh", "from_optimizers"):
            if settings[key] and source is None:
                raise UserError(f"{key} is given without from, so there is nothing to take over: give both or neither.")
        path = None if source is None else at_home(Path(source), "from")
        return cls(path, None if train is None else listed(train), listed(fresh), optimizers)


class Share(NamedTuple):
    """How many parameters of a player are what."""

    loaded: int
    fresh: int
    frozen: int
    learning: int


class Inherited(NamedTuple):
    """What has come of it."""

    lines: list[str]  # to be told
    shares: dict[str, Share]  # by player, where a run begins with what is not its own or not all of it learns


class Source(NamedTuple):
    """What there is to be taken over."""

    path: Path
    state: dict[str, Any]  # by the names of a module
    run: Path | None  # the directory, unless this is a generator alone


def inherit(module: AdversarialModule, asked: Inheritance, resumed: bool = False) -> Inherited:
    """Freezes what shall not learn and, where a run begins, fills a module from the source.

    Both players and the average are taken over with their buffers, such as mean styles, batch statistics, codebooks and
    whether these have started. The state of the game begins as configured: clock, schedules, ADA's strength, path
    length's mean. The ramp-up of an average that is taken over is off, since it would forget that within a few steps:
    so does StyleGAN2-ADA, arXiv 2006.06676, when it transfers. What is frozen of the generator is the source's average
    in both networks: that is what was sampled, and what does not move is its own average.

    Args:
        module: as it was built.
        asked: what to do.
        resumed: whether the run goes on from its own checkpoint, which holds all that it took over.

    Raises:
        UserError: a pattern names nothing, the source does not fit, or nothing of the generator would learn.
    """
    state = module.state_dict(keep_vars=True)
    names = [name for name in state if of_a_player(name)]
    fresh, frozen = chosen("fresh", asked.fresh, names), still(asked.train, state, names)
    wanted = [name for name in names if asked.source is not None and name not in fresh]
    if any(name.startswith("generator.") for name in wanted):
        module.ema.rampup = None
    lines: list[str] = []
    if asked.source is not None and not resumed:
        source = read(asked.source, names)
        lines.append(f"from     {source.path}")
        if source.run is None:
            wanted = [name for name in wanted if name.startswith("generator.")]
            lines.append("from     that is a generator alone: the discriminator begins anew")
        refuse_unfit(source, state, wanted, asked.fresh)
        if unused := [name for name in source.state if superfluous(name, state, asked.fresh)]:
            lines.append(f"from     not taken over, as nothing here has these names: {few(unused)}")
        fill(state, source, wanted, frozen)
        if asked.optimizers:
            if source.run is None:
                raise UserError(f"from_optimizers is given, but {source.path} holds a generator alone: name its run.")
            take_over(module, source.path, source.run, {*wanted} - frozen)
    module.keep_still(frozen)
    shares = {player: share(module, player, {*wanted}) for player in reversed(PLAYERS)}
    if not shares["discriminator"].learning:
        untaught = "" if shares["discriminator"].loaded or resumed else ", and knows nothing"
        lines.append(f"frozen   the discriminator never learns{untaught}: name it in train if it shall")
    if resumed and frozen:
        counts = [f"{each.frozen:,} parameters of the {player}" for player, each in shares.items() if each.frozen]
        lines.append(f"frozen   {' and '.join(counts)}")
    begins = not resumed and (asked.source is not None or asked.train is not None)
    return Inherited(lines, shares if begins else {})


def of_a_player(name: str) -> bool:
    return name.startswith(tuple(f"{player}." for player in PLAYERS))


def still(train: list[str] | None, state: dict[str, Tensor], names: list[str]) -> set[str]:
    """The names of what does not learn; a tensor of several names learns if one of them does.

    Raises:
        UserError: a pattern names nothing, or nothing of the generator learns.
    """
    if train is None:
        return set()
    learning = {id(state[name]): name for name in chosen("train", train, names)}
    if not any(name.startswith("generator.") and isinstance(state[name], nn.Parameter) for name in learning.values()):
        raise UserError(
            f"train is {','.join(train) or 'empty'}, which leaves nothing of the generator to learn: name what shall, "
            "such as generator."
        )
    return {name for name in names if id(state[name]) not in learning}


def read(path: Path, names: Collection[str]) -> Source:
    """What there is at a path; nothing in it is run.

    Args:
        path: a run, a checkpoint in one, or the weights of a generator alone.
        names: of what the players have here, by which weights of others are called, too.

    Raises:
        UserError: it is no run, or damaged.
    """
    if path.suffix in published.SUFFIXES and path.is_file():
        weights = {f"generator.{name}": value for name, value in published.read(path).items()}
        return Source(path, published.renamed(weights, names), None)
    run = path if path.is_dir() else path.absolute().parent.parent
    if path.is_dir():
        if not trained(path):
            raise UserError(f"from is {path}, a folder that holds no trained run: {EXAMPLE}.")
        path = last_checkpoint(path)
    elif path.suffix != ".ckpt" or not path.is_file():
        beside = [] if path.exists() or not path.parent.is_dir() else [each.name for each in path.parent.iterdir()]
        close = nearest(path.name, beside, f"{path.parent}/")
        raise UserError(f"from is {path}, which is no run{close or f': {EXAMPLE}.'}")
    state = durable.load(path).get("state_dict")
    if not isinstance(state, dict):
        raise UserError(f"{path} holds no weights of ganlit's: {EXAMPLE}.")
    return Source(path, {str(name): value for name, value in state.items()}, run)


def refuse_unfit(source: Source, state: dict[str, Tensor], wanted: list[str], fresh: list[str]) -> None:
    """Raises a UserError for what is not in the source, or of another shape there."""
    wrong = {name: reason for name in wanted if (reason := misfit(source.state.get(name), state[name]))}
    if not wrong:
        return
    told = ", ".join(f"{name} {reason}" for name, reason in [*wrong.items()][:FEW])
    others = f" and {len(wrong) - FEW} more" if len(wrong) > FEW else ""
    patterns = covering(wrong, [name for name in wanted if name not in wrong])
    if len(patterns) > 2 * FEW:
        patterns = [*dict.fromkeys(name.partition(".")[0] for name in wrong)]
    raise UserError(
        f"{source.path} does not fit: {told}{others}; let these begin anew by --fresh={','.join([*fresh, *patterns])}, "
        "or take the networks that it is of."
    )


def misfit(given: Any, here: Tensor) -> str | None:
    """Why something cannot be taken over into a tensor."""
    if not isinstance(given, Tensor):
        return "is not in it"
    if given.shape != here.shape:
        return f"is {list(given.shape)} there and {list(here.shape)} here"
    return None if kind(given) == kind(here) else f"is {kind(given)} there and {kind(here)} here"


def superfluous(name: str, state: dict[str, Tensor], fresh: list[str]) -> bool:
    """Whether a name of the source is a player's that there is not here, and that nobody has spoken of."""
    return of_a_player(name) and name not in state and not matches(name, fresh)


@torch.no_grad()
def fill(state: dict[str, Tensor], source: Source, wanted: list[str], frozen: set[str]) -> None:
    """Copies what is wanted, into the average, too."""
    for name in wanted:
        value, (player, _, rest) = source.state[name], name.partition(".")
        if player == "generator":
            place = f"ema.module.{rest}"
            average = source.state.get(place)
            average = value if misfit(average, state[place]) else average
            state[place].copy_(average)
            value = average if name in frozen else value
        state[name].copy_(value)


def share(module: AdversarialModule, player: str, loaded: set[str]) -> Share:
    counts = dict.fromkeys(Share._fields, 0)
    for name, parameter in getattr(module, player).named_parameters():
        counts["loaded" if f"{player}.{name}" in loaded else "fresh"] += parameter.numel()
        counts["frozen" if module.frozen.holds(parameter) else "learning"] += parameter.numel()
    return Share(**counts)
