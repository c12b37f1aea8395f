"""How close what the EMA generator makes is to what is real, at every validation and at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer

from ganlit.compute.console import say
from ganlit.contracts import Modality, Sampled
from ganlit.errors import UserError, within
from ganlit.metrics.asked import lacking, require, require_real
from ganlit.metrics.features import Precision, Resize
from ganlit.metrics.gauges import Gauge, Sets, Shown, comparisons, plains
from ganlit.metrics.groups import Group, Real, Side, grouped, refuse, sides
from ganlit.metrics.inside import DRAWS, Others, seer
from ganlit.metrics.likeness import Plain
from ganlit.metrics.paired import Comparison
from ganlit.metrics.passes import Options, Pass, passes
from ganlit.metrics.portrait import Advance

Values = dict[str, float]

DEFAULT = ("fid", "kid", "is", "probe")


class Fidelity(Callback):
    """Measures what validation and test sample: one pass through an extractor feeds all of its metrics.

    No checkpoint holds an extractor. Ranks sample and see their shares; the numbers do not depend on how many there
    are.

    Args:
        metrics: a list, or names with commas between them; the first decides which checkpoint is best. Any of fid, kid,
            is, prdc, probe, kept (percent of items whose class is as their label says), class-fid and memorisation,
            each, if need be, by an extractor other than the modality's own (of images, the FID's Inception), such as
            fid@dinov2 or, of sound, where fid is called fad, fad@vggish. Of a generator that takes data these are about
            what it makes of data; fid:prior is about what it makes of its prior, fid:back about what it makes in its
            other direction. And then some compare what it makes with what it should: of images psnr, ssim and lpips,
            psnr-y-crop4 by the Y of RGB and without a border of 4; of sound mel, stft, sisdr, snr, pesq, stoi, estoi,
            pitch, periodicity and vuv, while dnsmos looks at what it makes alone; matched is the percent of images that
            are nearest to their own target. codes tells how a codebook is used, elbo and iwae are the bounds of a VAE
            in bits per dimension, pathlength how far images of a generator from noise go on a short way in z and in w.
            Of clips fvd, ftd (how frames change), motion (velocity, position and bounces of what is bright) and steady
            (the percent of clips that keep their class). Of texts bleu4, selfbleu4, corpusbleu4, distinct2, copies,
            known, valid, ppl, ppl-smollm2 (to a language model that has read much else), rppl and fed (fid by
            embeddings of sentences), oracle-nll where there is an oracle, and nll, how improbable real ones are to the
            generator itself. Where all modes are known, as of mixtures in the plane and of stacked digits, modes (how
            many are reached), rkl (how unevenly) and, in the plane, quality (the percent of points near one).
        weights: file of that own extractor's weights; None looks for them.
        precision: of the features; bf16 is another protocol, and is used where the processor has it natively.
        resize: what brings items to an extractor's size: legacy as in the papers, or clean (arXiv 2104.11222).
        reference_images: measure against a fixed random choice of so many real items instead of all.
        every: measure at each so-many-th validation of a training, where measuring would cost more than it tells.
        draws: of elbo and iwae, from the posterior of each item; another number is another protocol.
    """

    def __init__(
        self,
        metrics: str | Sequence[str] = DEFAULT,
        weights: Path | None = None,
        precision: Precision = "fp32",
        resize: Resize = "legacy",
        reference_images: int | None = None,
        every: int = 1,
        draws: int = DRAWS,
    ) -> None:
        within("fidelity.every", every, least=1)
        within("fidelity.draws", draws, least=1, most=10**6)
        within("fidelity.reference_images", reference_images, least=2, optional=True)
        metrics = metrics.split(",") if isinstance(metrics, str) else metrics
        grouped(list(metrics), "fidelity.metrics")  # which refuses what nobody knows
        self.metrics = list(metrics)
        self.options = Options(weights, precision, resize)
        self.reference_images = reference_images
        self.every = every
        self.draws = draws
        self.groups: list[Group] = []
        self.sides: dict[Side, Real] = {}
        self.comparisons: dict[str, Comparison] = {}
        self.plains: dict[str, Plain] = {}
        self.passes: list[Pass] = []
        self.missing: list[dict[str, str]] = []  # by pass, why metrics cannot be had
        self.introduced = False
        self.history: list[tuple[float, Values]] = []  # kimg and values of every validation
        self.latest: Values = {}
        self.seconds = 0.0  # spent on validations and tests, sampling included
        self.seconds_real = 0.0  # of these, on the real statistics
        self.watch: Callable[[], object] = lambda: None  # called while the real items are seen; may raise

    @property
    def score(self) -> tuple[str, float] | None:
        """Id and value of the latest validation's first number, which tells the best checkpoint; None before it."""
        return next(iter(self.history[-1][1].items()), None) if self.history else None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuses what cannot be measured, before anything is trained."""
        data, generator = trainer.datamodule, getattr(pl_module, "generator", None)
        conditional = pl_module.takes_data or getattr(generator, "classes", 0) > 0
        refuse(self.asked(data.modality), generator, pl_module.takes_data, "fidelity.metrics")
        if not self.groups:
            self.passes = self.prepared(data, conditional, trainer.strategy.root_device)
        for each in self.passes:
            for real in each.asked:
                real.watch = lambda: self.watch()
        found = [(each.real.extractor.protocol, each.real.extractor.classes) for each in self.passes]
        if found != (first := trainer.strategy.broadcast(found)):
            raise UserError(
                f"rank {trainer.global_rank} has found other weights than rank 0, {found} and {first}: give all ranks "
                "the same file as fidelity.weights, or run prepare where all of them read."
            )
        others = len(self.passes) < len(self.groups)
        self.missing = self.missing or lacking(self.passes, conditional, "fidelity.metrics", say, beside=others)

    def prepared(
        self,
        data: LightningDataModule,
        conditional: bool,
        device: torch.device,
        counted: Callable[[str, int], Advance | None] = lambda name, total: None,
    ) -> list[Pass]:
        """The extractors, the real items and their metrics; what compares pairs is made ready too.

        Args:
            data: what is measured against, by how many items.
            conditional: whether these are made for, or of, a class each.
            device: of the extractors.
            counted: what is to be told of the real items that an extractor has seen, by its name and their number.

        Raises:
            UserError: there are too few items for a metric, or weights are missing.
        """
        groups = self.asked(data.modality)
        real = sides(groups, data)
        names = [metric for group in groups if group.kind == "sets" for metric in group.metrics]
        classes = len(data.reference.classes) if conditional else 0
        for key in ("val_images", "test_images"):
            require(names, getattr(data, key), f"data.init_args.{key} is {getattr(data, key)}", classes)
        against = {side: each.subset(self.reference_images) for side, each in real.items()}
        require_real(groups, against)
        self.comparisons = comparisons(groups, real, device)
        for name in (group.extractor for group in groups if group.kind == "paths"):
            seer(name)  # whose weights may not be here
        self.plains = plains(groups, against)
        found = passes(groups, against, self.options, device, say, counted)
        self.groups, self.sides = groups, real
        return found

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.due(trainer):
            self._begin(trainer, pl_module, trainer.datamodule.val_images)

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Sampled, batch: Any, batch_idx: int, *_: Any
    ) -> None:
        if self.due(trainer):
            self._see(trainer, outputs, batch, batch_idx)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.due(trainer):
            self.history.append((pl_module.kimg, self._end(trainer, pl_module)))

    def on_test_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._begin(trainer, pl_module, trainer.datamodule.test_images, with_floor=True)

    def on_test_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Sampled, batch: Any, batch_idx: int, *_: Any
    ) -> None:
        self._see(trainer, outputs, batch, batch_idx)

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end(trainer, pl_module)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        say(f"Metrics took {self.seconds:.0f} s, real statistics {self.seconds_real:.0f} s of them.")

    def state_dict(self) -> dict[str, Any]:
        return {"history": self.history, "seconds": self.seconds, "seconds_real": self.seconds_real}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.history = state_dict["history"]
        self.latest = self.history[-1][1] if self.history else {}
        self.seconds, self.seconds_real = state_dict["seconds"], state_dict["seconds_real"]

    def asked(self, modality: Modality) -> list[Group]:
        """The metrics by what they share."""
        return grouped(self.metrics, "fidelity.metrics", modality)

    def due(self, trainer: Trainer) -> bool:
        """Whether this validation is measured: at every call of `validate`, at the end of some ticks of a training."""
        if trainer.state.fn != "fit":
            return True
        tick = trainer.datamodule.ticks.at(trainer.lightning_module.images_seen)
        return not trainer.sanity_checking and tick % self.every == 0

    def _begin(self, trainer: Trainer, pl_module: LightningModule, count: int, with_floor: bool = False) -> None:
        self.started = time.monotonic()
        self.gauges = self._gauges(trainer, pl_module, count, with_floor)
        for gauge in self.gauges:
            if isinstance(gauge, Sets):
                gauge.prepare()
        self.seconds_real += time.monotonic() - self.started
        self.places = trainer.datamodule.batches(count)
        if not self.introduced and trainer.is_global_zero:
            self._introduce(trainer.datamodule.modality)
        self.introduced = True

    def _gauges(self, trainer: Trainer, pl_module: LightningModule, count: int, with_floor: bool) -> list[Gauge]:
        """One for each group of metrics, in their order."""
        sets = (
            Sets(each, missing, count, with_floor=with_floor)
            for each, missing in zip(self.passes, self.missing, strict=True)
        )
        others = Others(
            self.comparisons,
            self.plains,
            getattr(getattr(pl_module, "ema", None), "module", None),
            self.draws,
            self.sides,
            trainer.strategy.root_device,
        )
        return [next(sets) if group.kind == "sets" else others.gauge(group) for group in self.groups]

    def _introduce(self, modality: Modality) -> None:
        """Says once how good the judge of classes is."""
        judges = {
            each.real
            for each, missing in zip(self.passes, self.missing, strict=True)
            if "probe" in each.metrics and "probe" not in missing
        }
        for real in judges:
            say(
                f"Class probe of {real.reference.name}: {real.probe.accuracy:.1%} of {real.probe.held_out} held-out "
                f"{modality.item}s right."
            )

    def _see(self, trainer: Trainer, outputs: Sampled, batch: Any, batch_idx: int) -> None:
        places = self.places[batch_idx * trainer.world_size + trainer.global_rank]
        shown = Shown.of(outputs, places, getattr(batch, "label", None), "ema", self.sides)
        for gauge in self.gauges:
            gauge.add(shown)

    def _end(self, trainer: Trainer, pl_module: LightningModule) -> Values:
        found = [each for gauge in self.gauges for each in gauge.finish()]
        self.latest = trainer.strategy.broadcast({str(each.protocol): each.value for each in found})
        pl_module.log_dict(self.latest, sync_dist=trainer.world_size > 1)
        self.seconds += time.monotonic() - self.started
        return self.latest
