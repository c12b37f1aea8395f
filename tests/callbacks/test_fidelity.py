from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from coders import Bare, Coder, Negatives, Pairs, translation
from extractors import Tiny
from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from lightning.pytorch.strategies import SingleDeviceStrategy
from noises import Noises
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ganlit.callbacks.fidelity import Fidelity
from ganlit.contracts import Labelled, Pair, Reference, Sampled
from ganlit.data.images.modality import ImageModality
from ganlit.data.images.pixels import to_uint8
from ganlit.data.stream import Ticks
from ganlit.errors import UserError
from ganlit.metrics import passes as module
from ganlit.metrics.extractors import extractor
from ganlit.metrics.images.paired import psnr
from ganlit.metrics.measure import Question, measure
from ganlit.metrics.portrait import Collector
from ganlit.metrics.reality import Reality
from ganlit.tasks.translation import Translation


class Small(Tiny):
    """Sees less at once than there are images."""

    batch = 8


class Halves(LightningDataModule):
    """Images that are brighter above or below; they are validated and tested against themselves."""

    modality = ImageModality()
    ticks = Ticks(1, 2)
    val_images = 25

    def __init__(
        self, classes: tuple[str, ...] = ("above", "below"), test_images: int = 20, real: int | None = None
    ) -> None:
        super().__init__()
        images = torch.randint(0, 120, (60, 1, 4, 4), generator=torch.Generator().manual_seed(3), dtype=torch.uint8)
        images[0::2, :, :2] += 100
        images[1::2, :, 2:] += 100
        labels = torch.arange(60) % 2
        self.reference = Reference("halves-train", "abcdef0123", images[:real], labels[:real], classes)
        self.test_images = test_images

    def trained_of(self, field: str) -> Reference:
        return self.reference

    def batches(self, count: int) -> list[Tensor]:
        return list(torch.arange(count).split(6))

    def train_dataloader(self) -> DataLoader:
        return DataLoader(torch.zeros(2, 1))

    def val_dataloader(self) -> DataLoader:
        return DataLoader(self.reference.items[:25] / 127.5 - 1, batch_size=6)

    def test_dataloader(self) -> DataLoader:
        return DataLoader(self.reference.items[: self.test_images] / 127.5 - 1, batch_size=6)


class Copier(LightningModule):
    """Generates its input, the darker the longer it has trained."""

    takes_data = False

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.images_seen = 0

    @property
    def kimg(self) -> float:
        return self.images_seen / 1000

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        self.images_seen += 500
        return self.layer(batch).sum()

    def validation_step(self, batch: Tensor, batch_idx: int) -> Sampled:
        return Sampled(batch, self.darkened(batch))

    def test_step(self, batch: Tensor, batch_idx: int) -> Sampled:
        return self.validation_step(batch, batch_idx)

    def darkened(self, images: Tensor) -> Tensor:
        return (images - 0.1 * self.kimg).clamp(-1, 1)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "extractor", Small)


SET = "tiny@0/none/halves-train@abcdef"


def trainer(fidelity: Fidelity, folder: Path, **arguments: Any) -> Trainer:
    return Trainer(
        accelerator="cpu",
        callbacks=[fidelity],
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **({"max_epochs": 2, "num_sanity_val_steps": 0, "enable_checkpointing": False} | arguments),
    )


def expected(data: Halves, images: Tensor) -> dict[str, float]:
    real = Reality(data.reference, Small(), lambda text: None, view=data.modality.for_extractor)
    real.prepare()
    collector = Collector(Small(), len(images))
    collector.add(data.modality.for_extractor(to_uint8(images)), torch.arange(len(images)))
    found = measure(["fid", "kid", "probe"], Question(collector.finish(), real, "ema"))
    return {str(each.protocol): each.value for each in found}


