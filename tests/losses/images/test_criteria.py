"""Criteria of images, with gradient and against other ways to compute the same."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torchmetrics.functional.image import structural_similarity_index_measure

from ganlit.contracts import Verdict
from ganlit.errors import UserError
from ganlit.losses.base import Attempt
from ganlit.losses.images.perceptual import Perceptual, pixels
from ganlit.losses.images.similarity import SSIM
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.images.paired import ssim


def attempt(output: Tensor, target: Tensor) -> Attempt:
    return Attempt(target, Verdict(lambda items: items, target, output))


@pytest.fixture
def images() -> tuple[Tensor, Tensor]:
    stream = torch.Generator().manual_seed(0)
    target = torch.rand(2, 3, 24, 24, generator=stream) * 2 - 1
    return (target + 0.2 * torch.randn(target.shape, generator=stream)).clamp(-1, 1), target


def test_similarity_is_that_of_torchmetrics_and_near_the_measure(images: tuple[Tensor, Tensor]) -> None:
    output, target = images
    found = SSIM()(attempt(output, target))
    light = [(each + 1) / 2 for each in images]
    torch.testing.assert_close(1 - found, structural_similarity_index_measure(*light, data_range=1.0))
    stored = [((each + 1) * 127.5).round().to(torch.uint8) for each in images]
    assert (1 - found).item() == pytest.approx(ssim(*stored).mean().item(), abs=0.01)
    assert SSIM()(attempt(target, target)).item() == pytest.approx(0, abs=1e-5)
    made = output.clone().requires_grad_()
    SSIM()(attempt(made, target)).backward()
    assert made.grad.isfinite().all()
    assert made.grad.abs().sum() > 0


def test_similarity_of_tiny_images_is_refused() -> None:
    with pytest.raises(UserError, match="SSIM needs images of 11 pixels a side at least, these have 8 x 8"):
        SSIM()(attempt(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)))


class Depths(FeatureExtractor):
    """Two convolutions, as a network to compare by."""

    name, dim, protocol, batch = "depths", 4, "depths@0/none", 8

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)

    def encode(self, items: Tensor) -> dict[str, Tensor]:
        return {"pool": self.second(self.first(items.float())).mean((2, 3))}

    def inside(self, items: Tensor) -> list[Tensor]:
        return [first := self.first(items / 255), self.second(first)]


@pytest.fixture
def depths(monkeypatch: pytest.MonkeyPatch) -> Depths:
    network = Depths()
    monkeypatch.setattr("ganlit.losses.images.perceptual.extractor", lambda name: network)
    return network


def test_a_perceptual_distance_compares_directions_at_each_depth(depths: Depths, images: tuple[Tensor, Tensor]) -> None:
    output, target = (each[:, :1] for each in images)
    found = Perceptual("depths")(attempt(output, target))
    expected = []
    for one, other in zip(depths.inside(pixels(output)), depths.inside(pixels(target)), strict=True):
        cosine = nn.functional.cosine_similarity(one, other, dim=1)
        expected.append((2 - 2 * cosine).mean())
    torch.testing.assert_close(found, torch.stack(expected).mean())
    torch.testing.assert_close(Perceptual("depths", depths=1)(attempt(output, target)), expected[0])
    assert Perceptual("depths")(attempt(target, target)) == 0


def test_it_pulls_at_the_output_alone_and_is_no_part_of_the_module(
    depths: Depths, images: tuple[Tensor, Tensor]
) -> None:
    output, target = (each.clone().requires_grad_() for each in images)
    criterion = Perceptual("depths", weight=2.0)
    criterion.term(attempt(output, target)).backward()
    assert output.grad.abs().sum() > 0
    assert target.grad is None
    assert all(parameter.grad is None for parameter in depths.parameters())
    assert not criterion.state_dict()
    assert not list(criterion.parameters())


def test_each_network_has_its_name() -> None:
    assert Perceptual().name == "perceptual-inception"
    assert Perceptual("torchvision:vgg19").name == "perceptual-torchvision:vgg19"
    assert Perceptual(name="seen").name == "seen"
    with pytest.raises(UserError, match=r"Perceptual.depths is 0"):
        Perceptual(depths=0)


def test_weights_are_asked_for_when_they_are_needed() -> None:
    criterion = Perceptual("nowhere")
    with pytest.raises(UserError, match="unknown extractor nowhere"):
        criterion(attempt(torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)))
