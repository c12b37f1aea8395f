"""What truncation trades: variety for likelihood, class by class."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.errors import within
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.options import FARTHEST, SEEDS
from ganlit.studies.evaluation.trained import Checkpoint, knows
from ganlit.studies.latent.folder import Folder, apart
from ganlit.studies.latent.keys import chosen, values
from ganlit.studies.latent.subject import Subject


def truncate(
    run: str,
    psi: str = "0,0.25,0.5,0.75,1,1.25",
    seeds: str = "0-3",
    classes: str | None = None,
    count: int = 32,
    seed: int = 0,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
) -> None:
    """Draw items at several truncations, class by class, and measure how much variety each leaves.

    Args:
        run: the run directory, such as runs/stylegan_lite, or the .safetensors file of an averaged generator
        psi: the truncations, a column each
        seeds: of each class the items that are drawn, such as 7,3,5 or 0-3
        classes: such as 3, or 0-9; all of them by default
        count: items of a class by which variety is measured: the root mean squared difference of two of them, in parts
            of the range of their values
        seed: of the latents
        out: an empty or new folder; by default `latent-truncate` in the run directory
        checkpoint: of a run directory, the last, or the best of the validations

    Raises:
        UserError: the run makes no images from noise, its generator knows no truncation, or the folder is not empty.
    """
    within("--seed", seed, least=0, below=SEEDS)
    within("--count", count, least=2, most=2**14)
    psis, numbers = values(psi, "--psi", 0, FARTHEST), chosen(seeds, "--seeds")
    folder = Folder(run, "truncate", out)
    subject = Subject(run, checkpoint, classes=classes)
    knows(subject.module, "truncation", run, "psi")
    subject.need_styles("Truncation")
    folder.make()
    many = subject.z(range(count), seed)
    shown = subject.z(numbers, seed)
    table, rows, latents, labels = [], [], list[Tensor](), list[Tensor]()
    with Bars() as bars:
        advance = bars.counted("classes", len(subject.turn))
        for label in dict.fromkeys(subject.turn):
            of, drawn = torch.full((count,), label, device=subject.device), []
            for each in psis:
                found = subject.latents(shown, of[:1].expand(len(shown)), truncation=each)
                drawn.append(subject.made(found, of[:1].expand(len(shown)), alone=True))
                latents.append(found)
                labels.append(of[:1].expand(len(shown)))
                sample = subject.made(subject.latents(many, of, truncation=each), of)
                table.append({"class": label, "psi": each, "variety": float(apart(sample, sample.roll(1, 0)).mean())})
            rows += [torch.stack(drawn, 1).flatten(0, 1)]
            advance(1)
    folder.picture(subject, rows, len(psis))
    names = [f"class{row['class']}-psi{row['psi']:g}-seed{number}" for row in table for number in numbers]
    folder.latents(subject, torch.cat(latents), torch.cat(labels), names)
    folder.table(table)
    variety = {
        f"{each:g}": sum(row["variety"] for row in table if row["psi"] == each) * len(psis) / len(table)
        for each in psis
    }
    folder.numbers(
        subject.generator,
        subject.space,
        {"seed": seed, "seeds": numbers, "count": count, "variety": variety, "classes": table},
    )
    folder.told(f"{len(psis)} truncations of {len(rows)} class{'es' * (len(rows) != 1)}")