def test_every_validation_is_measured_logged_and_remembered(tmp_path: Path) -> None:
    fidelity, data, task = Fidelity(), Halves(), Copier()
    assert fidelity.score is None
    loop = trainer(fidelity, tmp_path, num_sanity_val_steps=2)
    loop.fit(task, data)

    real = data.reference.items[:25] / 127.5 - 1
    assert [kimg for kimg, _ in fidelity.history] == [1.0, 2.0]
    assert fidelity.history[0][1] == pytest.approx(expected(data, (real - 0.1).clamp(-1, 1)))
    assert fidelity.history[1][1] == pytest.approx(expected(data, (real - 0.2).clamp(-1, 1)))
    assert fidelity.latest == fidelity.history[1][1]
    name = f"fid25/{SET}/ema"
    assert fidelity.score == (name, fidelity.latest[name])
    assert fidelity.latest[name] > fidelity.history[0][1][name]
    logged = {name: float(value) for name, value in loop.callback_metrics.items()}
    assert {name: logged[name] for name in fidelity.latest} == pytest.approx(fidelity.latest)


def test_every_second_validation_is_measured_when_asked(tmp_path: Path) -> None:
    fidelity = Fidelity(every=2)
    loop = trainer(fidelity, tmp_path, max_epochs=5)
    loop.fit(Copier(), Halves())
    assert [kimg for kimg, _ in fidelity.history] == [2.0, 4.0]
    loop.validate(Copier(), Halves())
    assert len(fidelity.history) == 3


@pytest.mark.parametrize(
    ("key", "value"), [("every", 0), ("every", -1), ("reference_images", 1), ("reference_images", 0)]
)
def test_counts_that_mean_nothing_are_refused(key: str, value: int) -> None:
    with pytest.raises(UserError, match=rf"fidelity\.{key} is {value}: it must be at least"):
        Fidelity(**{key: value})


def test_the_test_adds_the_floor_and_leaves_the_history_alone(tmp_path: Path) -> None:
    fidelity, data = Fidelity(), Halves()
    loop = trainer(fidelity, tmp_path)
    loop.test(Copier(), data)
    assert fidelity.history == []
    assert fidelity.score is None
    assert fidelity.latest[f"fid20/{SET}/ema"] > 0
    assert fidelity.latest[f"floor-fid20/{SET}/real"] > 0
    assert loop.callback_metrics.keys() == fidelity.latest.keys()


def test_there_is_no_floor_where_too_few_other_images_are_left(tmp_path: Path) -> None:
    fidelity = Fidelity()
    trainer(fidelity, tmp_path).test(Copier(), Halves(test_images=40))
    assert not any(name.startswith("floor") for name in fidelity.latest)


def test_a_subset_of_the_real_images_is_part_of_every_name(tmp_path: Path) -> None:
    fidelity = Fidelity(reference_images=50)
    trainer(fidelity, tmp_path).test(Copier(), Halves())
    assert all("halves-train-50@" in name for name in fidelity.latest)
    assert fidelity.passes[0].real.moments.count == 50


def test_a_subset_larger_than_the_set_is_refused_before_training(tmp_path: Path) -> None:
    task = Copier()
    with pytest.raises(UserError, match="reference_images"):
        trainer(Fidelity(reference_images=61), tmp_path).fit(task, Halves())
    assert task.kimg == 0.0


def test_missing_weights_are_told_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "extractor", extractor)
    task = Copier()
    with pytest.raises(UserError, match=r"no file .*nowhere\.pth of weights \(fidelity\.weights"):
        trainer(Fidelity(weights=tmp_path / "nowhere.pth"), tmp_path).fit(task, Halves())
    assert task.kimg == 0.0


