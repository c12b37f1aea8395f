from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d
from torch.utils.data import DataLoader

from ganlit.callbacks import fidelity as module
from ganlit.callbacks.fidelity import Fidelity, gather
from ganlit.contracts import Reference, Sampled
from ganlit.errors import UserError
from ganlit.images import to_uint8
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.measure import measure
from ganlit.metrics.statistics import reference_statistics


class Tiny(FeatureExtractor):
    """Six means of an image's halves."""

    name = "tiny"
    dim = 6
    protocol = "tiny/none"
    batch = 8

    def __init__(self, weights: Path | None = None, precision: str = "fp32") -> None:
        super().__init__()
        self.precision = precision
        self.scale = nn.Parameter(torch.tensor(1 / 255))

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        return {"pool": adaptive_avg_pool2d(images * self.scale, (2, 1)).flatten(1)}


class Halves(LightningDataModule):
    """Images that are brighter above or below; they are validated and tested against themselves."""

    tick_images = 1000

    def __init__(self, classes: tuple[str, ...] = ("above", "below"), test_images: int = 20) -> None:
        super().__init__()
        images = torch.randint(0, 120, (60, 1, 4, 4), generator=torch.Generator().manual_seed(3), dtype=torch.uint8)
        images[0::2, :, :2] += 100
        images[1::2, :, 2:] += 100
        self.reference = Reference("halves-train", "abc", images, torch.arange(60) % 2, classes)
        self.test_images = test_images

    def train_dataloader(self) -> DataLoader:
        return DataLoader(torch.zeros(2, 1))

    def val_dataloader(self) -> DataLoader:
        return DataLoader(self.reference.images[:25] / 127.5 - 1, batch_size=6)

    def test_dataloader(self) -> DataLoader:
        return DataLoader(self.reference.images[: self.test_images] / 127.5 - 1, batch_size=6)


class Copier(LightningModule):
    """Generates its input, the darker the longer it has trained."""

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


def tiny(**arguments: Any) -> Fidelity:
    fidelity = Fidelity(**arguments)
    fidelity.extractor = Tiny()
    return fidelity


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
    statistics = reference_statistics(data.reference, Tiny())
    return measure(Tiny().extract(to_uint8(images)), statistics, data.reference, Tiny())


def test_every_validation_is_measured_logged_and_remembered(tmp_path: Path) -> None:
    fidelity, data, task = tiny(), Halves(), Copier()
    assert fidelity.score is None
    loop = trainer(fidelity, tmp_path, num_sanity_val_steps=2)
    loop.fit(task, data)

    real = data.reference.images[:25] / 127.5 - 1
    assert [kimg for kimg, _ in fidelity.history] == [1.0, 2.0]
    assert fidelity.history[0][1] == pytest.approx(expected(data, (real - 0.1).clamp(-1, 1)))
    assert fidelity.history[1][1] == pytest.approx(expected(data, (real - 0.2).clamp(-1, 1)))
    assert fidelity.latest == fidelity.history[1][1]
    assert (
        fidelity.score
        == fidelity.latest["fid25/tiny/none/halves-train"]
        > fidelity.history[0][1]["fid25/tiny/none/halves-train"]
    )
    logged = {name: float(value) for name, value in loop.callback_metrics.items()}
    assert {name: logged[name] for name in fidelity.latest} == pytest.approx(fidelity.latest)


def test_every_second_validation_is_measured_when_asked(tmp_path: Path) -> None:
    fidelity = tiny(every=2)
    loop = trainer(fidelity, tmp_path, max_epochs=5)
    loop.fit(Copier(), Halves())
    assert [kimg for kimg, _ in fidelity.history] == [2.0, 4.0]
    loop.validate(Copier(), Halves())
    assert len(fidelity.history) == 3
    with pytest.raises(UserError, match=r"fidelity\.every is 0"):
        Fidelity(every=0)


def test_the_test_adds_the_floor_and_leaves_the_history_alone(tmp_path: Path) -> None:
    fidelity, data = tiny(), Halves()
    loop = trainer(fidelity, tmp_path)
    loop.test(Copier(), data)
    assert fidelity.history == []
    assert fidelity.score is None
    assert fidelity.latest["fid20/tiny/none/halves-train"] > 0
    assert fidelity.latest["floor-fid20/tiny/none/halves-train"] > 0
    assert loop.callback_metrics.keys() == fidelity.latest.keys()


