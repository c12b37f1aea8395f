"""In how many directions latents lie."""

from __future__ import annotations

from typing import NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor

from ganlit.errors import within
from ganlit.metrics.fidelity import moments
from ganlit.studies.evaluation.options import SEEDS
from ganlit.studies.evaluation.trained import Checkpoint
from ganlit.studies.latent.folder import Folder
from ganlit.studies.latent.subject import KNOWN, Subject

SHARE = 0.9


class Spectrum(NamedTuple):
    """Eigenvalues [d] of a covariance, the largest first."""

    values: Tensor

    @property
    def dimension(self) -> float:
        """The participation ratio, (sum l)^2 / sum l^2: of d alike d, of a single one 1."""
        return float(self.values.sum().square() / self.values.square().sum().clamp(min=1e-300))

    @property
    def most(self) -> int:
        """How many of them hold nine tenths of the variance."""
        shares = self.values.cumsum(0) / self.values.sum().clamp(min=1e-300)
        return int((shares < SHARE).sum()) + 1


def spectrum_of(latents: Tensor, label: Tensor | None = None) -> Spectrum:
    """Of latents [N, d]; with labels [N] of their differences to the means of their classes."""
    latents = latents.cpu().double()
    if label is not None:
        label = label.cpu()
        latents = latents.clone()
        for each in label.unique():
            latents[label == each] -= latents[label == each].mean(0)
    return Spectrum(torch.linalg.eigvalsh(moments(latents)[1]).flip(0).clamp(min=0))


def spectrum(
    run: str,
    count: int = KNOWN,
    classes: str | None = None,
    seed: int = 0,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
) -> None:
    """Draw the spectrum of w: the eigenvalues of its covariance, and the effective dimension, also within classes.

    The dimension is the participation ratio of the eigenvalues: as many directions of one variance would have it.

    Args:
        run: the run directory, such as runs/stylegan_lite, or the .safetensors file of an averaged generator
        count: styles
        classes: of these in turn, such as 3, or 0-9; all of them by default
        seed: of the latents
        out: an empty or new folder; by default `latent-spectrum` in the run directory
        checkpoint: of a run directory, the last, or the best of the validations

    Raises:
        UserError: the run makes no images from noise, its generator has no styles, or the folder is not empty.
    """
    within("--seed", seed, least=0, below=SEEDS)
    within("--count", count, least=2, most=10**6)
    folder = Folder(run, "spectrum", out)
    subject = Subject(run, checkpoint, classes=classes)
    subject.need_styles("A spectrum")
    folder.make()
    latents, label = subject.sample(count, seed, "w")
    found = {"all": spectrum_of(latents[:, 0])}
    if len(label.unique()) > 1:
        found["within classes"] = spectrum_of(latents[:, 0], label)
    folder.figure(curves(found))
    rows = [
        {"rank": rank} | {name: float(each.values[rank]) for name, each in found.items()}
        for rank in range(latents.shape[-1])
    ]
    folder.table(rows, "eigenvalues")
    told = {
        name: {"effective_dimension": each.dimension, "dimensions_of_90_percent": each.most}
        for name, each in found.items()
    }
    folder.numbers(
        subject.generator, subject.space, {"seed": seed, "count": count, "of": latents.shape[-1], "spectra": told}
    )
    words = ", ".join(f"{name} {each.dimension:.1f}" for name, each in found.items())
    folder.told(f"effective dimension of w, of {latents.shape[-1]}: {words},")


def curves(found: dict[str, Spectrum]) -> Figure:
    """Eigenvalues in parts of the largest of all, and the share of the variance that the first ones hold."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    largest = max(float(each.values[0]) for each in found.values()) or 1.0
    for name, each in found.items():
        left.semilogy((each.values / largest).clamp(min=1e-12), label=f"{name}: {each.dimension:.1f} dimensions")
        right.plot(each.values.cumsum(0) / each.values.sum().clamp(min=1e-300), label=name)
    left.set(xlabel="rank", ylabel="eigenvalue")
    right.set(xlabel="rank", ylabel="share of the variance", ylim=(0, 1.02))
    right.axhline(SHARE, color="grey", lw=0.6)
    left.legend(fontsize="small")
    for axes in (left, right):
        axes.grid(alpha=0.25, lw=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    return figure
