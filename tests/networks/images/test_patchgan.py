"""Patches: how large they are, how many weights judge them, what each layer hands out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganlit.contracts import Judgement
from ganlit.errors import UserError
from ganlit.networks.images.patchgan import HALVINGS, PatchDiscriminator

LABEL = torch.zeros(1, dtype=torch.long)


def judged(net: PatchDiscriminator, image: Tensor) -> Tensor:
    return net(image, LABEL).logits[0]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 2_764_737),
        ({"channels": 6, "norm": "batch"}, 2_768_705),
        ({"channels": 2, "norm": "batch"}, 2_764_609),
    ],
)
def test_as_many_weights_as_those_of_pix2pix(options: dict[str, object], count: int) -> None:
    with torch.device("meta"):
        assert sum(each.numel() for each in PatchDiscriminator(**options).parameters()) == count


@pytest.mark.parametrize("field", HALVINGS)
def test_a_logit_depends_on_its_patch_and_on_no_more(field: int) -> None:
    torch.manual_seed(0)
    net = PatchDiscriminator(1, field, "none", width=2).double()
    for parameter in net.parameters():
        parameter.data.abs_().add_(0.01)  # so that nothing cancels
    size = max(2 * field, 8)
    image = torch.rand(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    logits = judged(net, image)
    middle = logits.shape[-1] // 2
    logits[0, middle, middle].backward()
    seen = image.grad[0, 0] != 0
    assert seen.any(dim=0).sum() == seen.any(dim=1).sum() == field
    assert seen.sum() == field**2


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize(("field", "size"), [(1, 30), (16, 14), (70, 30), (286, 1)])
def test_answers_for_patches_and_features_of_each_layer(field: int, size: int, norm: str) -> None:
    net = PatchDiscriminator(3, field, norm, width=4)
    side = {1: 30, 16: 32, 70: 256, 286: 96}[field]
    found = net(torch.randn(2, 3, side, side), torch.zeros(2, dtype=torch.long))
    assert isinstance(found, Judgement)
    assert found.logits[0].shape == (2, size, size)
    assert len(found.features[0]) == max(HALVINGS[field], 1) + 1
    maps = [features.shape[1] for features in found.features[0]]
    assert maps == [4, 8, 16, 32, 32, 32][: len(maps)]
    found.logits[0].sum().backward()
    assert all(each.grad is not None for each in net.parameters())


def test_the_features_are_those_that_the_logits_are_made_of() -> None:
    net = PatchDiscriminator(1, 70, width=4)
    found = net(torch.randn(1, 1, 32, 32), LABEL)
    assert torch.equal(net.logits(found.features[0][-1])[:, 0], found.logits[0])
    assert torch.equal(net.layers[1](found.features[0][0]), found.features[0][1])


def test_instance_norm_has_no_weights_and_batch_norm_takes_the_bias() -> None:
    instance, batch = PatchDiscriminator(norm="instance", width=4), PatchDiscriminator(norm="batch", width=4)
    assert all(layer[0].bias is not None for layer in instance.layers)
    assert [layer[0].bias is None for layer in batch.layers] == [False, True, True, True]
    assert not any(list(each.parameters()) for each in instance.modules() if isinstance(each, nn.InstanceNorm2d))


def test_weights_start_at_a_deviation_of_a_fiftieth_without_bias() -> None:
    for module in PatchDiscriminator().modules():
        if isinstance(module, nn.Conv2d):
            assert module.bias.abs().max() == 0
            if module.weight.numel() > 10_000:
                assert module.weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_what_means_nothing_is_refused() -> None:
    with pytest.raises(UserError, match=r"field is 71: it must be one of 1, 16, 34, 70, 142, 286"):
        PatchDiscriminator(field=71)
    with pytest.raises(UserError, match="width is 0"):
        PatchDiscriminator(width=0)
    with pytest.raises(UserError, match=r"field is 286, which takes images of 96 pixels or more.* 32: set it to less"):
        PatchDiscriminator(field=286, width=1)(torch.zeros(1, 3, 32, 64), LABEL)