def test_there_is_no_floor_where_too_few_other_images_are_left(tmp_path: Path) -> None:
    fidelity = tiny()
    trainer(fidelity, tmp_path).test(Copier(), Halves(test_images=40))
    assert not any(name.startswith("floor") for name in fidelity.latest)


def test_a_subset_of_the_real_images_is_part_of_every_name(tmp_path: Path) -> None:
    fidelity = tiny(reference_images=50)
    trainer(fidelity, tmp_path).test(Copier(), Halves())
    assert all("halves-train-50" in name for name in fidelity.latest)
    assert len(fidelity.statistics.features) == 50


def test_a_subset_larger_than_the_set_is_refused_before_training(tmp_path: Path) -> None:
    task = Copier()
    with pytest.raises(UserError, match="reference_images"):
        trainer(tiny(reference_images=61), tmp_path).fit(task, Halves())
    assert task.kimg == 0.0


def test_missing_weights_are_told_before_training(tmp_path: Path) -> None:
    task = Copier()
    with pytest.raises(UserError, match=r"fidelity\.weights.*nowhere\.pth"):
        trainer(Fidelity(weights=tmp_path / "nowhere.pth"), tmp_path).fit(task, Halves())
    assert task.kimg == 0.0


@pytest.mark.parametrize(("native", "used"), [(True, "bf16"), (False, "fp32")])
def test_emulated_bfloat16_is_not_used_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], native: bool, used: str
) -> None:
    monkeypatch.setattr(module, "Inception", Tiny)
    monkeypatch.setattr(module, "native_bf16", lambda device: native)
    fidelity = Fidelity(precision="bf16")
    trainer(fidelity, tmp_path).test(Copier(), Halves())
    assert fidelity.extractor.precision == used
    assert ("bf16 is not native" in capsys.readouterr().out) is not native


def test_the_missing_score_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fidelity = tiny()
    trainer(fidelity, tmp_path).fit(Copier(), Halves(classes=()))
    assert capsys.readouterr().out.count("Inception Score is unavailable") == 1
    assert not any(name.startswith("is") for name in fidelity.latest)


def test_the_probe_and_the_time_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fidelity = tiny()
    loop = trainer(fidelity, tmp_path)
    loop.fit(Copier(), Halves())
    loop.test(Copier(), Halves(), verbose=False)
    said = capsys.readouterr().out
    assert "Class probe of halves-train: 100.0% of 12 held-out images right." in said
    assert f"Metrics took {fidelity.seconds:.0f} s" in said
    assert fidelity.seconds > fidelity.seconds_real > 0


def test_checkpoints_hold_the_history_and_no_extractor(tmp_path: Path) -> None:
    fidelity = tiny()
    loop = trainer(fidelity, tmp_path)
    loop.fit(Copier(), Halves())
    loop.save_checkpoint(tmp_path / "last.ckpt")
    checkpoint = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert set(checkpoint["state_dict"]) == {"layer.weight", "layer.bias"}

    resumed = tiny()
    trainer(resumed, tmp_path, max_epochs=3).fit(
        Copier(), Halves(), ckpt_path=tmp_path / "last.ckpt", weights_only=True
    )
    assert resumed.history[:2] == fidelity.history
    assert len(resumed.history) == 3
    assert resumed.seconds > fidelity.seconds


def test_ranks_with_unlike_shares_are_joined_exactly() -> None:
    """Three ranks of 2, 0 and 3 rows, as the second of them sees the exchange."""
    shares = [torch.arange(8.0).view(2, 4), torch.empty(0, 4), torch.arange(12.0).view(3, 4) + 100]

    class Strategy:
        root_device = torch.device("cpu")

        def all_gather(self, tensor: Tensor) -> Tensor:
            if tensor.dtype == torch.int64:
                return torch.tensor([[2], [0], [3]])
            assert tensor.shape == (3, 4)
            return torch.stack([nn.functional.pad(share, (0, 0, 0, 3 - len(share)), value=-1) for share in shares])

    class Ranks:
        strategy = Strategy()

    assert torch.equal(gather(shares[1], Ranks()), torch.cat(shares))
