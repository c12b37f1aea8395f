from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch
from noises import noise, pillow
from PIL import Image
from torch import Tensor, nn
from torch.testing import assert_close
from torch_fidelity.feature_extractor_clip import CLIPVisual
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY
from torch_fidelity.utils import create_feature_extractor
from torchvision.models import get_model, get_model_weights
from torchvision.transforms import Compose, Normalize, ToTensor

from ganlit.errors import UserError
from ganlit.metrics.extractors import extractor
from ganlit.metrics.features import digest
from ganlit.metrics.images import sources
from ganlit.metrics.images.backbones import ALIASES, NAMES
from ganlit.records import downloads
from ganlit.records.downloads import checkpoints

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning")  # CLIP comes in an archive of TorchScript


class Tokens(nn.Module):
    """Stands for DINOv2: patches of 14 pixels, one block."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 14, 14)
        self.block = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.block(self.patches(x).flatten(2).transpose(1, 2))[:, 0]


HUBCONF = f"""
import torch
from torch import Tensor, nn

dependencies = ["torch"]
URL = "https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth"

{inspect.getsource(Tokens)}

def dinov2_vitl14(pretrained=True):
    network = Tokens()
    network.load_state_dict(torch.hub.load_state_dict_from_url(URL, map_location="cpu"))
    return network
"""

OWN = """
import torch
from ganlit.metrics.features import FeatureExtractor


class Plain(FeatureExtractor):
    name, dim, protocol, batch = "plain", 3, "plain/none", 8

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def encode(self, images):
        return {"pool": images.float().mean((2, 3)) * self.scale}


class Chosen(Plain):
    def __init__(self, weights, precision="fp32"):
        super().__init__()
        self.protocol = f"chosen-{weights}-{precision}/none"


class Unfinished(FeatureExtractor):
    pass


class Lacking(FeatureExtractor):
    name, dim = "lacking", 3

    def encode(self, images):
        return {}


class Wider(Plain):
    dim = 4


class Nameless(Plain):
    protocol = "nameless"


number = 3
"""


@pytest.fixture(autouse=True)
def trusting(offline: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without network, which trusts the files in its cache."""
    monkeypatch.setattr(downloads, "digest_of", lambda path: path.stem.rpartition("-")[2])


def assert_same(found: Tensor, expected: Tensor, tolerance: float = 1e-4) -> None:
    """Features of two images, equal but for rounding, which is small beside what distinguishes the images."""
    assert found.shape == expected.shape
    error = float((found - expected).norm() / (expected[0] - expected[1]).norm())
    assert error < tolerance


def place(name: str, state: Mapping[str, Tensor]) -> None:
    checkpoints().mkdir(parents=True, exist_ok=True)
    torch.save(dict(state), checkpoints() / name)


def place_torchvision(name: str) -> None:
    """Random weights; matrices are windows over few numbers, a file of kilobytes even for VGG16."""
    with torch.device("meta"):
        shapes = get_model(name)
    generator = torch.Generator().manual_seed(1)
    state = {}
    for key, value in shapes.state_dict().items():
        if "num_batches" in key:
            state[key] = torch.tensor(1)
        elif value.ndim == 1:
            state[key] = torch.rand(value.shape, generator=generator) + 0.5 * ("bias" not in key and "mean" not in key)
        else:
            numbers = torch.randn(sum(value.shape), generator=generator) * (2 / value[0].numel()) ** 0.5
            state[key] = numbers.as_strided(value.shape, [1] * value.ndim)
    place(Path(get_model_weights(name).DEFAULT.url).name, state)