@pytest.mark.parametrize(
    ("metrics", "said"), [(["fid", "prdx"], "did you mean prdc"), ([], r"fidelity\.metrics is empty")]
)
def test_unknown_metrics_are_refused(metrics: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Fidelity(metrics)


def test_too_few_images_for_a_metric_are_refused_before_training(tmp_path: Path) -> None:
    task = Copier()
    with pytest.raises(UserError, match=r'data\.init_args\.test_images is 5, and "prdc" needs 6: take more, or do not'):
        trainer(Fidelity(["prdc"]), tmp_path).fit(task, Halves(test_images=5))
    assert task.kimg == 0.0


@pytest.mark.parametrize(
    ("metric", "least"), [("fid", 2), ("kid", 2), ("prdc", 6), ("probe", 5), ("memorisation", 2), ("prdc@dinov2", 6)]
)
def test_too_few_real_images_for_a_metric_are_refused_before_training(tmp_path: Path, metric: str, least: int) -> None:
    task = Copier()
    said = rf'halves-train has {least - 1} real items?, and "{metric.partition("@")[0]}" needs {least}: add some, or do'
    with pytest.raises(UserError, match=said):
        trainer(Fidelity([metric], every=2), tmp_path).fit(task, Halves(real=least - 1))
    assert task.kimg == 0.0


def test_a_class_needs_two_real_images(tmp_path: Path) -> None:
    data = Halves(real=2)
    with pytest.raises(UserError, match='has 1 real item in the largest of its classes, and "class-fid" needs 2'):
        Fidelity(["class-fid"]).prepared(data, True, torch.device("cpu"))


@pytest.mark.parametrize(("native", "used"), [(True, "bf16"), (False, "fp32")])
def test_emulated_bfloat16_is_not_used_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], native: bool, used: str
) -> None:
    monkeypatch.setattr(module, "native_bf16", lambda device: native)
    fidelity = Fidelity(precision="bf16", resize="clean")
    trainer(fidelity, tmp_path).test(Copier(), Halves())
    given = fidelity.passes[0].real.extractor.options
    assert (given.get("weights"), given["precision"], given["resize"]) == (None, used, "clean")
    assert ("bf16 is not native" in capsys.readouterr().out) is not native


def test_ranks_with_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = [("tiny@1/none", 1008)]
    monkeypatch.setattr(SingleDeviceStrategy, "broadcast", lambda self, own, src=0: first)
    with pytest.raises(UserError, match=r"rank 0 has found other weights .*tiny@0/none.* and .*tiny@1/none"):
        trainer(Fidelity(), tmp_path).fit(Copier(), Halves())


def test_metrics_of_one_extractor_share_its_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, int] = {}

    class Counting(Small):
        def __init__(self, name: str, **options: Any) -> None:
            super().__init__()
            self.protocol = f"{name}@0/none"
            seen[self.protocol] = 0

        def encode(self, images: Tensor) -> dict[str, Tensor]:
            seen[self.protocol] += len(images)
            return super().encode(images)

    monkeypatch.setattr(module, "extractor", Counting)
    fidelity = Fidelity(["fid", "kid", "prdc", "memorisation", "fid@dinov2"])
    trainer(fidelity, tmp_path).test(Copier(), Halves())
    assert seen == {"inception@0/none": 60 + 20, "dinov2-vit-l-14@0/none": 60 + 20}
    assert sorted(name.split("/")[0] for name in fidelity.latest if "/dinov2-vit-l-14@0/" in name) == [
        "fid20",
        "floor-fid20",
    ]


def test_a_module_of_classes_is_measured_within_them(tmp_path: Path) -> None:
    class Conditional(Copier):
        def __init__(self) -> None:
            super().__init__()
            self.generator = nn.Module()
            self.generator.classes = 2

    class Classes(Halves):
        def test_dataloader(self) -> DataLoader:
            pairs = zip(self.reference.items[:20], self.reference.labels[:20], strict=True)
            return DataLoader([Labelled(image / 127.5 - 1, label) for image, label in pairs], batch_size=6)

    def test_step(self: Conditional, batch: Labelled, batch_idx: int) -> Sampled:
        return Sampled(batch.item, batch.item)

    Conditional.test_step = test_step
    conditional, plain = Fidelity(["class-fid"]), Fidelity(["class-fid", "fid"])
    trainer(conditional, tmp_path).test(Conditional(), Classes())
    assert [name.split("/")[-1] for name in conditional.latest] == ["mean of 2", "above", "below"]
    trainer(plain, tmp_path).test(Copier(), Halves())
    assert [name.split("/")[0] for name in plain.latest] == ["fid20", "floor-fid20"]


