from __future__ import annotations

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor, nn

from ganlit.contracts import Labelled, Reference
from ganlit.data.base import GanDataModule
from ganlit.data.images.images import LabelledImages
from ganlit.data.images.modality import ImageModality
from ganlit.data.images.pixels import to_uint8
from ganlit.data.stream import items
from ganlit.errors import UserError


class Numbers(GanDataModule):
    """Forty one-pixel images whose pixel is their number; every fourth is of class 2, class 1 has none."""

    def __init__(self, flip: bool = False, **loading: Any) -> None:
        super().__init__(**loading)
        images = torch.arange(40, dtype=torch.uint8).view(40, 1, 1, 1)
        self.labels = torch.where(torch.arange(40) % 4 == 0, 2, 0)
        self.real = Reference("numbers-train", "abc", images, self.labels, ("a", "b", "c"))
        self.flip = flip

    modality = ImageModality()

    @property
    def reference(self) -> Reference:
        return self.real

    @property
    def dataset(self) -> LabelledImages:
        return LabelledImages(self.real.items, self.real.labels, self.flip)


class Clocked(LightningModule):
    """Counts images as a task does, and writes down what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.weight = nn.Parameter(torch.zeros(1))
        self.images_seen = 0
        self.given: list[Tensor] = []
        self.validated_at: list[int] = []

    def training_step(self, batch: Labelled, batch_idx: int) -> None:
        assert batch.item.dtype == torch.float32
        self.given.append(to_uint8(batch.item).flatten().long())
        self.optimizers().step()
        self.images_seen += len(batch.item) * self.trainer.world_size

    def validation_step(self, batch: Labelled, batch_idx: int) -> None:
        if batch_idx == 0:
            self.validated_at.append(self.images_seen)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["images_seen"] = self.images_seen

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.images_seen = checkpoint["images_seen"]


def trainer(folder: Path, ticks: int, *callbacks: ModelCheckpoint) -> Trainer:
    return Trainer(
        accelerator="cpu",
        max_epochs=ticks,
        default_root_dir=folder,
        logger=False,
        callbacks=list(callbacks),
        enable_checkpointing=bool(callbacks),
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
    )


def attached(data: GanDataModule, rank: int, world: int, images_seen: int = 0) -> GanDataModule:
    data.trainer = SimpleNamespace(
        global_rank=rank,
        world_size=world,
        lightning_module=SimpleNamespace(images_seen=images_seen),
        strategy=SimpleNamespace(root_device=torch.device("cpu")),
    )
    return data


def test_an_epoch_is_a_tick(tmp_path: Path) -> None:
    model = Clocked()
    trainer(tmp_path, 3).fit(model, Numbers(batch=8, tick=0.024, val_images=8))
    assert torch.equal(torch.cat(model.given), items(40, 0, torch.arange(72)))
    assert model.validated_at == [24, 48, 72]


@pytest.mark.filterwarnings("ignore:Using ModelCheckpoint", "ignore:Be aware that when using `ckpt_path`")
def test_a_run_resumed_in_the_middle_of_a_tick_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    whole, saved = Clocked(), ModelCheckpoint(tmp_path, "{step}", every_n_train_steps=5, save_top_k=-1)
    trainer(tmp_path, 3, saved).fit(whole, Numbers(batch=8, tick=0.024, val_images=8, seed=3))
    files = sorted(tmp_path.glob("*.ckpt"))
    resumed = Clocked()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*your dataloader is not resumable")
        trainer(tmp_path, 3).fit(resumed, Numbers(batch=8, tick=0.024, val_images=8, seed=3), ckpt_path=files[0])
    assert len(resumed.given) == 4
    assert torch.equal(torch.cat(resumed.given), torch.cat(whole.given[5:]))
    assert resumed.validated_at == whole.validated_at[1:]


@pytest.mark.parametrize(
    ("batch", "tick", "batches"), [(32, 10.0, 313), (48, 10.0, 209), (40, 10.0, 250), (64, 0.01, 1)]
)
def test_a_tick_ends_with_the_step_that_completes_it(batch: int, tick: float, batches: int) -> None:
    assert len(list(Numbers(batch=batch, tick=tick).train_dataloader().sampler)) == batches


@pytest.mark.parametrize("world", [1, 2, 3])
def test_ranks_share_the_validation_without_padding(world: int) -> None:
    """Batch after batch in turn: the same batches, and so the same images, however many ranks there are."""
    whole = items(40, 0, torch.arange(60)).split(3)
    served: dict[int, list[int]] = {}
    for rank in range(world):
        batches = list(attached(Numbers(batch=6, val_images=60), rank, world).val_dataloader())
        served |= {rank + world * turn: batch.item.flatten().tolist() for turn, batch in enumerate(batches)}
    assert served == dict(enumerate(batch.tolist() for batch in whole))


def test_every_rank_has_images_to_sample() -> None:
    shares = [list(attached(Numbers(batch=8, val_images=16), rank, 8).val_dataloader()) for rank in range(8)]
    assert all(shares)
    assert sum(len(batch.item) for share in shares for batch in share) == 16


@pytest.mark.parametrize(
    ("batch", "count", "sizes"), [(40, 2000, [40] * 50), (1000, 2000, [64] * 31 + [16]), (64, 250, [15] * 16 + [10])]
)
def test_images_are_sampled_a_few_at_a_time(batch: int, count: int, sizes: list[int]) -> None:
    data = Numbers(batch=40)
    data.batch = batch
    assert [len(places) for places in data.batches(count)] == sizes


def test_validation_is_the_same_at_every_time_and_has_no_flips() -> None:
    data = Numbers(flip=True, batch=8, val_images=40)
    first, second = (torch.cat([batch.item for batch in data.val_dataloader()]) for _ in range(2))
    assert torch.equal(first, second)
    assert first.flatten().sort().values.tolist() == list(range(40))


def test_a_test_larger_than_the_dataset_repeats_by_permutations() -> None:
    drawn = torch.cat([batch.item for batch in Numbers(batch=8, test_images=100).test_dataloader()]).flatten()
    assert len(drawn) == 100
    for start in (0, 40):
        assert drawn[start : start + 40].sort().values.tolist() == list(range(40))


def test_training_sees_flips() -> None:
    data = Numbers(flip=True, batch=40, tick=0.08)
    drawn = torch.cat([batch.item for batch in data.train_dataloader()]).flatten().long()
    assert torch.equal(drawn.bincount(), torch.full((40,), 2))


def test_grid_columns_are_the_classes_that_have_images() -> None:
    data = Numbers()
    grid = data.grid(rows=3, columns=5)
    assert grid.label.view(3, 5).tolist() == [[0, 2, 0, 2, 0]] * 3
    numbers = to_uint8(grid.item).flatten().long()
    assert torch.equal(data.labels[numbers], grid.label)
    assert len(numbers.unique()) == 15
    assert torch.equal(data.grid(3, 5).item, grid.item)


def test_a_grid_larger_than_the_dataset_repeats() -> None:
    assert Numbers().grid(20, 4).label.bincount().tolist() == [40, 0, 40]


def test_images_reach_the_unit_range_and_come_back() -> None:
    batch = Labelled(torch.arange(256, dtype=torch.uint8).view(4, 1, 8, 8), torch.arange(4))
    unit = Numbers().to_network(batch)
    assert isinstance(unit, Labelled)
    assert (unit.item.min(), unit.item.max()) == (-1, 1)
    assert torch.equal(to_uint8(unit.item), batch.item)
    assert torch.equal(unit.label, batch.label)


@pytest.mark.parametrize(
    ("options", "world", "message"),
    [
        ({"batch": 9}, 2, "batch is 9, which 2 ranks cannot share evenly: set it to a multiple of 2"),
        (
            {"batch": 64},
            1,
            "numbers-train has 40 images to train on, fewer than a batch: set data.init_args.batch to 40 or less",
        ),
        ({"batch": 9, "val_images": 2}, 3, "val_images is 2, sampled in 2 batches, fewer than the 3 ranks"),
    ],
)
@pytest.mark.parametrize("flip", [False, True])
def test_what_cannot_be_shared_is_refused(options: dict[str, int], world: int, message: str, flip: bool) -> None:
    with pytest.raises(UserError, match=message):
        attached(Numbers(flip, **options), 0, world).setup("fit")


@pytest.mark.parametrize("key", ["batch", "tick", "val_images", "test_images"])
@pytest.mark.parametrize("value", [0, -1, 10**12, 10**400, float("nan"), float("inf")])
def test_values_out_of_range_are_refused(key: str, value: float) -> None:
    with pytest.raises(UserError, match=rf"^data.init_args.{key} is {value}: it must be .*(at least 1|above 0) and at"):
        Numbers(**{key: value})


def test_a_seed_is_not_negative() -> None:
    with pytest.raises(UserError, match=r"data.init_args.seed is -1: it must be at least 0"):
        Numbers(seed=-1)


@given(st.floats(0, 1e7, exclude_min=True), st.integers(1, 10**7))
def test_every_tick_that_is_let_in_is_some_whole_steps(tick: float, batch: int) -> None:
    images = Numbers(tick=tick, batch=batch).ticks.end(1)
    assert images >= batch
    assert images % batch == 0
    assert abs(images - tick * 1000) <= max(batch, tick * 1e-9)


def test_the_classes_that_have_items_are_known() -> None:
    assert Numbers().populated.tolist() == [0, 2]