def place_clip(name: str = "clip-vit-b-32") -> None:
    """A vision transformer of 16 features in the archive's layout."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        network = CLIPVisual(16, 32, 2, 64, 8)
    archive = nn.Module()
    # The parts of the text encoder by whose presence and shape torch-fidelity knows the network.
    extra = {"text_projection": torch.zeros(8, 16), "logit_scale": torch.zeros(())}
    for path, value in (network.half().state_dict() | extra).items():
        *folders, leaf = path.split(".")
        module = archive
        for folder in folders:
            if folder not in dict(module.named_children()):
                module.add_module(folder, nn.Module())
            module = module.get_submodule(folder)
        module.register_buffer(leaf, value)
    checkpoints().mkdir(parents=True, exist_ok=True)
    torch.jit.script(archive).save(str(checkpoints() / f"{name}-{sources.CLIP[name]['hash']}.pt"))


def place_dinov2() -> None:
    """A repository of the hub with a tiny transformer."""
    folder = Path(torch.hub.get_dir()) / "facebookresearch_dinov2_main"
    folder.mkdir(parents=True)
    (folder / "hubconf.py").write_text(HUBCONF)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        place("dinov2_vitl14_pretrain.pth", Tokens().state_dict())


PLACES = {
    "vgg16": lambda: place_torchvision("vgg16"),
    "clip-vit-b-32": place_clip,
    "dinov2-vit-l-14": place_dinov2,
}


@pytest.mark.parametrize("name", PLACES)
def test_features_are_those_of_torch_fidelity(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PLACES[name]()
    monkeypatch.setattr(nn.Linear, "reset_parameters", lambda self: None)  # seconds for VGG16's
    layer = {"vgg16": "fc2_relu", "clip-vit-b-32": "clip", "dinov2-vit-l-14": "dinov2"}[name]
    reference = create_feature_extractor(name, [layer], cuda=False, verbose=False)
    ours = extractor(name)
    (expected,) = reference(noise())
    found = ours(noise())
    assert_same(found["pool"], expected)
    assert ("logits" in found) == (ours.classes == 1000) == (name == "vgg16")
    assert expected.shape == (2, ours.dim)
    assert ours.protocol == f"{name}@{digest(ours.network.state_dict())}/legacy"


@pytest.mark.parametrize(("short", "long"), [("dinov2", "dinov2-vit-l-14"), ("clip", "clip-vit-b-32")])
def test_short_names_are_the_long_ones(short: str, long: str) -> None:
    PLACES[long]()
    one, other = extractor(short), extractor(long)
    assert one.protocol == other.protocol
    assert torch.equal(one(noise())["pool"], other(noise())["pool"])


def test_clean_is_the_resize_by_which_fd_dinov2_was_published() -> None:
    """Pillow's bicubic to 224 pixels in bytes, as in the code of arXiv 2306.04675."""
    place_dinov2()
    ours = extractor("dinov2", resize="clean")
    squares = [image.resize((224, 224), Image.Resampling.BICUBIC) for image in pillow(noise())]
    prepare = Compose([ToTensor(), Normalize(*sources.IMAGENET)])
    expected = ours.network(torch.stack([prepare(square) for square in squares]))
    assert_same(ours(noise())["pool"], expected, 1e-3)
    assert ours.protocol.endswith("/clean")


@pytest.mark.parametrize(
    ("name", "last"),
    [("squeezenet1_1", "classifier.1"), ("shufflenet_v2_x0_5", "fc"), ("efficientnet_b0", "classifier.1")],
)
def test_torchvision_models_see_what_they_were_trained_on(name: str, last: str) -> None:
    place_torchvision(name)
    weights = get_model_weights(name).DEFAULT
    reference = get_model(name, weights=weights).eval()
    entered = []
    reference.get_submodule(last).register_forward_pre_hook(lambda _, inputs: entered.append(inputs[0]))
    with torch.no_grad():
        logits = reference(torch.stack([weights.transforms()(image) for image in pillow(noise())]))
    ours = extractor(f"torchvision:{name}")
    found = ours(noise())
    assert_same(found["logits"], logits, 1e-2)
    pool = entered[0].mean((2, 3)) if entered[0].ndim == 4 else entered[0]
    assert_same(found["pool"], pool, 1e-2)
    assert (ours.dim, ours.classes) == (pool.shape[1], 1000)
    mode = weights.transforms().interpolation.value
    assert ours.protocol == f"torchvision:{name}@{digest(reference.state_dict())}/{mode}256-crop224"


@pytest.mark.parametrize("name", ["torchvision:shufflenet_v2_x0_5", "clip", "dinov2"])
def test_nothing_is_drawn_learned_or_random(name: str) -> None:
    place_torchvision("shufflenet_v2_x0_5")
    place_clip()
    place_dinov2()
    before = torch.get_rng_state()
    ours = extractor(name)
    assert torch.equal(before, torch.get_rng_state())
    assert not any(parameter.requires_grad for parameter in ours.parameters())
    assert not any(module.training for module in ours.modules())
    assert ours.home.startswith(str(downloads.checkpoints()))
    features = ours(noise(3))["pool"]
    assert features.dtype == torch.float32
    assert_close(ours.extract(noise(3))["pool"], features)
    assert_close(ours(noise(3)[1:])["pool"], features[1:], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["torchvision:shufflenet_v2_x0_5", "clip", "dinov2"])
def test_bf16_is_near_and_says_so(name: str) -> None:
    place_torchvision("shufflenet_v2_x0_5")
    place_clip()
    place_dinov2()
    exact, short = extractor(name), extractor(name, precision="bf16")
    one, other = (found(noise())["pool"] for found in (exact, short))
    assert other.dtype == torch.float32
    assert 1e-5 < (one - other).norm() / one.norm() < 0.05
    assert short.protocol == exact.protocol.replace("@", "-bf16@")


