from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from ganlit.data.images.stacked import StackedDigits
from ganlit.errors import UserError


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One for all, for the digits are always the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANLIT_CACHE", str(tmp_path_factory.mktemp("digits")))
        yield


def data_of(**options: Any) -> StackedDigits:
    given = {"batch": 4, "val_images": 4, "test_images": 4, "stacks": 40, "measured": 300, "resolution": 32}
    data = StackedDigits(**(given | options))
    data.prepare_data()
    data.setup("fit")
    return data


def test_each_channel_is_a_digit_and_the_class_says_which() -> None:
    data = data_of()
    batch = data.dataset[torch.arange(40)]
    assert (batch.item.shape, batch.item.dtype) == ((40, 3, 32, 32), torch.uint8)
    digits, kinds = data.stored.reference.items, data.stored.reference.labels
    chosen = data.dataset.chosen(torch.arange(40))
    assert torch.equal(batch.item[:, 1], digits[chosen[:, 1], 0])
    names = [data.classes[label] for label in batch.label]
    assert names == ["".join(str(int(kinds[one])) for one in row) for row in chosen]
    assert len(data.classes) == 1000
    assert len({tuple(row) for row in chosen.tolist()}) == 40


def test_stacks_are_a_pure_function_of_seed_and_key() -> None:
    one, two, other = data_of(), data_of(), data_of(seed=1)
    keys = torch.tensor([3, 2**35, 7])
    assert torch.equal(one.dataset[keys].item, two.dataset[keys].item)
    assert torch.equal(one.dataset[keys[1:2]].item, one.dataset[keys].item[1:2])
    assert not torch.equal(one.dataset[keys].item, other.dataset[keys].item)
    assert one.reference.digest == other.reference.digest
    assert one.trained_on.digest != other.trained_on.digest
    assert torch.equal(one.reference.items[5:9], other.measured[torch.arange(5, 9)].item)
    assert torch.equal(one.reference.labels[5:9], one.measured[torch.arange(5, 9)].label)


def test_what_is_shown_does_not_begin_alike() -> None:
    labels = data_of().grid(1, 8).label
    assert len({int(label) // 100 for label in labels}) > 3
    assert torch.equal(labels, data_of().grid(1, 8).label)


def test_without_labels_there_are_no_classes() -> None:
    data = data_of(labels=False)
    assert data.classes == ()
    assert data.reference.labels.unique().tolist() == [0]
    with pytest.raises(UserError, match=r"resolution is 2"):
        data_of(resolution=2)