def test_a_training_of_which_nothing_could_be_measured_is_refused_before_it(tmp_path: Path) -> None:
    task = Copier()
    with pytest.raises(
        UserError, match=r"fidelity\.metrics leaves nothing to measure: not class-fid, for the generated"
    ):
        trainer(Fidelity(["class-fid"]), tmp_path).fit(task, Halves())
    assert task.kimg == 0.0


def test_what_is_missing_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Slow(Copier):
        def on_train_start(self) -> None:
            print("it trains")

    fidelity = Fidelity()
    trainer(fidelity, tmp_path).fit(Slow(), Halves(classes=()))
    said = capsys.readouterr().out
    assert said.count("not measured: is, for the weights of tiny have no classifier head\n") == 1
    assert said.count("not measured: probe, for halves-train has no classes\n") == 1
    assert said.index("not measured: probe") < said.index("it trains")
    assert not any(name.startswith(("is", "probe")) for name in fidelity.latest)


def test_the_probe_and_the_time_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fidelity = Fidelity()
    loop = trainer(fidelity, tmp_path)
    loop.fit(Copier(), Halves())
    loop.test(Copier(), Halves(), verbose=False)
    said = capsys.readouterr().out
    assert "Class probe of halves-train: 100.0% of 12 held-out images right." in said
    assert f"Metrics took {fidelity.seconds:.0f} s" in said
    assert fidelity.seconds > fidelity.seconds_real > 0


def test_checkpoints_hold_the_history_and_no_extractor(tmp_path: Path) -> None:
    fidelity = Fidelity()
    loop = trainer(fidelity, tmp_path)
    loop.fit(Copier(), Halves())
    loop.save_checkpoint(tmp_path / "last.ckpt")
    checkpoint = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert set(checkpoint["state_dict"]) == {"layer.weight", "layer.bias"}

    resumed = Fidelity()
    trainer(resumed, tmp_path, max_epochs=3).fit(
        Copier(), Halves(), ckpt_path=tmp_path / "last.ckpt", weights_only=True
    )
    assert resumed.history[:2] == fidelity.history
    assert len(resumed.history) == 3
    assert resumed.seconds > fidelity.seconds


FEW = {"batch": 16, "tick": 0.064, "val_images": 24, "test_images": 30}
END = "noises-train@abc"


def numbers(
    fidelity: Fidelity, folder: Path, data: LightningDataModule, generator: nn.Module | None = None
) -> dict[str, float]:
    """What a test of a translation finds."""
    trainer(fidelity, folder, use_distributed_sampler=False).test(translation(generator), data, verbose=False)
    return fidelity.latest


def test_an_autoencoder_is_measured_by_what_it_makes_of_data_and_of_its_prior(tmp_path: Path) -> None:
    names = ["psnr", "fid", "fid:prior", "kid:prior", "codes", "ssim", "elbo", "iwae"]
    found = numbers(Fidelity(names, draws=3), tmp_path, Noises(**FEW))
    assert list(found) == [
        f"psnr30/-/-/{END}/ema-reconstruction",
        f"ssim30-gauss11/-/-/{END}/ema-reconstruction",
        f"fid30/tiny@0/none/{END}/ema-reconstruction",
        f"fid30/tiny@0/none/{END}/ema-prior",
        f"kid30-100x30/tiny@0/none/{END}/ema-prior",
        f"floor-fid30/tiny@0/none/{END}/real",
        f"code-use30-16codes/-/-/{END}/ema-reconstruction",
        f"code-perplexity30-16codes/-/-/{END}/ema-reconstruction",
        f"elbo30-k3-normal/-/-/{END}/ema-reconstruction",
        f"iwae30-k3-normal/-/-/{END}/ema-reconstruction",
    ]
    assert all(math.isfinite(value) for value in found.values())
    first, other = (found[f"fid30/tiny@0/none/{END}/ema-{made}"] for made in ("reconstruction", "prior"))
    assert 0 < first < other  # which is far from noise, whose halves are all alike


