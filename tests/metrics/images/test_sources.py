from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch
from noises import noise, pillow
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, PILToTensor, Resize, ToTensor

from ganlit.errors import UserError
from ganlit.metrics.features import digest
from ganlit.metrics.images import sources
from ganlit.metrics.images.backbones import Backbone
from ganlit.metrics.images.sources import cropped, timm_model
from ganlit.records.downloads import checkpoints

pytestmark = pytest.mark.usefixtures("offline")
with_timm = pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is optional, and not installed")


def assert_near(found: Tensor, expected: Tensor) -> None:
    """Features of two images, equal but for pixels one level apart, beside what distinguishes the images."""
    assert found.shape == expected.shape
    assert float((found - expected).norm() / (expected[0] - expected[1]).norm()) < 0.05


def place(name: str, shapes: dict[str, tuple[int, ...]]) -> Path:
    """Random weights in the cache of torch.hub."""
    generator = torch.Generator().manual_seed(4)
    path = checkpoints() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({key: torch.randn(shape, generator=generator) for key, shape in shapes.items()}, path)
    return path


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("squash", [False, True])
@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (50, 50)])
def test_a_crop_is_that_of_pillow(mode: str, squash: bool, shape: tuple[int, int]) -> None:
    view = cropped(36, 32, mode, (0, 0, 0), (1, 1, 1), squash)
    reference = Compose([Resize([36, 36] if squash else 36, InterpolationMode(mode)), CenterCrop(32), PILToTensor()])
    images = noise(2, *shape)
    expected = torch.stack([reference(image) for image in pillow(images)])
    differences = (view(images) * 255 - expected).abs()
    assert differences.max() < 1.5  # at ties of its fixed-point numbers
    assert (differences > 0.5).float().mean() < 0.05
    assert view.name == f"{mode}36{'-squash' if squash else ''}-crop32"