def test_grey_images_are_seen_as_three_equal_channels() -> None:
    place_clip()
    ours = extractor("clip")
    grey = noise()[:, :1]
    assert_close(ours(grey)["pool"], ours(grey.repeat(1, 3, 1, 1))["pool"])


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "own_extractors.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("ganlit.records.trust.known", {"ganlit.metrics", "own_extractors", "no_such_package"})
    yield
    monkeypatch.delitem(sys.modules, "own_extractors", raising=False)


@pytest.mark.usefixtures("own")
def test_ones_own_extractor_takes_the_options_that_it_names(tmp_path: Path) -> None:
    plain = extractor("own_extractors.Plain")
    assert_close(plain(noise())["pool"], noise().float().mean((2, 3)))
    assert not any(parameter.requires_grad for parameter in plain.parameters())
    chosen = extractor("own_extractors.Chosen", weights=Path("w.pt"), precision="bf16")
    assert chosen.protocol == "chosen-w.pt-bf16/none"


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("own_extractors.Plain", {"precision": "bf16"}, "Plain takes no precision: leave it at fp32 instead of bf16"),
        ("own_extractors.Chosen", {"resize": "clean"}, "Chosen takes no resize: leave it at legacy instead of clean"),
        ("own_extractors.Lacking", {}, "Lacking does not set protocol, batch"),
        ("own_extractors.Wider", {}, r"Wider gives {'pool': \[1, 3\]} of an item, where .* say {'pool': \[1, 4\]}"),
        ("own_extractors.Nameless", {}, "Nameless has the protocol nameless: make it network@weights/resize"),
        ("own_extractors.Unfinished", {}, "Unfinished is no class that implements"),
        ("own_extractors.number", {}, "number is no class that implements"),
        ("own_extractors.Missing", {}, "unknown extractor own_extractors.Missing .*has no attribute 'Missing'"),
        ("no_such_package.Class", {}, "unknown extractor no_such_package.Class .No module named 'no_such_package'"),
        ("dinov2.vit-l-14", {}, "dinov2.vit-l-14 is not ganlit's"),
        ("dinov", {}, "unknown extractor dinov; did you mean dinov2?"),
        ("inception-v3", {}, "did you mean inception?"),
        (
            "zzz",
            {},
            "known are logmel, .*inception, efficientnet-lite0, .*, torchvision:NAME, timm:NAME, .*package.module",
        ),
        ("torchvision:resnet19", {}, "unknown extractor torchvision:resnet19; did you mean torchvision:resnet1"),
        ("torchvision:resnet18", {"resize": "clean"}, "torchvision:resnet18 takes no resize"),
        ("torchvision:resnet18", {"weights": Path("w.pt")}, "takes no weights: leave it at null instead of w.pt"),
        ("timm:resnet18", {"resize": "clean"}, "timm:resnet18 takes no resize"),
        ("dinov2", {"weights": Path("w.pt")}, "dinov2 takes no weights"),
        ("inception", {"weights": Path("none.pth")}, "There is no file none.pth of weights"),
    ],
)
def test_what_cannot_be_had_is_refused(name: str, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        extractor(name, example=lambda wanted: torch.zeros(1, 3, 8, 8, dtype=torch.uint8), **options)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("vgg16", "vgg16-397923af.pth"),
        ("torchvision:resnet18", "resnet18-f37072fd.pth"),
        ("clip", f"clip-vit-b-32-{sources.CLIP['clip-vit-b-32']['hash']}.pt"),
        ("dinov2", "dinov2_vitl14_pretrain.pth"),
        ("dinov2-vit-g-14", "dinov2_vitg14_pretrain.pth"),
    ],
)
def test_without_network_the_sentence_says_which_file_goes_where(name: str, file: str) -> None:
    with pytest.raises(UserError) as error:
        extractor(name)
    sentence = str(error.value)
    assert sentence.startswith(f"extractor {ALIASES.get(name, name)}: https://")
    assert f"(no route to host): put that file there yourself, as {checkpoints() / file}" in sentence
    assert ("facebookresearch_dinov2_main" in sentence) == ("dinov2" in name)


def test_dinov2_needs_its_code_too() -> None:
    place("dinov2_vitl14_pretrain.pth", {})
    file = checkpoints() / "dinov2_vitl14_pretrain.pth"
    folder = Path(torch.hub.get_dir()) / "facebookresearch_dinov2_main"
    with pytest.raises(UserError) as error:
        extractor("dinov2")
    assert str(error.value) == (
        "extractor dinov2-vit-l-14: dinov2_vitl14 cannot be loaded (<urlopen error no route to host>): put the main "
        f"branch of https://github.com/facebookresearch/dinov2 as {folder}, and fetch {file} again if that is damaged."
    )


def test_every_other_name_is_one_of_torch_fidelitys() -> None:
    own = {"inception", "efficientnet-lite0", "dinov2", "clip"}
    assert set(NAMES) - own == set(FEATURE_EXTRACTORS_REGISTRY) - {"inception-v3-compat"}