def test_psnr_is_that_of_the_very_items(tmp_path: Path) -> None:
    data = Noises(**FEW)
    found = numbers(Fidelity(["psnr"]), tmp_path, data)
    data.setup("test")
    chosen = torch.cat([data.dataset[places].item for places in data.test_dataloader().sampler])
    output = data.modality.to_stored(Coder()(data.modality.to_network(chosen), torch.zeros(30)).output)
    assert found == {f"psnr30/-/-/{END}/ema-reconstruction": pytest.approx(float(psnr(output, chosen).mean()))}


def test_a_pair_is_measured_against_its_target(tmp_path: Path) -> None:
    """Of noise and its negative; who gives back the source is far from it, and its set is near."""
    found = numbers(Fidelity(["psnr", "fid"]), tmp_path, Negatives(**FEW), Bare())
    assert list(found) == [
        "psnr30/-/-/negatives@abc/ema-translation",
        "fid30/tiny@0/none/negatives@abc/ema-translation",
    ]
    assert next(iter(found.values())) == pytest.approx(4.77, abs=0.2)  # 10 log10(255^2 / E[(255 - 2 u)^2])


class Restored(Negatives):
    """Grey targets from their negatives, whose classes are known."""

    @property
    def dataset(self) -> Dataset[Pair]:
        return WithClasses(self.noises.item, 255 - self.noises.item, self.noises.label)

    def reference_of(self, field: str) -> Reference:
        sources = self.reference._replace(name="positives", digest="def", items=self.noises.item)
        return {"source": sources, "target": self.reference}[field]


class WithClasses(Pairs):
    def __init__(self, sources: Tensor, targets: Tensor, labels: Tensor) -> None:
        super().__init__(sources, targets)
        self.labels = labels

    def __getitem__(self, places: Tensor) -> Pair:
        return super().__getitem__(places)._replace(label=self.labels[places])


class Negating(Bare):
    """There, and back at half the contrast."""

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        return -source * self.scale

    def back(self, target: Tensor) -> Tensor:
        return -target * self.scale / 2


class Cycle(Translation):
    """Shows the other direction, too."""

    def sample(self, batch: Pair) -> Sampled:
        sampled = super().sample(batch)
        back = self.ema.module.back(batch.target)
        return sampled._replace(side={"back": back, "back_reference": batch.source})


def test_both_directions_are_measured_each_against_its_own_side(tmp_path: Path) -> None:
    module, data = translation(Negating()), Restored(**FEW)
    module.__class__ = Cycle
    fidelity = Fidelity(["fid", "psnr-crop2", "fid:back", "psnr:back", "psnr", "matched", "matched:back", "kept:back"])
    trainer(fidelity, tmp_path, use_distributed_sampler=False).test(module, data, verbose=False)
    there, back = "negatives@abc", "positives@def"
    assert list(fidelity.latest) == [
        f"fid30/tiny@0/none/{there}/ema-translation",
        f"psnr30-crop2/-/-/{there}/ema-translation",
        f"psnr30/-/-/{there}/ema-translation",
        f"matched30-32px/-/-/{there}/ema-translation",
        f"fid30/tiny@0/none/{back}/ema-back",
        f"kept30/tiny@0/none/{back}/ema-back",
        f"psnr30/-/-/{back}/ema-back",
        f"matched30-32px/-/-/{back}/ema-back",
    ]
    data.setup("test")
    chosen = torch.cat([data.dataset[places].source for places in data.test_dataloader().sampler])
    contrast = data.modality.to_stored(data.modality.to_network(chosen) / 2)
    found = {name.rpartition("/")[2] + name.partition("30")[0]: value for name, value in fidelity.latest.items()}
    assert found["ema-backpsnr"] == pytest.approx(float(psnr(contrast, chosen).mean()), abs=0.02)  # of halves rounded
    assert found["ema-translationpsnr"] == 100.0
    assert found["ema-translationmatched"] == found["ema-backmatched"] == 100.0
    assert found["ema-translationfid"] < found["ema-backfid"]


