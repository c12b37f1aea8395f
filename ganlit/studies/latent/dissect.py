"""What single units of a generator do, seen by switching them off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from rich.table import Table
from torch import Tensor

from ganlit.compute.console import print_table
from ganlit.errors import within
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.options import SEEDS
from ganlit.studies.evaluation.trained import Checkpoint
from ganlit.studies.latent.eye import Eye, Seen, eye_of
from ganlit.studies.latent.folder import Folder
from ganlit.studies.latent.plate import Cell
from ganlit.studies.latent.score import holm, p_value
from ganlit.studies.latent.subject import Subject
from ganlit.studies.latent.units import Layer, chosen_layer, heard, mapped, off, separation

ALL = "all"
"""What units that change most of anything are called, beside those of a class."""


class Items(NamedTuple):
    """What is made with all units, and again without some."""

    latents: Tensor  # [N, L, d]
    label: Tensor  # [N]
    seen: Seen
    of: Tensor  # [N]: the class that the probe finds; 0 without one


class Units(NamedTuple):
    """A set of units."""

    of: str  # the class that they are taken away from, or ALL
    number: int  # of the class; -1 for ALL
    units: list[int]


def dissect(
    run: str,
    layer: str | None = None,
    together: int = 4,
    fitted: int = 60,
    count: int = 160,
    random: int = 12,
    shown: int = 8,
    classes: str | None = None,
    extractor: str | None = None,
    seed: int = 0,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
) -> None:
    """Switch units of a generator off, one by one, and tell which classes they make: GAN dissection by a class probe.

    A unit is a channel of a layer. Those that cost a class most are then switched off together, in other items, beside
    random sets of as many units.

    Args:
        run: the run directory, such as runs/stylegan_lite, or the .safetensors file of an averaged generator
        layer: of the generator, such as layers.3; by default the last one of a quarter of the final side
        together: units of a set
        fitted: items by which units are found
        count: others, in which the sets are tested
        random: sets of units drawn at random, to compare with
        shown: items of a set in the picture
        classes: of the items in turn, such as 3, or 0-9; all of them by default
        extractor: of the features, such as efficientnet-lite0; by default that of the run's own measures
        seed: of the latents and of random sets
        out: an empty or new folder; by default `latent-dissect` in the run directory
        checkpoint: of a run directory, the last, or the best of the validations

    Raises:
        UserError: the run makes no images from noise, its generator has no such layer, its data or the extractor are
            not there, or the folder is not empty.
    """
    within("--seed", seed, least=0, below=SEEDS)
    for option, value, least in (("together", together, 1), ("fitted", fitted, 2), ("count", count, 2)):
        within(f"--{option}", value, least=least, most=2**14)
    within("--random", random, least=2, most=2**10)
    within("--shown", shown, least=1, most=64)
    folder = Folder(run, "dissect", out)
    subject = Subject(run, checkpoint, classes=classes)
    chosen = layer_of(subject, layer)
    within("--together", together, least=1, most=chosen.units - 1)
    with Bars() as bars:
        eye = eye_of(run, extractor, bars.replacing_lines)
        folder.make()
        first, activity = looked_at(subject, eye, chosen, fitted, seed)
        advance = bars.counted("units", chosen.units)
        found = [one_off(subject, eye, chosen, [unit], first, advance) for unit in range(chosen.units)]
        lost, clear = torch.stack([drops(each, first, eye) for each in found]), separations(activity, first, eye)
        rows = [row_of(unit, each, first, lost[unit], clear[unit], eye) for unit, each in enumerate(found)]
        sets = sets_of(lost, rows, together, eye)
        second, _ = looked_at(subject, eye, chosen, count, seed + 1)
        stream = torch.Generator().manual_seed(seed)
        drawn = [torch.randperm(chosen.units, generator=stream)[:together].tolist() for _ in range(random)]
        advance = bars.counted("sets", random + len(sets))
        others = [one_off(subject, eye, chosen, each, second, advance) for each in drawn]
        tested = [one_off(subject, eye, chosen, each.units, second, advance) for each in sets]
    judged = judgements(sets, tested, others, second, eye)
    strips(folder, subject, chosen, sets, second, shown)
    folder.latents(subject, second.latents, second.label)
    folder.table([{**row, "units": " ".join(map(str, row["units"]))} for row in judged], "sets")
    folder.table(rows, "units")
    about = {"seed": seed, "layer": chosen.name, "side": chosen.side, "units": chosen.units, "together": together}
    about |= {"fitted": fitted, "count": count, "random": random, "extractor": eye.extractor.protocol}
    about |= {"against": eye.against} | ({"probe_accuracy": eye.probe.accuracy} if eye.probe is not None else {})
    folder.numbers(subject.generator, subject.space, {**about, "sets": judged})
    print_table(table_of(judged, chosen))
    sure = sum(row["p"] < 0.05 for row in judged)
    folder.told(f"{chosen.units} units of {chosen.name}, {sure} of {len(judged)} sets of {together} beyond chance,")


def layer_of(subject: Subject, asked: str | None) -> Layer:
    """The layer that is dissected.

    Raises:
        UserError: there is none such.
    """
    with mapped(subject.generator) as layers:
        image = subject.made(*subject.sample(1))
    who = f"{type(subject.generator).__name__} in {subject.run}"
    return chosen_layer([*layers.values()], asked, who, image.shape[1])


def looked_at(subject: Subject, eye: Eye, layer: Layer, count: int, seed: int) -> tuple[Items, Tensor]:
    """So many items, and how active each unit is in them, [N, units]."""
    latents, label = subject.sample(count, seed)
    with heard(subject.generator, layer) as active:
        stored = subject.made(latents, label)
    seen = eye.see(stored)
    of = torch.zeros(count, dtype=torch.int64) if seen.shares is None else seen.shares.argmax(1)
    return Items(latents, label, seen, of), torch.cat(active)


def one_off(
    subject: Subject, eye: Eye, layer: Layer, units: Sequence[int], items: Items, advance: Callable[[int], None]
) -> Seen:
    """The same items without these units."""
    with off(subject.generator, layer, units):
        stored = subject.made(items.latents, items.label)
    advance(1)
    return eye.see(stored)


def changes(seen: Seen, items: Items) -> Tensor:
    """[N] from 0 on: the total variation of class shares; of features without classes, 1 being two real items."""
    if seen.shares is None:
        apart = (seen.features - items.seen.features).norm(dim=1)
        return (apart / (2 * seen.features.shape[1]) ** 0.5).double()
    return (seen.shares - items.seen.shares).abs().sum(1) / 2


def losses(seen: Seen, items: Items) -> Tensor:
    """[N]: what the class that an item had loses of its share."""
    rows = torch.arange(len(items.of))
    return items.seen.shares[rows, items.of] - seen.shares[rows, items.of]


def drops(seen: Seen, items: Items, eye: Eye) -> Tensor:
    """[K]: the mean loss of the items of each class; 0 where there are none. Without classes [0]."""
    if seen.shares is None:
        return torch.zeros(0, dtype=torch.float64)
    lost = losses(seen, items)
    own = [lost[items.of == each] for each in range(len(eye.classes))]
    return torch.stack([each.mean() if len(each) else torch.zeros((), dtype=torch.float64) for each in own])


def separations(activity: Tensor, items: Items, eye: Eye) -> Tensor:
    """[units, K]: how well activity [N, units] tells each class from the others; [units, 0] without classes."""
    if items.seen.shares is None:
        return torch.zeros(activity.shape[1], 0, dtype=torch.float64)
    return torch.stack([separation(activity, items.of == each) for each in range(len(eye.classes))], 1)


def row_of(unit: int, seen: Seen, items: Items, lost: Tensor, clear: Tensor, eye: Eye) -> dict[str, Any]:
    """What is told of a unit: what it costs when it is off, and for which class it is most active.

    Args:
        lost, clear: [K], its `drops` and `separations`.
    """
    row: dict[str, Any] = {"unit": unit, "effect": float(changes(seen, items).mean())}
    if seen.shares is None:
        return row
    return row | {
        "costs": eye.classes[int(lost.argmax())],
        "loss": float(lost.max()),
        "speaks_for": eye.classes[int(clear.argmax())],
        "auc": float(clear.max()),
    }


def sets_of(lost: Tensor, rows: list[dict[str, Any]], together: int, eye: Eye) -> list[Units]:
    """The units [units, K] that change most of all, and for each class those that cost it most."""
    effect = torch.tensor([row["effect"] for row in rows])
    found = [Units(ALL, -1, effect.topk(together).indices.tolist())]
    for number in range(lost.shape[1]):
        found.append(Units(eye.classes[number], number, lost[:, number].topk(together).indices.tolist()))
    return found


def judgements(
    sets: list[Units], tested: list[Seen], others: list[Seen], items: Items, eye: Eye
) -> list[dict[str, Any]]:
    """Each set beside random ones, in the items that it is about: a paired test of their differences, by Holm."""
    rows, values = list[dict[str, Any]](), list[float]()
    for units, seen in zip(sets, tested, strict=True):
        own = torch.ones_like(items.of, dtype=torch.bool) if units.of == ALL else items.of == units.number
        measure = changes if units.of == ALL else losses
        if not own.any():
            continue
        there, chance = measure(seen, items)[own], torch.stack([measure(each, items)[own] for each in others]).mean(0)
        rows.append({"set": units.of, "units": units.units, "items": int(own.sum()), "effect": float(there.mean())})
        rows[-1]["random_effect"] = float(chance.mean())
        rest = changes(seen, items)[~own]
        rows[-1]["effect_on_others"] = float(rest.mean()) if len(rest) else ""
        values.append(p_value(there - chance))
    return [{**row, "p": value} for row, value in zip(rows, holm(values), strict=True)]


def strips(folder: Folder, subject: Subject, layer: Layer, sets: list[Units], items: Items, shown: int) -> None:
    """Two rows for each set: items of its class with all units, and without these."""
    rows = []
    for units in sets:
        own = torch.arange(len(items.of))[(items.of == units.number) | (units.of == ALL)][:shown]
        if not len(own):
            continue
        latents, label = items.latents[own.to(items.latents.device)], items.label[own.to(items.label.device)]
        there = subject.made(latents, label, alone=True)
        with off(subject.generator, layer, units.units):
            without = subject.made(latents, label, alone=True)
        words = "all items" if units.of == ALL else f"class {units.of}"
        names = [words, *[""] * (len(own) - 1)]
        listed = ["without\n" + ",".join(map(str, units.units)), *[""] * (len(own) - 1)]
        rows.append([Cell(image, name) for image, name in zip(there, names, strict=True)])
        rows.append([Cell(image, name) for image, name in zip(without, listed, strict=True)])
    folder.plate(rows)


def table_of(rows: list[dict[str, Any]], layer: Layer) -> Table:
    table = Table(title=f"sets of units of {layer.name}, {layer.side}x{layer.side}", title_justify="left")
    for name in ("taken from", "units", "items", "loses", "random", "p (Holm)", "others change"):
        table.add_column(name, justify="left" if name in ("taken from", "units") else "right")
    for row in rows:
        figures = f"{row['effect']:.3f}", f"{row['random_effect']:.3f}", f"{row['p']:.4f}"
        beside = f"{row['effect_on_others']:.3f}" if row["effect_on_others"] != "" else ""
        table.add_row(row["set"], ",".join(map(str, row["units"])), str(row["items"]), *figures, beside)
    return table