@with_timm
@pytest.mark.parametrize("name", ["test_vit.r160_in1k", "test_resnet.r160_in1k"])
def test_timm_models_see_what_they_were_trained_on(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import timm
    from huggingface_hub import constants
    from safetensors.torch import save_file
    from timm.data import create_transform, resolve_model_data_config

    with torch.random.fork_rng(devices=[]):
        complete = timm.create_model(name).eval()
    reference = timm.create_model(name, num_classes=0).eval()
    reference.load_state_dict({key: complete.state_dict()[key] for key in reference.state_dict()})
    transform = create_transform(**resolve_model_data_config(reference))
    with torch.no_grad():
        expected = reference(torch.stack([transform(image) for image in pillow(noise())]))

    repository = tmp_path / "hub" / f"models--timm--{name}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    (repository / "snapshots" / "abc").mkdir(parents=True)
    save_file(complete.state_dict(), repository / "snapshots" / "abc" / "model.safetensors")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    from_cache = Backbone(f"timm:{name}", timm_model(name))
    from_file = Backbone(f"timm:{name}", timm_model(name, repository / "snapshots" / "abc" / "model.safetensors"))
    for ours in (from_cache, from_file):
        features = ours(noise())
        assert_near(features["pool"], expected)
        assert list(features) == ["pool"]
        assert (ours.dim, ours.classes) == (expected.shape[1], 0)
    assert from_cache.protocol == from_file.protocol
    assert from_cache.protocol.startswith(f"timm:{name}@{digest(reference.state_dict())}/bi")


TIMM = """
import torch
from torch import nn
from types import SimpleNamespace

CONFIG = {
    "timm_hub": SimpleNamespace(hf_hub_id="timm/hub", url=""),
    "timm_url": SimpleNamespace(hf_hub_id=None, url="https://example.org/releases/timm_url.pth"),
    "timm_border": SimpleNamespace(hf_hub_id=None, url="https://example.org/releases/timm_border.pth"),
}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, 5))
        self.fc = nn.Linear(5, 7)

    def reset_classifier(self, num_classes):
        assert num_classes == 0
        self.fc = nn.Identity()

    def forward(self, x):
        return self.fc(self.trunk(x))


def is_model_pretrained(name):
    return name in CONFIG


def list_pretrained():
    return list(CONFIG)


def get_pretrained_cfg(name):
    return CONFIG[name]


def create_model(name, pretrained, pretrained_cfg_overlay):
    network = Net()
    network.name = name
    network.load_state_dict(torch.load(pretrained_cfg_overlay["file"], weights_only=True))
    return network
"""

TIMM_DATA = """
def resolve_model_data_config(network):
    mode = "border" if network.name == "timm_border" else "squash"
    statistics = {"mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25), "interpolation": "bicubic"}
    return statistics | {"input_size": (3, 32, 32), "crop_pct": 0.8, "crop_mode": mode}
"""

HUGGINGFACE = """
from types import SimpleNamespace
constants = SimpleNamespace(ENDPOINT="https://hub.example.org", HF_HUB_CACHE="/cache/hub")


def try_to_load_from_cache(repo_id, filename):
    return None
"""


@pytest.fixture
def stand_in(offline: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is used of timm and huggingface_hub, which need not be installed."""
    real = set_aside("timm", "huggingface_hub")
    for path, text in (
        ("timm/__init__.py", TIMM),
        ("timm/data.py", TIMM_DATA),
        ("huggingface_hub/__init__.py", HUGGINGFACE),
    ):
        file = tmp_path / "packages" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    shapes = {"trunk.2.weight": (5, 12), "trunk.2.bias": (5,), "fc.weight": (7, 5), "fc.bias": (7,)}
    for name in ("timm_url", "timm_border"):
        place(f"{name}.pth", shapes)
    yield
    set_aside("timm", "huggingface_hub")
    sys.modules.update(real)


def set_aside(*packages: str) -> dict[str, ModuleType]:
    """Takes imported packages out of the way."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in packages}


@pytest.mark.usefixtures("stand_in")
def test_a_timm_model_of_a_url_is_squeezed_cropped_and_has_no_classifier() -> None:
    ours = Backbone("timm:timm_url", timm_model("timm_url"))
    state = torch.load(checkpoints() / "timm_url.pth", weights_only=True)
    prepare = Compose([Resize((40, 40), InterpolationMode.BICUBIC), CenterCrop(32), ToTensor(), Normalize(0.5, 0.25)])
    images = torch.stack([prepare(image) for image in pillow(noise(2, 20, 30))])
    means = adaptive_avg_pool2d(images, 2).flatten(1)
    features = ours(noise(2, 20, 30))
    assert_near(features["pool"], means @ state["trunk.2.weight"].T + state["trunk.2.bias"])
    assert list(features) == ["pool"]
    assert ours.protocol.endswith("/bicubic40-squash-crop32")
    assert ours.dim == 5


@pytest.mark.usefixtures("stand_in")
def test_what_timm_cannot_give_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown extractor timm:timm_hup; did you mean timm:timm_hub"):
        timm_model("timm_hup")
    with pytest.raises(UserError, match="timm:timm_border sees images neither cropped nor squeezed"):
        timm_model("timm_border")
    other = place("other.pth", {"weight": (1,)})
    with pytest.raises(UserError, match=r"timm:timm_hub: \S+other\.pth cannot be loaded \(.*in loading state_dict"):
        timm_model("timm_hub", other)
    with pytest.raises(UserError, match=r"\S+missing\.pth cannot be loaded"):
        timm_model("timm_hub", tmp_path / "missing.pth")
    with pytest.raises(UserError) as error:
        timm_model("timm_hub")
    assert str(error.value) == (
        "extractor timm:timm_hub: https://hub.example.org/timm/hub cannot be downloaded (no route to host): give its "
        "model.safetensors as weights, or bring /cache/hub from a machine that has it."
    )


def test_without_timm_the_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="timm:resnet18 needs a package that is not installed: pip install timm"):
        timm_model("resnet18")
