"""Criteria of images, with gradient and against other ways to compute the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics.functional.image import structural_similarity_index_measure
from torchvision.models import vgg19

from ganlit.contracts import Judgement, Verdict
from ganlit.errors import UserError
from ganlit.losses.base import Attempt
from ganlit.losses.images.perceptual import Layers, Perceptual, pixels
from ganlit.losses.images.sharpened import Sharpened, sharpened
from ganlit.losses.images.similarity import SSIM
from ganlit.losses.reconstruction import L1, FeatureMatching
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.images.backbones import Backbone
from ganlit.metrics.images.paired import ssim
from ganlit.metrics.images.sources import IMAGENET, Source, square

REAL = Path(__file__).parents[3] / "configs" / "enhancement" / "realesrgan_x4.yaml"


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


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> nn.Sequential:
    """A network in the manner of VGG, whose activations write into what they are given."""
    torch.manual_seed(0)
    network = nn.Module()
    network.features = nn.Sequential(
        *(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(4, 5, 3, padding=1), nn.ReLU(inplace=True)),
        *(nn.MaxPool2d(2), nn.Conv2d(5, 6, 3, padding=1), nn.ReLU(inplace=True)),
    )
    network.forward = lambda images: network.features(images).flatten(1)
    found = Backbone("stack", Source(network, square(8, "legacy", *IMAGENET)))
    monkeypatch.setattr("ganlit.losses.images.perceptual.extractor", lambda name: found)
    return network.features


def seen_by_layers(features: nn.Sequential, images: Tensor, names: list[int]) -> list[Tensor]:
    """As the authors of Real-ESRGAN go through VGG19, of images from 0 to 1 brought to the mean of ImageNet."""
    mean, deviation = (torch.tensor(numbers).view(1, 3, 1, 1) for numbers in IMAGENET)
    x, found = ((images + 1) / 2 - mean) / deviation, []
    for place, layer in enumerate(features):
        x = layer(x)
        if place in names:
            found.append(x.clone())
    return found


@pytest.mark.parametrize("squared", [False, True])
def test_single_layers_are_compared_before_their_activation(
    stack: nn.Sequential, images: tuple[Tensor, Tensor], squared: bool
) -> None:
    output, target = (each.clone().requires_grad_() for each in images)
    shares = {"features.2": 0.1, "features.5": 1.0, "features.3": 0.3}
    criterion = Layers(shares, "stack", weight=2.0, square=squared)
    found = criterion.term(attempt(output, target))
    again = images[0].clone().requires_grad_()
    made, true = (seen_by_layers(stack, each, [2, 3, 5]) for each in (again, images[1]))
    distance = F.mse_loss if squared else F.l1_loss
    expected = 2 * sum(
        share * distance(one, other) for share, one, other in zip((0.1, 0.3, 1.0), made, true, strict=True)
    )
    torch.testing.assert_close(found, expected)
    (gradient,) = torch.autograd.grad(found, output)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, again)[0])
    assert bool((made[0] < 0).any())
    assert target.grad is None
    assert not list(criterion.parameters())
    assert not any(layer._forward_hooks for layer in stack)


def test_layers_that_are_not_there_are_told(stack: nn.Sequential) -> None:
    seen, small = (attempt(torch.zeros(1, 1, side, side), torch.zeros(1, 1, side, side)) for side in (16, 1))
    with pytest.raises(UserError, match=r"names features.55, which stack has not; did you mean features.5\?"):
        Layers({"features.55": 1.0}, "stack")(seen)
    with pytest.raises(UserError, match=r"names conv5_4, which stack has not: name one of its modules\."):
        Layers({"conv5_4": 1.0}, "stack")(seen)
    assert Layers({"features.2": 1.0}, "stack")(small) == 0
    with pytest.raises(UserError, match=r"names features.5, which stack does not reach with images of 1 x 1"):
        Layers({"features.2": 1.0, "features.5": 1.0}, "stack")(small)
    with pytest.raises(UserError, match=r"Layers\.layers is empty"):
        Layers({})
    with pytest.raises(UserError, match=r"Layers.layers.features.2 is -1"):
        Layers({"features.2": -1.0})
    assert Layers({"features.2": 1.0}).name == "layers-torchvision:vgg19"


def sharp(images: Tensor) -> Tensor:
    """As the authors of Real-ESRGAN sharpen images from 0 to 1, by a kernel of 51 x 51 of OpenCV."""
    bell = np.exp(-((np.arange(51) - 25) ** 2) / (2 * 8.0**2))  # 0.3 * ((51 - 1) * 0.5 - 1) + 0.8 is 8
    bell = bell / bell.sum()
    kernel = torch.tensor(np.outer(bell, bell), dtype=torch.float64)[None, None]

    def blur(x: Tensor) -> Tensor:
        return torch.cat([F.conv2d(F.pad(one, [25] * 4, "reflect"), kernel) for one in x.split(1, dim=1)], dim=1)

    residual = images - blur(images)
    mask = blur((residual.abs() * 255 > 10).double())
    return mask * torch.clip(images + 0.5 * residual, 0, 1) + (1 - mask) * images


def test_targets_are_sharpened_as_in_real_esrgan() -> None:
    stream = torch.Generator().manual_seed(0)
    rough = torch.rand(2, 3, 40, 32, generator=stream, dtype=torch.float64)
    rough[..., 20:] = 0.3 + 0.001 * rough[..., 20:]  # even, and beside it an edge
    one, other = (rough.clone().requires_grad_() for _ in range(2))
    found, expected = (sharpened(one * 2 - 1, 0.5, 25, 10.0) + 1) / 2, sharp(other)
    torch.testing.assert_close(found, expected)
    assert (found - rough).abs().max() > 0.1
    found.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(one.grad, other.grad)
    torch.testing.assert_close(sharpened(rough.float() * 2 - 1, 0.5, 25, 10.0), (expected * 2 - 1).float())
    even = torch.full((1, 1, 30, 30), 0.25)
    torch.testing.assert_close(sharpened(even, 0.5, 25, 10.0), even)


def test_a_criterion_sees_sharpened_targets_and_the_discriminator_does_not() -> None:
    stream = torch.Generator().manual_seed(0)
    output, target = torch.rand(2, 2, 1, 32, 32, generator=stream) * 2 - 1
    made = output.clone().requires_grad_()
    given = attempt(made, target)
    criterion = Sharpened(L1(weight=3.0), weight=0.5)
    criterion.term(given).backward()
    expected = 1.5 * (output - sharpened(target, 0.5, 25, 10.0)).abs().mean()
    torch.testing.assert_close(criterion.term(given), expected)
    assert made.grad.abs().sum() > 0
    assert given.target is target
    assert criterion.name == "l1-sharpened"
    assert Sharpened(L1(name="near"), name="nearer").name == "nearer"

    def judge(items: Tensor) -> Judgement:
        return Judgement([items.mean((1, 2, 3))], [[items]])

    whole = Attempt(target, Verdict(judge, target, output))
    features = Sharpened(FeatureMatching())
    assert features.asks_discriminator
    assert not criterion.asks_discriminator
    torch.testing.assert_close(features.term(whole), (output - sharpened(target, 0.5, 25, 10.0)).abs().mean())


def test_sharpening_what_it_cannot_is_refused() -> None:
    small = attempt(torch.zeros(1, 1, 25, 40), torch.zeros(1, 1, 25, 40))
    with pytest.raises(
        UserError, match=r"radius is 25, for which images need 26 pixels a side at least, these have 25"
    ):
        Sharpened(L1())(small)
    assert Sharpened(L1(), radius=24)(small) == 0
    for key, value in {"amount": -1.0, "radius": 0, "threshold": 256.0}.items():
        with pytest.raises(UserError, match=f"Sharpened.{key} is {value}"):
            Sharpened(L1(), **{key: value})


def test_real_esrgan_weighs_the_last_convolutions_of_vgg19_before_each_pooling() -> None:
    pixel, perceptual = yaml.safe_load(REAL.read_text())["model"]["init_args"]["criteria"]
    assert pixel["class_path"] == perceptual["class_path"] == "Sharpened"
    layers = perceptual["init_args"]["criterion"]["init_args"]["layers"]
    with torch.device("meta"):
        features = vgg19().features
    places = [int(name.removeprefix("features.")) for name in layers]
    kinds = [[type(features[place + step]) for step in range(3)] for place in places]
    assert kinds == [[nn.Conv2d, nn.ReLU, nn.MaxPool2d]] * 5
    assert list(layers.values()) == [0.1, 0.1, 1.0, 1.0, 1.0]
