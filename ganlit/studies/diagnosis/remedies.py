"""What to try first against an illness, as an overlay of the configuration of the run that has it."""

from __future__ import annotations

from typing import Any, NamedTuple

Tree = dict[str, Any]

PENALTIES = ("R1", "R2", "GradientPenalty")
"""Regularizers by which the discriminator's slope is bounded."""

GAMMA, EVERY = 1.0, 1
"""Of an R1 where there was none: by scale of items another is best, from 0.1 to 10."""


class Remedy(NamedTuple):
    """One change, so that what comes of it says something."""

    why: str
    overlay: Tree


def remedy(illness: str, config: Tree) -> Remedy | None:
    """The first thing to try; None where this configuration leaves nothing to try.

    Args:
        illness: by name, of `ganlit.metrics.detector.ILLNESSES`.
        config: resolved, of the run.
    """
    for attempt in ATTEMPTS[illness]:
        if (found := attempt(config)) is not None:
            name = {"name": f"{config['name']}-{illness}"}
            return Remedy(found.why, {**name, "model": {"init_args": found.overlay}})
    return None


def with_r1(config: Tree) -> Remedy | None:
    """Where nothing bounds the discriminator's slope."""
    there = regularizers(config)
    if any(bare(each) in PENALTIES for each in there):
        return None
    new = {"class_path": "R1", "init_args": {"weight": GAMMA, "every": EVERY}}
    why = f"nothing bounds the slope of the discriminator: R1 with a gamma of {GAMMA:g}"
    return Remedy(why, {"regularizers": [*there, new]})


def with_more(config: Tree) -> Remedy | None:
    """Penalties four times as heavy."""
    there = regularizers(config)
    if not any(bare(each) in PENALTIES for each in there):
        return None
    heavier = [
        {**each, "init_args": {**each["init_args"], "weight": 4 * each["init_args"]["weight"]}}
        if bare(each) in PENALTIES
        else each
        for each in there
    ]
    return Remedy("its penalty bounds the discriminator too little: four times the weight", {"regularizers": heavier})


def augmented(config: Tree) -> Remedy | None:
    """Images that the discriminator sees as they are."""
    images = str(config["data"].get("class_path", "")).startswith("ganlit.data.images")
    if not images or arguments(config).get("augment") is not None:
        return None
    return Remedy("the discriminator sees the same items again and again: ADA", {"augment": {"class_path": "ADA"}})


def rates(factor: float, *players: str) -> Any:
    """An attempt by other learning rates, where they can be read."""

    def attempt(config: Tree) -> Remedy | None:
        keys = [f"{player}_optimizer" for player in players]
        there = {key: arguments(config).get(key) for key in keys}
        overlay: Tree = {}
        for key, optimizer in there.items():
            rate = (optimizer.get("init_args") or {}).get("lr") if isinstance(optimizer, dict) else None
            if not isinstance(rate, float):
                return None
            overlay[key] = {"class_path": optimizer["class_path"], "init_args": {"lr": rate * factor}}
        word = "half" if factor < 1 else "twice"
        return Remedy(f"{word} the learning rate of the {' and the '.join(players)}", overlay)

    return attempt


BOTH = rates(0.5, "generator", "discriminator")

ATTEMPTS: dict[str, tuple[Any, ...]] = {
    "collapse": (with_r1, with_more, BOTH),
    "won": (with_r1, with_more, rates(0.5, "discriminator")),
    "overfits": (augmented, with_r1, with_more),
    "divergence": (with_r1, BOTH),
    "stagnation": (rates(2.0, "generator"),),
    "oscillation": (BOTH,),
}
"""By illness, in order: the first that the configuration has not already."""


def arguments(config: Tree) -> Tree:
    """Those of the task."""
    return config["model"].get("init_args") or {}


def regularizers(config: Tree) -> list[Tree]:
    return [each for each in arguments(config).get("regularizers") or [] if isinstance(each, dict)]


def bare(part: Tree) -> str:
    """The name of a class in a configuration, without its module."""
    return str(part.get("class_path", "")).rpartition(".")[2]
