"""Whether single numbers of a latent say single factors of an image, where these are known."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from matplotlib.figure import Figure
from rich.table import Table
from torch import Tensor

from ganlit.compute.console import print_table
from ganlit.configuration.rebuild import setting
from ganlit.contracts import Space
from ganlit.errors import UserError, within
from ganlit.metrics.disentanglement import BINS, TREES, dci, mutual_information, mutual_information_gap
from ganlit.metrics.protocol import Protocol
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.encode import encodes
from ganlit.studies.evaluation.options import SEEDS
from ganlit.studies.evaluation.trained import Checkpoint, loaded, passing, place
from ganlit.studies.latent.factors import Known, known, read, reading
from ganlit.studies.latent.folder import Folder
from ganlit.studies.latent.plate import Cell
from ganlit.studies.latent.subject import TOGETHER, Subject
from ganlit.tasks.base import AdversarialModule

ASKED = 1000  # images in which the reading is tested
SHOWN = 12  # in the picture of it


class Coded(NamedTuple):
    """Images with their codes and levels."""

    codes: Tensor  # [N, D]
    levels: Tensor  # [N, F]
    space: str  # code, z, or w
    seen_by: str  # what says the levels, as ids have it
    told: dict[str, Any]
    shown: list[list[Cell]]  # some of the images above what they are read as; empty where levels are known


def disentangle(
    run: str,
    points: int = 10_000,
    space: Space | None = None,
    seed: int = 0,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
) -> None:
    """Measure disentanglement where the factors of images are known, as of shapes: MIG and DCI, with protocol ids.

    Of an autoencoder the codes of training images count, whose factors are known. Of a generator from noise latents
    count, and the factors of what it makes of them are those of the training image nearest to it; how often this is
    right is told.

    Args:
        run: the run directory, such as runs/shapes, or the .safetensors file of an averaged generator
        points: images; disentanglement_lib has 10,000
        space: of a generator, z, or w, where it has styles, which is the default there
        seed: of the choice of images, or of latents, and of DCI's forests
        out: an empty or new folder; by default `latent-disentangle` in the run directory
        checkpoint: of a run directory, the last, or the best of the validations

    Raises:
        UserError: no factors are known, the run has no latents of this kind, or the folder is not empty.
    """
    within("--seed", seed, least=0, below=SEEDS)
    within("--points", points, least=100, most=2**17)
    if space == "w+":
        raise UserError("--space w+: a code has one style: write --space w, or leave it out.")
    folder = Folder(run, "disentangle", out)
    module = loaded(run, checkpoint).to(place())
    there = known(run)
    with Bars() as bars:
        if module.takes_data:
            if space is not None:
                raise UserError(f"--space {space}: {run} is an autoencoder, whose codes are meant: leave it out.")
            coded = encoded(module, run, there, points, seed, bars)
        else:
            coded = generated(Subject(run, checkpoint, space, module=module), there, points, seed, bars)
        values, said = measured(coded.codes, coded.levels, seed)
        order = torch.randperm(len(coded.codes), generator=torch.Generator().manual_seed(seed))
        chance, _ = measured(coded.codes[order], coded.levels, seed)
    folder.make()
    if coded.shown:
        folder.plate(coded.shown, "reading")
    rows = factors(coded, there, said)
    folder.figure(matrix(said, there), "information")
    folder.table(rows, "factors")
    reference = there.data.stored.reference
    ids = {
        str(protocol(name, len(coded.codes), coded, f"{reference.name}@{reference.digest[:6]}", seed)): value
        for name, value in values.items()
    }
    folder.numbers(
        module.ema.module,
        coded.space,
        {"seed": seed, "points": len(coded.codes), **coded.told, "metrics": ids}
        | {"of_shuffled_codes": chance, "factors": rows},
    )
    print_table(table_of(ids, values, chance))
    folder.told(f"{len(coded.codes):,} codes of {coded.codes.shape[1]} numbers,")


def encoded(module: AdversarialModule, run: str, there: Known, points: int, seed: int, bars: Bars) -> Coded:
    """Codes of training images: the means, where there is a posterior."""
    encodes(module, run)
    kind = setting(run).data.modality
    if getattr(module.generator, "codes", 0):
        raise UserError(f"{run} has a codebook, whose codes are names and no numbers: name another run.")
    places = torch.randperm(len(there.levels), generator=torch.Generator().manual_seed(seed))[:points]
    advance, found = bars.counted("images", len(places)), []
    reference = there.data.stored.reference
    for each in places.split(TOGETHER):
        images = kind.to_network(reference.items[each].to(module.device))
        with passing("images of shapes", module, run):
            latent, _ = module.ema.module.encode(images, reference.labels[each].to(module.device))
        found.append(latent.float().flatten(1).cpu())
        advance(len(each))
    return Coded(torch.cat(found), there.levels[places], "code", "-/-", {}, [])


def generated(subject: Subject, there: Known, points: int, seed: int, bars: Bars) -> Coded:
    """Latents, and the factors that are read in what is made of them."""
    latents, label = subject.sample(points, seed)
    stored = subject.made(latents, label)
    right, usual = reading(there, ASKED, seed)
    found, distance = read(stored, there, bars.counted("images", points))
    first = [Cell(image, f"item {number}") for number, image in enumerate(stored[:SHOWN])]
    as_read = zip(there.items[found[:SHOWN]], distance[:SHOWN].tolist(), strict=True)
    shown = [first, [Cell(image, f"{each:.3f} off") for image, each in as_read]]
    told = {"read_rightly": dict(zip(there.names, right.tolist(), strict=True)), "read_in": ASKED}
    told |= {"distance": float(distance.mean()), "distance_of_shapes_between": usual}
    return Coded(latents[:, 0].cpu(), there.levels[found], subject.space, "nearest/values", told, shown)


def measured(codes: Tensor, levels: Tensor, seed: int) -> tuple[dict[str, float], Tensor]:
    """MIG and DCI by name, and what each number of the codes [N, D] says of each factor, [D, F]."""
    said, forests = mutual_information(codes, levels), dci(codes, levels, seed)._asdict()
    return {"mig": mutual_information_gap(said, levels)} | {
        f"dci-{name}": value for name, value in forests.items()
    }, said


def protocol(name: str, count: int, coded: Coded, reference: str, seed: int) -> Protocol:
    """The name of a number: how many points, bins or trees, which code, what says the factors, and the seed."""
    size = f"{BINS}bins" if name == "mig" else f"{TREES}trees"
    return Protocol(name, count, f"{size}-{coded.space}-s{seed}", coded.seen_by, reference, "ema")


def factors(coded: Coded, there: Known, said: Tensor) -> list[dict[str, Any]]:
    """Of each factor how many levels occur, which number of a code says most of it, and how much."""
    best = said.topk(2, 0)
    return [
        {"factor": name, "levels": len(coded.levels[:, place].unique()), "number": int(best.indices[0, place])}
        | {"said": float(best.values[0, place]), "gap": float(best.values[0, place] - best.values[1, place])}
        for place, name in enumerate(there.names)
    ]


def matrix(said: Tensor, there: Known) -> Figure:
    """What each number of a code says of each factor: those that say most of anything come first."""
    order = said.amax(1).argsort(descending=True)
    figure = Figure(figsize=(min(12, 2.5 + 0.16 * len(said)), 0.5 + 0.42 * len(there.names)), layout="constrained")
    axes = figure.subplots()
    drawn = axes.imshow(said[order].T.numpy(), cmap="viridis", vmin=0, aspect="auto")
    axes.set_yticks(range(len(there.names)), there.names)
    axes.set_xticks(range(len(order)), [str(int(place)) for place in order], fontsize=5, rotation=90)
    axes.set_xlabel("number of the code")
    figure.colorbar(drawn, label="of the entropy")
    return figure


def table_of(ids: dict[str, float], values: dict[str, float], chance: dict[str, float]) -> Table:
    table = Table(title="beside codes that were dealt out anew", title_justify="left")
    for name in ("number", "value", "by chance"):
        table.add_column(name, justify="left" if name == "number" else "right", overflow="fold")
    for name, key in zip(ids, values, strict=True):
        table.add_row(name, f"{ids[name]:.3f}", f"{chance[key]:.3f}")
    return table
