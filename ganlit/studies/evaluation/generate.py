"""Items from a trained run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlit.compute.console import say
from ganlit.configuration.names import modalities
from ganlit.configuration.rebuild import setting
from ganlit.contracts import Modality
from ganlit.errors import UserError, within
from ganlit.studies.evaluation.options import MOST, numbers, refuse_numbers
from ganlit.studies.evaluation.outputs import beside, make_room, new, room_for_items, writing
from ganlit.studies.evaluation.subject import reachable
from ganlit.studies.evaluation.trained import (
    Checkpoint,
    finite,
    from_noise,
    knows,
    loaded,
    makes_from_noise,
    place,
    takes,
)
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.step import stateless_seed

COUNT = 64  # items, unless something else is asked for
TOGETHER = 256  # items shown, at most
MOST_FRAMES = 2**16  # of a clip
LONGEST = 2**16  # symbols of a text


def generate(
    run: str,
    count: int | None = None,
    seed: int = 0,
    seeds: str | None = None,
    truncation: float = 1.0,
    out: str | None = None,
    classes: str | None = None,
    frames: int | None = None,
    fps: float | None = None,
    temperature: float = 1.0,
    prefix: str = "",
    length: int | None = None,
    checkpoint: Checkpoint = "last",
) -> None:
    """Write what a trained run makes, each in a file, and beside their folder the first ones together to look at.

    Texts may stand in one file, a line each.

    Args:
        run: the run directory, such as runs/stylegan_lite, or the .safetensors file of an averaged generator
        count: number of items, 64 by default
        seed: of the latents; item i depends on it and on i alone
        seeds: which items to write instead of the first ones, such as 7, or 1,2,3, or 0-15; each is called by its
            number and is the same in any company
        truncation: psi; below one, fewer failures and less variety
        out: an empty or new folder; by default `generated` in the run directory, or beside the file; of texts also a
            new file, NAME.txt, or NAME.jsonl, which tells of each by which seed, number and options it was written
        classes: the classes in turn, such as 3, or 3,4, or 0-4; all of them by default
        frames: of each clip; by default as many as in the training
        fps: frames a second, between those of the training where there are more; by default as many
        temperature: of texts; below one, likelier symbols and less variety, and 0 takes the likeliest
        prefix: how each text begins
        length: symbols of a text at most; by default as many as in the training
        checkpoint: of a run directory, the last, or the best of the validations

    Raises:
        UserError: the run cannot be loaded, the folder is not empty, or the generator knows no such class or option.
    """
    refuse_numbers(count, truncation, seed, temperature=temperature)
    within("--frames", frames, least=1, most=MOST_FRAMES, optional=True)
    within("--length", length, least=1, most=LONGEST, optional=True)
    chosen = items(count, seeds)
    reachable(run)
    path = Path(out) if out is not None else beside(run) / "generated"
    kind = setting(run).data.modality
    listed = lists(path, [kind])
    if listed:
        new(path, "--out")
    else:
        picture = room_for_items(path, "--out", [])
        if lists(path):
            raise UserError(f"--out {path} is a file of many, but {kind.item}s are each in their own: name a folder.")
    module = loaded(run, checkpoint)
    makes_from_noise(module, run)
    modality, apart = kind.paced(fps)
    turn = turns(module, classes, run)
    asked = {
        "truncation": (truncation, 1),
        "frames": (frames, None),
        "step": (apart, 1),
        "temperature": (temperature, 1),
        "prefix": (prefix, ""),
        "length": (length, None),
    }
    options: dict[str, Any] = {name: value for name, (value, usual) in asked.items() if value != usual}
    for name in options:
        knows(module, name, run, {"step": "fps"}.get(name))
    if length is not None:
        refuse_length(module, length, run)
    if prefix:
        options["prefix"] = modality.prefix(prefix, length=length or module.generator.length).to(place())
    module.to(place())

    def made() -> Iterator[Tensor]:
        for number in chosen:
            output = one(module, turn[number % len(turn)], stateless_seed(seed, number), options)
            yield modality.to_stored(finite(output, run))

    what = f"{len(chosen)} {modality.item}{'s' * (len(chosen) != 1)}"
    if listed:
        known = {name: value for name, (value, _) in asked.items() if value is not None and takes(module, name)}
        make_room(path.parent, path, "--out")
        with writing("--out", path):
            modality.write_all(made(), path, facts(module, chosen, turn, {"seed": seed, **known}))
        say(f"{what} in {path}")
        return
    make_room(path, path, "--out")
    make_room(picture.parent, picture, "--out")
    digits = max(6, len(str(max(chosen))))
    shown = []
    with writing("--out", path):
        for number, item in zip(chosen, made(), strict=True):
            modality.write(item[0], path / f"{number:0{digits}}")
            shown += [item] if len(shown) < TOGETHER else []
        columns = len(turn) if seeds is None and 1 < len(turn) <= 16 else math.ceil(math.sqrt(len(shown)))
        files = modality.show(shown, columns, picture.with_suffix(""))
    first = "" if len(shown) == len(chosen) else f"the first {len(shown)} "
    say(f"{what} in {path}, {first}together in {', '.join(map(str, files))}")


def refuse_length(module: AdversarialModule, length: int, run: str) -> None:
    """Refuses texts that are longer than a generator can go through.

    Raises:
        UserError: they are.
    """
    longest = module.generator.longest
    if longest is not None and length > longest:
        raise UserError(
            f"--length is {length:,}, but the {type(module.generator).__name__} of {run} knows {longest:,} places: ask "
            "for as many at most."
        )


def items(count: int | None, seeds: str | None) -> Sequence[int]:
    """The numbers of the items to be written."""
    if seeds is None:
        return range(COUNT if count is None else count)
    if count is not None:
        raise UserError(f"--count is {count} beside --seeds {seeds}, which says how many: leave one of them out.")
    spans = numbers(seeds, "--seeds")
    if max(span.stop for span in spans) > MOST:
        raise UserError(f"--seeds {seeds}: the largest is {MOST - 1:,}, and there are no more items than that.")
    return spans[0] if len(spans) == 1 else list(dict.fromkeys(chain(*spans)))


def turns(module: AdversarialModule, classes: str | None, run: str) -> list[int]:
    """The classes that items take in turn: those of which the training had items, where that is known."""
    known = max(getattr(module.generator, "classes", 0), 1)
    populated = getattr(module, "populated", None) or range(known)
    if classes is None:
        return list(populated)
    spans = numbers(classes, "--classes")
    if beyond := [span for span in spans if span.stop > known]:
        raise UserError(f"--classes: there is no class {max(beyond[0].start, known)}; this run knows 0 to {known - 1}.")
    asked = list(chain(*spans))
    if bare := sorted(set(asked) - set(populated)):
        raise UserError(f"--classes: {run} has never seen an item of class {bare[0]}; leave it out.")
    return asked


def facts(
    module: AdversarialModule, chosen: Sequence[int], turn: Sequence[int], options: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """By what each item is made: its number, its class where the generator knows some, and what all have in common."""
    classes = getattr(module.generator, "classes", 0)
    for number in chosen:
        yield {"number": number, **({"label": turn[number % len(turn)]} if classes else {}), **options}


def lists(path: Path, kinds: Iterable[Modality] | None = None) -> bool:
    """Whether a path is called like a file of many items, of some kinds of data or of any."""
    kinds = modalities() if kinds is None else kinds
    return any(path.suffix.lower() in kind.listings for kind in kinds)


@torch.no_grad()
def one(module: AdversarialModule, label: int, seed: int, options: dict[str, Any]) -> Tensor:
    """The item [1, ...] of a seed: alone in its batch, it depends on nothing else."""
    torch.manual_seed(seed)
    return from_noise(module, torch.tensor([label], device=module.device), **options).cpu()
