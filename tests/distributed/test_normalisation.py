"""`trainer.sync_batchnorm`: batch normalisation of shards equals torch's of the whole batch, derivatives included."""

from __future__ import annotations

from typing import Any

import pytest
import torch

WORLDS = pytest.mark.parametrize("world", [1, 2, 3])
OF_IMAGES = ("output", "slope", "image gradient", "evaluated")


@WORLDS
@pytest.mark.parametrize("layer", ["decay", "mean", "bare"])
def test_shards_equal_the_whole_batch(found: Any, layer: str, world: int) -> None:
    ranks = [rank["normalisation"]["layers"][layer] for rank in found[world]]
    for name, expected in ranks[0]["whole"].items():
        shards = [rank["shared"][name] for rank in ranks]
        if name in OF_IMAGES:
            for number, shard in enumerate(shards):
                torch.testing.assert_close(shard, expected[number::world], rtol=1e-10, atol=1e-12, msg=name)
        elif name.endswith("gradient"):
            torch.testing.assert_close(sum(shards), expected, rtol=1e-10, atol=1e-11, msg=name)
        else:  # running statistics, each rank the whole
            for shard in shards:
                torch.testing.assert_close(shard, expected, rtol=1e-10, atol=1e-12, msg=name)


def test_everything_of_a_layer_is_compared(found: Any) -> None:
    names = set(found[2][0]["normalisation"]["layers"]["decay"]["shared"])
    statistics = {"running_mean", "running_var", "num_batches_tracked"}
    assert names == {*OF_IMAGES, *statistics, "weight gradient", "bias gradient"}


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("what", ["discriminator", "generator", "state"])
def test_steps_of_a_dcgan_equal_those_of_one_process(found: Any, what: str, world: int) -> None:
    expected = found[1][0]["normalisation"]["steps"][what]
    assert found[1][0]["normalisation"]["kinds"] == ["BatchNorm2d"]
    for rank in found[world]:
        assert rank["normalisation"]["kinds"] == ["SharedBatchNorm"]
        torch.testing.assert_close(rank["normalisation"]["steps"][what], expected, rtol=1e-10, atol=1e-11)
