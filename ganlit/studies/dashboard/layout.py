"""What the dashboard shows, as plain data: sections of panels, each with the keys that it draws over kimg."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ganlit.metrics.measure import BETTER, METRICS

Kind = Literal["lines", "shares", "histogram", "pictures", "parallel", "importance"]


@dataclass(frozen=True)
class Panel:
    """One picture.

    Args:
        title: above it.
        keys: logged names, of parallel coordinates those of settings.
        pattern: of names that cannot be known beforehand; no lookaround, which W&B does not have.
        kind: "shares" are lines on top of each other, of one run at a time.
        log: on a logarithmic scale.
        bands: draws mean and standard deviation of runs that differ in their seed only.
        score: of parallel coordinates and importance, what settings are judged by: a name in a run's summary.
        always: whether every run that measures has such keys.
    """

    title: str
    keys: tuple[str, ...] = ()
    pattern: str | None = None
    kind: Kind = "lines"
    log: bool = False
    bands: bool = True
    score: str | None = None
    always: bool = True

    def draws(self, key: str) -> bool:
        """Whether it shows what is logged under a name."""
        return key in self.keys or (self.pattern is not None and re.search(self.pattern, key) is not None)


@dataclass(frozen=True)
class Section:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]
    columns: int = 2


FURTHER = ("samples/audio", "samples/video", "samples/text")
"""As the logger calls samples that come with pictures."""

PARAMETERS = (
    "model.init_args.generator_optimizer.init_args.lr",
    "model.init_args.discriminator_optimizer.init_args.lr",
    "data.init_args.batch",
    "seed",
)

ADVERSARIAL = "adversarial"

OTHERS = "|".join(f"{ADVERSARIAL[:end]}([^{letter}]|$)" for end, letter in enumerate(ADVERSARIAL)) + f"|{ADVERSARIAL}."
"""Matches every other term, without a lookahead."""

INSIDE = ("code-use", "code-perplexity", "elbo", "iwae", "pathlength")
"""What a generator itself is asked for."""

PAIRED = sorted(BETTER.keys() - {metric.first for metric in METRICS.values()} - {*INSIDE})
"""What holds items against those that they should be."""


def layout(score: str, parameters: tuple[str, ...] = PARAMETERS) -> tuple[Section, ...]:
    """All sections.

    Args:
        score: what sweeps are judged by: a name in the summaries of runs.
        parameters: what they vary.
    """
    return (
        Section(
            "Quality",
            (
                Panel("FID while training", pattern="^(r?fid|class-fid)([0-9].*)?$", log=True),
                Panel("KID", pattern="^kid([0-9].*)?$", always=False),
                Panel("Scores by a classifier", pattern="^(is|probe-is)([0-9].*)?$", always=False),
                Panel("Real against real", pattern="^(floor-fid|nearest-real)[0-9]", always=False),
                Panel(
                    "Fidelity, variety, copies",
                    pattern="^(precision|recall|density|coverage|authenticity|nearest)([0-9].*)?$",
                    always=False,
                ),
                Panel("Share of each class", pattern="^share[0-9]", bands=False, always=False),
            ),
        ),
        Section(
            "Items made of data",
            (
                *(Panel(name.upper(), pattern=f"^{name}([0-9].*)?$", always=False) for name in PAIRED),
                Panel("Share of the codes in use", pattern="^code-use([0-9].*)?$", always=False),
                Panel("Perplexity of the codes", pattern="^code-perplexity[0-9]", always=False),
                Panel("Bits per dimension, at most", pattern="^(elbo|iwae)([0-9].*)?$", always=False),
                Panel("Percent of items whose class is kept", pattern="^kept([0-9].*)?$", always=False),
                Panel("Alarms: unchanged, all alike", ("alarm/identity", "alarm/variety"), log=True, always=False),
                Panel("Alarms: drift of a channel, of 255", ("alarm/drift",), always=False),
            ),
            columns=3,
        ),
        Section(
            "Samples",
            (
                Panel("EMA generator, fixed latents or sources", ("samples",), kind="pictures"),
                Panel("Its sounds, films and texts", FURTHER, kind="pictures", always=False),
            ),
            columns=1,
        ),
        Section(
            "Balance of the players",
            (
                Panel("Adversarial losses", (f"discriminator/{ADVERSARIAL}", f"generator/{ADVERSARIAL}")),
                Panel("Norms of the gradients", ("gradient/discriminator", "gradient/generator"), log=True),
                Panel("D of real items", ("logits/real",), kind="histogram"),
                Panel("D of generated items", ("logits/fake",), kind="histogram"),
                Panel(
                    "Weight of the adversarial term",
                    ("adversarial/ratio", "adversarial/ratio_back", "guard/scale"),
                    log=True,
                    always=False,
                ),
            ),
        ),
        Section(
            "Criteria, regularizers and augmentation",
            (
                Panel(
                    "Criteria and regularizers",
                    pattern=f"^(discriminator|generator)/({OTHERS})",
                    log=True,
                    always=False,
                ),
                Panel("p of the augmentation", ("augment/p",), always=False),
                Panel("Signals of how the training is", pattern="^signal/", bands=False),
                Panel("Skipped steps", pattern="^skipped/", always=False),
            ),
            columns=3,
        ),
        Section(
            "Speed",
            (
                Panel("Items a second", ("speed/images_per_second",)),
                Panel("Shares of the time", pattern="^time/", kind="shares", bands=False),
                Panel("Peak memory, GiB", ("memory/peak_gb",)),
            ),
            columns=3,
        ),
        Section(
            "Sweeps",
            (
                Panel(f"Settings and {score}", parameters, kind="parallel", score=score),
                Panel(f"What matters to {score}", kind="importance", score=score),
            ),
        ),
    )
