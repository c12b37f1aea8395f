"""Where in an image the discriminator's verdict comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from ganlit.compute.console import say
from ganlit.errors import within
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.options import SEEDS
from ganlit.studies.evaluation.subject import data_of
from ganlit.studies.evaluation.trained import Checkpoint
from ganlit.studies.latent.attribution import BOUND, Attribution, integrated_gradients, without
from ganlit.studies.latent.folder import Folder
from ganlit.studies.latent.judge import Judge
from ganlit.studies.latent.keys import chosen
from ganlit.studies.latent.plate import Cell
from ganlit.studies.latent.score import p_value
from ganlit.studies.latent.subject import Subject

Baseline = Literal["blurred", "mean"]
SHARE = 0.1  # of the places, that are taken out for a test
DRAWS = 8  # of as many places at random
BLUR = 8  # of an image's side: its part that is the deviation of a blur


class Side(NamedTuple):
    """Images of one kind, and what is said of them."""

    kind: Literal["generated", "real"]
    names: list[str]
    stored: Tensor  # [N, C, H, W]
    label: Tensor  # [N]
    latents: Tensor | None = None  # [N, L, d]


def saliency(
    run: str,
    seeds: str = "0-7",
    baseline: Baseline = "blurred",
    steps: int = 64,
    classes: str | None = None,
    seed: int = 0,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
) -> None:
    """Draw where in items and in real images the discriminator's verdict comes from, by integrated gradients.

    Red speaks for real, blue against it: each place by how much of the verdict, beside that of a baseline, is due to
    it. How far the sum over places is from the verdict is told, and by how much this falls where the tenth of places
    that speaks most for real is put back to the baseline, beside the tenth that differs most from it, and random ones.

    Args:
        run: the run directory, such as runs/stylegan_lite
        seeds: the items, as `generate` numbers them, such as 7,3,5 or 0-7; as many real images are beside them
        baseline: what an image is compared with: blurred, itself, or mean, that of the training images
        steps: on the way from the baseline to the image
        classes: of the items in turn, such as 3, or 0-9; all of them by default
        seed: of the latents, and of the choice of real images
        out: an empty or new folder; by default `latent-saliency` in the run directory
        checkpoint: of a run directory, the last, or the best of the validations

    Raises:
        UserError: the run makes no images from noise, has no discriminator that could be asked, or its data are not
            there, or the folder is not empty.
    """
    within("--seed", seed, least=0, below=SEEDS)
    within("--steps", steps, least=2, most=10**5)
    numbers = chosen(seeds, "--seeds")
    folder = Folder(run, "saliency", out)
    subject = Subject(run, checkpoint, classes=classes)
    judge = Judge(subject, data_of(run).trained_of("target"))
    folder.make()
    rows, drawn = list[dict[str, Any]](), list[list[Cell]]()
    tests: dict[str, Any] = {}
    with Bars() as bars:
        advance = bars.counted("steps", 2 * steps)
        sides = generated(subject, numbers, seed), real_ones(judge, subject, numbers, seed)
        for side in sides:
            images = judge.kind.to_network(side.stored.to(subject.device))
            start = baselines(judge, images, baseline)
            ask = asked(judge, side.label)
            found = integrated_gradients(ask, images, start, steps, advance)
            removed = tested(ask, images, start, found, seed)
            told = zip(side.names, side.label.tolist(), found.verdict.tolist(), found.start.tolist(), strict=True)
            rows += [
                {"kind": side.kind, "name": name, "class": of, "verdict": verdict, "of_baseline": other}
                | {"gap": float(found.gap[place]), "incomplete": float(found.incomplete[place])}
                | {f"without_{name}": float(each[place]) for name, each in removed.items()}
                for place, (name, of, verdict, other) in enumerate(told)
            ]
            tests[side.kind] = {f"without_{name}": float(each.mean()) for name, each in removed.items()}
            for other in ("changed", "random"):
                tests[side.kind][f"p_beside_{other}"] = p_value(removed["strongest"] - removed[other])
            drawn += cells(judge, side, images, start, found)
    folder.plate(drawn)
    folder.table(rows)
    made = sides[0]
    folder.latents(subject, made.latents, made.label, made.names)
    worst = max(row["incomplete"] for row in rows)
    complete = sum(row["incomplete"] <= BOUND for row in rows) / len(rows)
    about = {"seed": seed, "baseline": baseline, "steps": steps, "discriminator": judge.who, "bound": BOUND}
    about |= {"in_company": judge.sociable, "complete": complete, "largest_incomplete": worst, "removed": SHARE}
    folder.numbers(subject.generator, subject.space, {**about, "tests": tests, "images": rows})
    if complete < 1:
        say(
            f"{1 - complete:.0%} of the sums are more than {BOUND:.0%} from the verdict that they are to explain, at "
            f"worst {worst:.0%}: take more --steps."
        )
    means = [f"{each['without_strongest']:.2f} ({each['without_changed']:.2f})" for each in tests.values()]
    folder.told(
        f"{len(numbers)} generated images and as many real ones: without the tenth of the places that speaks most for "
        f"real (that differs most from the baseline) verdicts fall by {means[0]} and {means[1]},"
    )


def generated(subject: Subject, numbers: list[int], seed: int) -> Side:
    label = subject.labels(numbers)
    latents = subject.latents(subject.z(numbers, seed), label)
    names = [f"{number:06}" for number in numbers]
    return Side("generated", names, subject.made(latents, label, alone=True), label, latents)


def real_ones(judge: Judge, subject: Subject, numbers: list[int], seed: int) -> Side:
    """As many training images, of the same classes where these are known, drawn by a seed."""
    order = torch.randperm(len(judge.real.items), generator=torch.Generator().manual_seed(seed))
    wanted, places = subject.labels(numbers).cpu(), []
    for place, label in enumerate(wanted.tolist()):
        own = order[judge.real.labels[order] == label] if judge.conditional else order
        own = own if len(own) else order
        places.append(int(own[place % len(own)]))
    names = [f"training-{place:06}" for place in places]
    return Side("real", names, judge.real.items[torch.tensor(places)], wanted.to(subject.device))


def asked(judge: Judge, label: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda images: judge.verdict(images, label)


def baselines(judge: Judge, images: Tensor, baseline: Baseline) -> Tensor:
    """[B, C, H, W]: of each image itself, blurred by an eighth of its side, or the mean of the training images."""
    if baseline == "mean":
        known = judge.kind.to_network(judge.real.items[: 2**12]).mean(0)
        return known.to(images).expand_as(images)
    side = min(images.shape[2:])
    return gaussian_blur(images, [2 * (side // 4) + 1] * 2, side / BLUR)


@torch.no_grad()
def tested(
    ask: Callable[[Tensor], Tensor], images: Tensor, start: Tensor, found: Attribution, seed: int
) -> dict[str, Tensor]:
    """By how much verdicts [B] fall without a tenth of the places.

    These are those that speak most for real by attribution; those where the image is farthest from its baseline, which
    are known without a discriminator; and some drawn at random, in the mean over draws.
    """
    strength, far = found.map.sum(1).flatten(1), (images - start).abs().sum(1).flatten(1)
    count = max(1, round(SHARE * strength.shape[1]))
    stream = torch.Generator().manual_seed(seed)

    def fall(order: Tensor) -> Tensor:
        return (found.verdict - ask(without(images, start, order, count)).double()).cpu()

    drawn = [fall(torch.rand(strength.shape, generator=stream).argsort(1)) for _ in range(DRAWS)]
    first, second = (fall(each.argsort(1, descending=True)) for each in (strength, far))
    return {"strongest": first, "changed": second, "random": torch.stack(drawn).mean(0)}


def cells(judge: Judge, side: Side, images: Tensor, start: Tensor, found: Attribution) -> list[list[Cell]]:
    """Three rows: images, what they are compared with, and what is due to each place."""
    maps = heat(found.map.sum(1), judge.kind.to_stored(images.cpu()))
    beside = judge.kind.to_stored(start.cpu())
    word = "real" if side.kind == "real" else "item"
    names = [f"{word} {int(name.rpartition('-')[2])}" for name in side.names]
    return [
        [Cell(image, name) for image, name in zip(side.stored, names, strict=True)],
        [Cell(image, f"says {said:+.1f}") for image, said in zip(beside, found.start.tolist(), strict=True)],
        [Cell(image, f"says {said:+.1f}") for image, said in zip(maps, found.verdict.tolist(), strict=True)],
    ]


def heat(maps: Tensor, stored: Tensor) -> Tensor:
    """Maps [B, H, W] as uint8 [B, 3, H, W]: red above 0, blue below, over faint images [B, C, H, W].

    Each has a scale of its own, whose end is its 99th percentile, so that one place does not leave the others pale.
    """
    most = maps.abs().flatten(1).quantile(0.99, 1).clamp(min=1e-30)
    share = (maps / most[:, None, None]).clamp(-1, 1).float().cpu()
    seen = stored.float().mean(1)
    below = 1 - 0.25 * seen / seen.flatten(1).amax(1).clamp(min=1)[:, None, None]
    red, blue = share.clamp(min=0), (-share).clamp(min=0)
    colours = [below * (1 - blue), below * (1 - red) * (1 - blue), below * (1 - red)]
    return (255 * torch.stack(colours, 1)).round().to(torch.uint8)
