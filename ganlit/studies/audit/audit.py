"""The proof, before a day of training, that two networks can play: `python -m ganlit audit --config C`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from lightning.pytorch.utilities.seed import isolate_rng

from ganlit.compute.console import clock, print_table, say
from ganlit.data.base import GanDataModule
from ganlit.studies.audit import costs, findings
from ganlit.studies.audit.equality import Equality
from ganlit.studies.audit.findings import Finding, told
from ganlit.studies.audit.game import Game
from ganlit.studies.audit.precision import finite
from ganlit.studies.audit.reach import loss_on_discriminator, verdict_on_generator
from ganlit.studies.audit.turns import STEPS, apartness, movement, played, stillness, waiting
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS

PASSES = 30
"""Steps in float32 that the comparison of a batch with its parts takes as long as."""

LONGEST = 300.0
"""Seconds of it."""


def audit(
    module: AdversarialModule,
    data: GanDataModule,
    device: torch.device,
    precision: str = "32-true",
    joined: bool = False,
    json: Path | None = None,
) -> None:
    """Plays a few steps of a game on copies, and prints what holds and what does not.

    Args:
        module: the game, which stays as it is.
        data: what would be trained on.
        device: where the game would be trained.
        precision: in which it would be.
        joined: whether batch normalisation would see all processes' batches.
        json: a file that gets the same as the tables.

    Raises:
        UserError: data, networks and losses do not fit one another.
        SystemExit: with status 1, where a check fails.
    """
    began = time.monotonic()
    with isolate_rng():
        game = Game(module, first_batch(module, data), device, precision, joined)
        spent = attempted_costs(game)
        found = list(checks(game, spent))
    print_table(findings.table(found))
    tell(spent, game, data.modality.item)
    if json is not None:
        findings.write(found, spent if isinstance(spent, str) else costs.document(spent), json)
    lasted = clock(time.monotonic() - began)
    if failed := [each.check for each in found if each.status == "fails"]:
        say(f"{len(failed)} of {len(found)} checks fail ({lasted}): {', '.join(failed)}")
        raise SystemExit(1)
    say(f"no check fails ({lasted})")


def tell(spent: costs.Costs | str, game: Game, item: str) -> None:
    """Prints what a game costs."""
    if isinstance(spent, str):
        say(f"costs    not measured: {spent}")
        return
    say("")
    print_table(costs.table(spent))
    where = "of the device" if game.device.type == "cuda" else "of this process"
    say(
        f"{spent.speed:,.0f} {item}s a second by batches of {spent.items} in {game.precision} on {game.device}, "
        f"at most {spent.memory / 1e9:.2f} GB {where}"
    )


def first_batch(module: AdversarialModule, data: GanDataModule) -> object:
    """The first batch of the stream, as networks take it; data that do not fit are refused as `fit` refuses them."""
    data.prepare_data()
    data.setup("fit")
    module.share(data.batch, 1)
    module.check_data(data)
    return data.to_network(next(iter(data.train_dataloader())))


def checks(game: Game, spent: costs.Costs | str) -> Iterator[Finding]:
    """One after another, those that take seconds with a word ahead."""
    images = len(game.few[0])
    say(f"audit    playing {STEPS} steps of {images} items")
    found = played(game, game.clock(images), STEPS * game.module.n_critic)
    for player in PLAYERS:
        yield movement(game, found, player)
    if (late := waiting(game)) is not None:
        yield late
    yield attempted("D's verdict reaches G", lambda: verdict_on_generator(game, found.module))
    yield attempted("D's loss reaches D", lambda: loss_on_discriminator(game, found.module))
    yield attempted("turns are apart", lambda: apartness(game))
    yield stillness(game, found)
    yield from equalities(game, spent)
    say("audit    float32, and bfloat16")
    try:
        yield from finite(game)
    except Exception as error:
        yield Finding("finite in fp32 and bf16", "does not apply", f"cannot be tried: {told(error)}")


def equalities(game: Game, spent: costs.Costs | str) -> Iterator[Finding]:
    """One batch beside its parts, where that takes no longer than an audit may."""
    equality, names = Equality(game), ("two micro-batches", "two processes")
    seconds = 0.0 if isinstance(spent, str) else PASSES * len(game.few[0]) / spent.speed
    if seconds > LONGEST:
        seen = f"would take {clock(seconds)} here: audit the same networks at a smaller size, or where there is a GPU"
        yield from (Finding(name, "does not apply", seen) for name in names)
        return
    say("audit    one batch, and two halves of it, in float64")
    yield attempted(names[0], lambda: equality.micro_batches)
    say("audit    the same on two processes")
    yield attempted(names[1], equality.processes)


def attempted(check: str, attempt: Callable[[], Finding]) -> Finding:
    """What a check finds, or why it cannot be tried."""
    try:
        return attempt()
    except Exception as error:
        return Finding(check, "does not apply", f"cannot be tried: {told(error)}")


def attempted_costs(game: Game) -> costs.Costs | str:
    """What the game costs, or why that cannot be told."""
    say("audit    counting and timing")
    try:
        return costs.costs(game)
    except Exception as error:
        return told(error)