def test_what_is_made_of_items_with_classes_keeps_them(tmp_path: Path) -> None:
    """By a probe of the targets, which cannot know noise from noise: its own guesses are counted."""
    fidelity = Fidelity(["kept", "class-fid"])
    trainer(fidelity, tmp_path, use_distributed_sampler=False).test(
        translation(Negating()), Restored(**FEW), verbose=False
    )
    kept, *within = fidelity.latest
    assert kept == f"kept30/tiny@0/none/{END.replace('noises-train', 'negatives')}/ema-translation"
    assert 0 < fidelity.latest[kept] <= 100
    assert [name.rpartition("/")[2] for name in within] == ["mean of 2", "even", "odd"]


@pytest.mark.parametrize("metrics", [["psnr", "fid"], ["fid:prior", "fid", "psnr"], ["iwae", "codes"]])
def test_the_first_number_leads_whatever_it_is(tmp_path: Path, metrics: list[str]) -> None:
    fidelity = Fidelity(metrics)
    trainer(fidelity, tmp_path, use_distributed_sampler=False).validate(translation(), Noises(**FEW), verbose=False)
    name, made = {"psnr": ("psnr24", "reconstruction"), "fid:prior": ("fid24", "prior")}.get(
        metrics[0], ("iwae24-k16-normal", "reconstruction")
    )
    assert fidelity.score[0].startswith(f"{name}/")
    assert fidelity.score[0].endswith(f"/ema-{made}")


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        (["fid", "codes"], "fidelity.metrics asks for codes, but Bare has no codebook: leave it out"),
        (["elbo"], "asks for elbo, but Bare says no likelihood, as VAEs do"),
        (["fid:prior"], "asks for fid:prior, but Bare knows no prior over its latents"),
        (["psnr:back"], "asks for psnr:back, but Bare makes nothing in the other direction"),
    ],
)
def test_what_a_generator_cannot_say_is_refused_before_training(tmp_path: Path, metrics: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        numbers(Fidelity(metrics), tmp_path, Noises(**FEW), Bare())


@pytest.mark.parametrize("metric", ["psnr", "codes", "iwae", "kid:prior"])
def test_what_comes_from_noise_is_not_compared(tmp_path: Path, metric: str) -> None:
    task = Copier()
    with pytest.raises(UserError, match=f"fidelity.metrics asks for {metric}, but .* makes items from noise, not from"):
        trainer(Fidelity([metric]), tmp_path).fit(task, Halves())
    assert task.kimg == 0.0


def test_images_that_are_too_small_are_refused_before_training(tmp_path: Path) -> None:
    for metric, said in {
        "ssim": "SSIM needs images of 11 pixels a side at least, these have 8 x 8",
        "psnr-crop4": "PSNR needs images of 1 pixel a side at least without a border of 4, these have 8 x 8: crop less",
    }.items():
        with pytest.raises(UserError, match=said):
            numbers(Fidelity(["fid", metric]), tmp_path, Noises(side=8, **FEW))


def test_draws_that_mean_nothing_are_refused() -> None:
    with pytest.raises(UserError, match=r"fidelity\.draws is 0: it must be at least 1"):
        Fidelity(["iwae"], draws=0)
