"""What a game costs: parameters and their large parts, operations, memory, time."""

from __future__ import annotations

import resource
import sys
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from lightning.pytorch import Callback
from rich.table import Table
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ganlit.compute.stopwatch import Stopwatch
from ganlit.studies.audit.game import Game, Turn, play, watch
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS, Player

PARTS = 3  # of a player that are told, the largest
MOST = 30  # steps that are timed
SECONDS = 3.0
"""About as long is timed, and no longer than this is a batch waited for: one that takes longer is timed in part."""


class Cost(NamedTuple):
    """Of one player."""

    player: Player
    network: str
    parameters: int
    trained: int
    parts: dict[str, int]  # the largest, by name
    flops: int | None  # of a turn, for each item of its batch; None where they cannot be counted
    penalised: int | None  # the same in turns with every regularizer
    seconds: float  # of a turn


class Costs(NamedTuple):
    """Of both, and of the whole."""

    players: list[Cost]
    items: int  # in the batch that was timed
    speed: float  # items a second
    memory: int  # bytes, at most, of the device; on a CPU of this process


def costs(game: Game) -> Costs:
    """Counts and times a few steps."""
    flops = counted(game)
    items, seconds, speed, memory = timed(game)
    players = [cost(game, player, flops.get(player), seconds[player]) for player in PLAYERS]
    return Costs(players, items, speed, memory)


def cost(game: Game, player: Player, flops: list[int] | None, seconds: float) -> Cost:
    network, names = getattr(game.module, player), set(game.trained(player))
    sizes = {name: parameter.numel() for name, parameter in network.named_parameters()}
    trained = sum(size for name, size in sizes.items() if name in names)
    least, most = (min(flops), max(flops)) if flops else (None, None)
    return Cost(player, type(network).__name__, sum(sizes.values()), trained, parts(network), least, most, seconds)


def parts(network: nn.Module) -> dict[str, int]:
    """The largest of the modules right below it, or below what holds all of them, with their parameters."""
    sizes = {name: sum(each.numel() for each in part.parameters()) for name, part in network.named_children()}
    largest = sorted(((name, size) for name, size in sizes.items() if size), key=lambda each: -each[1])[:PARTS]
    if len(largest) == 1 and (inner := parts(network.get_submodule(only := largest[0][0]))):
        return {f"{only}.{name}": size for name, size in inner.items()}
    return dict(largest)


def counted(game: Game) -> dict[Player, list[int]]:
    """Floating-point operations of each turn for an item: of the first one with all regularizers."""
    module, images = game.copy(), len(game.few[0])
    found: dict[Player, list[int]] = {}

    def note(player: Player, turn: Turn) -> bool:
        counter = FlopCounterMode(display=False)
        counter.mod_tracker = Nowhere()
        with counter:
            taken = turn()
        found.setdefault(player, []).append(counter.get_total_flops() // images)
        return taken

    play(watch(module, note), [game.few] * 2 * module.n_critic, game.clock(images), game.device)
    return found


class Nowhere(nullcontext):
    """In place of what tells FLOPs by module, which cannot follow a gradient that is taken inside a forward."""

    parents = ("Global",)


class Timing(Callback):
    """Times what follows the first step."""

    seconds: dict[str, float]  # by activity

    def on_train_batch_end(self, trainer: Any, pl_module: AdversarialModule, *step: Any) -> None:
        if not step[-1]:
            pl_module.stopwatch.lap()

    def on_train_end(self, trainer: Any, pl_module: AdversarialModule) -> None:
        self.seconds = pl_module.stopwatch.lap()


def timed(game: Game) -> tuple[int, dict[str, float], float, int]:
    """Items in a batch, seconds of each player's turn, items a second, and bytes at most."""
    each = sum(run(game, game.few, 2).values()) / len(game.few[0])
    batch = game.batch if each * len(game.batch[0]) <= SECONDS else game.few
    count = max(1, min(MOST, int(SECONDS / (each * len(batch[0])))))
    if game.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(game.device)
    steps = game.module.n_critic * count
    laps = run(game, batch, steps + 1)
    turns = {"discriminator": steps, "generator": count}
    seconds = {player: laps.get(player, 0.0) / number for player, number in turns.items()}
    return len(batch[0]), seconds, len(batch[0]) * steps / sum(laps.values()), peak(game.device)


def run(game: Game, batch: Any, steps: int) -> dict[str, float]:
    """Seconds by activity of all steps but the first."""
    module, timing = game.copy(), Timing()
    module.stopwatch = Stopwatch(game.device)
    play(module, [batch] * steps, game.clock(len(batch[0])), game.device, game.precision, callbacks=[timing])
    return timing.seconds


def peak(device: torch.device) -> int:
    """Bytes that were in use at once, so far."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def document(found: Costs) -> dict[str, object]:
    """The same for a file of JSON."""
    return {**found._asdict(), "players": [each._asdict() for each in found.players]}


def table(found: Costs) -> Table:
    """A row for each player."""
    columns = ("player", "parameters", "largest parts", "FLOPs an item", "with all regularizers", "a turn")
    drawn = Table(*columns, box=None, pad_edge=False)
    for each in found.players:
        trained = "" if each.trained == each.parameters else f", {each.trained:,} trained"
        drawn.add_row(
            f"{each.player} {each.network}",
            f"{each.parameters:,}{trained}",
            ", ".join(f"{name} {size / each.parameters:.0%}" for name, size in each.parts.items()),
            short(each.flops),
            short(each.penalised) if short(each.penalised) != short(each.flops) else "",
            f"{each.seconds * 1000:,.0f} ms",
        )
    return drawn


def short(count: int | None) -> str:
    """1234567 is "1.23 M"."""
    if count is None:
        return "not counted"
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g} {letter}"
    return str(count)
