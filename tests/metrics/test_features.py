from __future__ import annotations

import pytest
import torch
from noises import noise
from torch import nn

from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor, digest, exact_float32


def test_short_products_are_forbidden_inside_and_restored_after() -> None:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with exact_float32():
            assert torch.backends.cuda.matmul.fp32_precision == torch.backends.mkldnn.matmul.fp32_precision == "ieee"
            assert torch.backends.cudnn.conv.fp32_precision == torch.backends.mkldnn.conv.fp32_precision == "ieee"
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("count", [0, 1, 4, 11])
def test_images_are_seen_in_the_extractors_own_batches_and_order(tiny: FeatureExtractor, count: int) -> None:
    images, advances = noise(count, 4, 4), []
    pool = tiny.extract(images, advances.append)["pool"]
    full, rest = divmod(count, tiny.batch)
    assert [seen for seen in tiny.seen if seen] == [tiny.batch] * full + [rest] * (rest > 0)
    assert sum(advances) == count
    assert pool.shape == (count, tiny.dim)
    assert torch.equal(pool, tiny(images)["pool"])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_refused(tiny: FeatureExtractor, value: float) -> None:
    nn.init.constant_(tiny.scale, value)
    with pytest.raises(UserError, match=r"tiny .*not finite.* weights .*fp32"):
        tiny.extract(noise(6, 4, 4))


def test_a_digest_is_of_values_in_their_order_however_they_are_stored() -> None:
    a, b = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0)).bfloat16().float()
    plain = digest([a, b])
    assert len(plain) == 8
    assert int(plain, 16) >= 0
    assert digest({"x": a.bfloat16(), "y": nn.Parameter(b.double())}) == plain
    strided = a[None].contiguous(memory_format=torch.channels_last)[0]
    assert not strided.is_contiguous()
    assert digest(iter([strided, b.mT.contiguous().mT])) == plain
    assert digest([b, a]) != plain
    assert digest([a, b.nextafter(b + 1)]) != plain
