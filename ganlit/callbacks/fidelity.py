"""How close the EMA generator's images are to the real ones, at every validation and at the end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor
from torch.nn.functional import pad

from ganlit.contracts import Sampled
from ganlit.errors import UserError
from ganlit.images import to_uint8
from ganlit.metrics.features import Collector, FeatureExtractor, Inception, Precision
from ganlit.metrics.measure import floor, measure
from ganlit.metrics.statistics import Statistics, reference_statistics, subset
from ganlit.precision import native_bf16

Values = dict[str, float]


class Fidelity(Callback):
    """Measures the images that validation and test sample: one pass through one extractor, which no checkpoint holds.

    Args:
        weights: file of the Inception's weights; None looks for them.
        precision: of the features; bf16 is another protocol, and is used where the processor has it natively.
        reference_images: measure against a fixed random choice of so many real images instead of all.
        every: measure at each so-many-th validation of a training, where measuring would cost more than it tells.
    """

    def __init__(
        self,
        weights: Path | None = None,
        precision: Precision = "fp32",
        reference_images: int | None = None,
        every: int = 1,
    ) -> None:
        if every < 1:
            raise UserError(f"fidelity.every is {every}: it must be positive.")
        self.weights = weights
        self.precision = precision
        self.reference_images = reference_images
        self.every = every
        self.extractor: FeatureExtractor | None = None  # the Inception, unless another is set before the run
        self.statistics: Statistics | None = None
        self.history: list[tuple[float, Values]] = []  # kimg and values of every validation
        self.latest: Values = {}
        self.seconds = 0.0  # spent on validations and tests, sampling included
        self.seconds_real = 0.0  # of these, on the real statistics

    @property
    def score(self) -> float | None:
        """The FID of the latest validation; None before the first."""
        if not self.history:
            return None
        return next(value for name, value in self.history[-1][1].items() if name.startswith("fid"))

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuses what cannot be measured, before anything is trained."""
        device = trainer.strategy.root_device
        reference = trainer.datamodule.reference
        self.reference = subset(reference, self.reference_images) if self.reference_images is not None else reference
        if self.extractor is None:
            precision = self.precision
            if precision == "bf16" and not native_bf16(device):
                precision = "fp32"
                pl_module.print("fidelity.precision: bf16 is not native to this processor, features are in fp32.")
            self.extractor = Inception(self.weights, precision)
        self.extractor.to(device)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.due(trainer):
            self._begin()

    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Sampled, *_: Any) -> None:
        if self.due(trainer):
            self.collector.add(to_uint8(outputs.output))

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.due(trainer):
            self.history.append((pl_module.kimg, self._end(trainer, pl_module)))

    def on_test_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._begin()

    def on_test_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Sampled, *_: Any) -> None:
        self.collector.add(to_uint8(outputs.output))

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end(trainer, pl_module, with_floor=True)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        pl_module.print(f"Metrics took {self.seconds:.0f} s, real statistics {self.seconds_real:.0f} s of them.")

    def state_dict(self) -> dict[str, Any]:
        return {"history": self.history, "seconds": self.seconds, "seconds_real": self.seconds_real}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.history = state_dict["history"]
        self.latest = self.history[-1][1] if self.history else {}
        self.seconds, self.seconds_real = state_dict["seconds"], state_dict["seconds_real"]

    def due(self, trainer: Trainer) -> bool:
        """Whether this validation is measured: at every call of `validate`, at the end of some ticks of a training."""
        if trainer.state.fn != "fit":
            return True
        ticks = -(-trainer.lightning_module.images_seen // trainer.datamodule.tick_images)
        return not trainer.sanity_checking and ticks % self.every == 0

    def _begin(self) -> None:
        self.started = time.monotonic()
        self.collector = Collector(self.extractor)

    def _end(self, trainer: Trainer, pl_module: LightningModule, with_floor: bool = False) -> Values:
        features = {key: gather(rows, trainer) for key, rows in self.collector.finish().items()}
        values: Values = {}
        if trainer.is_global_zero:
            if self.statistics is None:
                self._learn_reality(pl_module, headless="logits" not in features)
            values = measure(features, self.statistics, self.reference, self.extractor)
            if with_floor:
                values |= floor(len(features["pool"]), self.statistics, self.reference, self.extractor)
        self.latest = trainer.strategy.broadcast(values)
        pl_module.log_dict(self.latest, sync_dist=trainer.world_size > 1)
        self.seconds += time.monotonic() - self.started
        return self.latest

    def _learn_reality(self, pl_module: LightningModule, headless: bool) -> None:
        started = time.monotonic()
        self.statistics = reference_statistics(self.reference, self.extractor, pl_module.print)
        self.seconds_real += time.monotonic() - started
        probe = self.statistics.probe
        if probe is not None:
            pl_module.print(
                f"Class probe of {self.reference.name}: {probe.accuracy:.1%} of {probe.held_out} held-out images right."
            )
        elif headless:
            pl_module.print(
                f"Inception Score is unavailable: {self.reference.name} has no classes to fit a probe to, and the "
                "extractor's weights have no classifier head."
            )


def gather(rows: Tensor, trainer: Trainer) -> Tensor:
    """All ranks' rows [n, d] on every rank: filled up to one length for the exchange and cut after it."""
    strategy = trainer.strategy
    counts = strategy.all_gather(torch.tensor([len(rows)], device=strategy.root_device)).flatten().tolist()
    longest = max(counts)
    filled = pad(rows.to(strategy.root_device), (0, 0, 0, longest - len(rows)))
    gathered = strategy.all_gather(filled).view(len(counts), longest, -1)
    return torch.cat([part[:count] for part, count in zip(gathered, counts, strict=True)]).cpu()
