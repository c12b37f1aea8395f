"""One picture of a run: how the score fell, and what it stands for."""

from __future__ import annotations

from pathlib import Path

from lightning.pytorch import Callback, Trainer
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.ticker import LogLocator, NullFormatter

from ganlit.callbacks.fidelity import Fidelity
from ganlit.metrics.protocol import alike, called, metric_of
from ganlit.records.durable import replacing
from ganlit.records.media import PICTURE, drawn
from ganlit.records.samples import Shown, latest
from ganlit.tasks.base import AdversarialModule

BROAD = 3.0
"""Times as wide as high: such pictures, as of films, stand under the curve, and others beside it."""


def draw(fidelity: Fidelity | None, final: tuple[float, dict[str, float]] | None, samples: Shown) -> Figure:
    """The leading number over kimg, FID on a logarithmic scale, beside the latest samples or above them; these alone without any.

    Args:
        fidelity: its history makes the curve, under the full name of the measure.
        final: kimg and values of the closing test: a star, and a dashed line for real against real items.
        samples: the latest; the picture among them is shown.
    """
    history = fidelity.history if fidelity is not None else []
    picture = imread(samples.files[0])
    across = picture.shape[1] / picture.shape[0]
    broad = across > BROAD
    size = (13, (5 if history else 1) + 13 / across) if broad else (13 if history else 7, 6)
    figure = Figure(figsize=size, layout="constrained")
    shape = ((2, 1) if broad else (1, 2)) if history else (1, 1)
    heights = {"height_ratios": [4.5, 0.5 + 13 / across]} if broad and history else {}
    with rc_context({"text.parse_math": False}):  # datasets may have dollars in their names
        axes = figure.subplots(*shape, squeeze=False, gridspec_kw=heights).flat
        axes[-1].imshow(picture, cmap="gray", interpolation="nearest")
        axes[-1].set_title(f"{samples.kimg:g} kimg")
        axes[-1].axis("off")
        if history:
            _curve(axes[0], history, final)
    return figure


def _curve(
    axes: Axes, history: list[tuple[float, dict[str, float]]], final: tuple[float, dict[str, float]] | None
) -> None:
    leading = [*dict.fromkeys(name for _, values in history for name in list(values)[:1])]
    for name in leading:
        points = [(kimg, values[name]) for kimg, values in history if name in values]
        axes.plot(*zip(*points, strict=True), marker=".", label=name)
    kimg, values = final or (0.0, {})
    for name, value in values.items():
        if any(alike(name, one) for one in leading):
            axes.plot(kimg, value, "*", markersize=14, label=f"{name}: {value:.4g} at the end")
        elif name.startswith("floor-") and any(alike(name.removeprefix("floor-"), one) for one in leading):
            axes.axhline(value, linestyle="--", color="gray", label=f"{name}: {value:.4g}, real against real")
    label = ", ".join(dict.fromkeys(called(name) for name in leading))
    distance = all(metric_of(name) == "fid" for name in leading)
    axes.set(xlabel="kimg", ylabel=label, yscale="log" if distance else "linear")
    if distance:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), fontsize="small", frameon=False)  # ids are long


class Overview(Callback):
    """Writes a picture, `overview`, when training ends, and again when the closing test has its value."""

    def __init__(self, fidelity: Fidelity | None = None) -> None:
        self.fidelity = fidelity

    def on_train_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self._write(trainer, None)

    def on_test_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self._write(trainer, (pl_module.kimg, self.fidelity.latest) if self.fidelity is not None else None)

    def _write(self, trainer: Trainer, final: tuple[float, dict[str, float]] | None) -> None:
        folder = Path(trainer.default_root_dir)
        samples = latest(folder)
        if trainer.is_global_zero and samples is not None:
            with replacing(folder / f"overview{PICTURE}", flush=False) as partial:
                partial.write_bytes(drawn(draw(self.fidelity, final, samples)))
