"""Whether every number is finite in both precisions, and how far apart they are."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ganlit.studies.audit.findings import Finding, kind_of
from ganlit.studies.audit.game import Game, play
from ganlit.studies.audit.reach import tensor_of
from ganlit.tasks.clocked import PLAYERS


class Numbers(NamedTuple):
    """What a step in one precision gives."""

    terms: dict[str, float]
    output: Tensor  # of the average, [B, ...]
    codes: Tensor | None  # [B, ...] that it chose, if it has a codebook
    skipped: list[str]  # what is not finite: "generator/adversarial"
    culprit: str | None  # the first module that gave such


def numbers(game: Game, precision: str) -> Numbers:
    """A step of both players in a precision."""
    module, images = game.copy(), len(game.few[0])
    culprits: list[str] = []

    def look(name: str, part: nn.Module, output: Tensor) -> None:
        if not culprits and not bool(output.isfinite().all()):
            culprits.append(kind_of(name, part))

    for player in PLAYERS:
        for name, part in getattr(module, player).named_modules():
            place = f"{player}.{name}" if name else player
            part.register_forward_hook(lambda part, _, output, place=place: look(place, part, tensor_of(output)))
    play(module, [game.few] * module.n_critic, game.clock(images), game.device, precision)
    module.to(game.device)
    batch = module.transfer_batch_to_device(game.few, game.device, 0)
    with torch.autocast(game.device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
        sampled = game.copy().to(game.device).eval().sampled(batch, 0)
    terms = {name: float(value) for name, value in module.latest.items()}
    codes = sampled.side.get("codes")
    return Numbers(terms, sampled.output.float(), codes, list(module.skipped), next(iter(culprits), None))


def finite(game: Game) -> list[Finding]:
    """Of each precision whether all is finite, and of bfloat16 how far it is from the other."""
    full, mixed = numbers(game, "32-true"), numbers(game, "bf16-mixed")
    return [told("finite in fp32", full, "lower the scale of its weights or inputs"), compared(full, mixed)]


def told(check: str, found: Numbers, remedy: str) -> Finding:
    """Whether terms, gradients and output are finite."""
    if found.skipped or not bool(found.output.isfinite().all()):
        seen = f"not finite: {', '.join(found.skipped) or 'the output of the average'}"
        cause = f"The first to give such is {found.culprit}" if found.culprit else "No module gives such: a term does"
        return Finding(check, "fails", seen, f"{cause}: {remedy}.")
    return Finding(check, "ok", f"{len(found.terms)} terms and norms, and the output")


def compared(full: Numbers, mixed: Numbers) -> Finding:
    """The same for bfloat16, and the largest distance of a term and of the output."""
    remedy = "train in trainer.precision 32-true, or compute that in float32, under torch.autocast(..., enabled=False)"
    found = told("finite in bf16", mixed, remedy)
    if found.status != "ok":
        return found
    gaps = {
        name: abs(value - full.terms[name]) / max(abs(full.terms[name]), 1e-6)
        for name, value in mixed.terms.items()
        if "/" in name and name in full.terms
    }
    seen = f"outputs differ by {distance(full.output, mixed.output):.2%}{rounded_codes(full, mixed)}"
    if gaps:
        name = max(gaps, key=gaps.__getitem__)
        values = f"{name} {full.terms[name]:.4g} in fp32, {mixed.terms[name]:.4g} in bf16"
        seen = f"{seen}, terms by {gaps[name]:.1%} at most ({values})"
    return Finding(found.check, "ok", seen)


def rounded_codes(full: Numbers, mixed: Numbers) -> str:
    """Of a network with codes, how many are others in bfloat16, and how far outputs are apart where none is."""
    if full.codes is None or mixed.codes is None or not bool((others := mixed.codes != full.codes).any()):
        return ""
    same = ~others.flatten(1).any(dim=1)
    kept = distance(full.output[same], mixed.output[same])
    rest = f"{kept:.2%} in items that keep their codes: " if same.any() else ""
    return f" ({rest}rounding changes {others.float().mean():.1%} of the codes, where two are almost as near)"


def distance(full: Tensor, mixed: Tensor) -> float:
    """By the size of the former."""
    return float((mixed - full).norm() / full.norm().clamp(min=1e-12))
