"""Networks that see images, by name."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ganlit.metrics.features import FeatureExtractor, Precision, Resize, digest
from ganlit.metrics.images.efficientnet import NAME as LITE0
from ganlit.metrics.images.efficientnet import lite0
from ganlit.metrics.images.inception import Inception
from ganlit.metrics.images.shape import in_colour
from ganlit.metrics.images.sources import PUBLISHED, Source, published, timm_model, torchvision_model
from ganlit.metrics.images.stages import Stages, trunk
from ganlit.records.downloads import checkpoints

ALIASES = {"dinov2": "dinov2-vit-l-14", "clip": "clip-vit-b-32"}
NAMES = ("inception", LITE0, *ALIASES, *PUBLISHED)
FAMILIES = ("torchvision:NAME", "timm:NAME")


def takes(name: str) -> tuple[str, ...] | None:
    """The options that the extractor of a name has; None where there is none of that name.

    Models of torchvision and timm have resizes of their own.
    """
    family = name.partition(":")[0]
    if name == "inception":
        return ("weights", "precision", "resize")
    if name in NAMES:
        return ("precision", "resize")
    return {"torchvision": ("precision",), "timm": ("weights", "precision")}.get(family) if ":" in name else None


def network(
    name: str, weights: Path | None = None, precision: Precision = "fp32", resize: Resize = "legacy"
) -> FeatureExtractor:
    """The extractor of a name.

    Args:
        name: "inception"; "efficientnet-lite0", which the package index carries; "vgg16", "clip-vit-b-32",
            "dinov2-vit-l-14" and so on, as torch-fidelity calls them, the last two also "clip" and "dinov2", that of
            FD-DINOv2 (arXiv 2306.04675); "torchvision:NAME", a classifier with its default weights; "timm:NAME", a
            pretrained model.
        weights: file of the weights instead of the published ones.
        precision: of the network; images are prepared in float32.
        resize: legacy is TensorFlow's old one, by which torch-fidelity's numbers are made; clean is Pillow's bicubic,
            by which FD-DINOv2 was published.

    Raises:
        UserError: weights are missing and cannot be downloaded.
    """
    family, _, model = name.partition(":")
    full = ALIASES.get(name, name)
    if name == "inception":
        return Inception(weights, precision, resize)
    if name == LITE0:
        return Backbone(name, lite0(resize), precision)
    if full in PUBLISHED:
        return Backbone(full, published(full, resize), precision)
    if family == "torchvision":
        return Backbone(name, torchvision_model(model), precision)
    return Backbone(name, timm_model(model, weights), precision)


class Backbone(FeatureExtractor):
    """Any network as an extractor: `pool` is its output or, of a classifier, what goes into its last layer.

    Args:
        name: in the protocol.
        source: the network.
        precision: of the network; bf16 by autocast.
    """

    def __init__(self, name: str, source: Source, precision: Precision = "fp32") -> None:
        super().__init__()
        self.name = name
        self.network, self.view, self.classifier, number = source
        self.network.eval().requires_grad_(False)
        self.stages = Stages(trunk(self.network))
        self.home = f"{checkpoints()}, or where its package keeps them"
        self.short = precision == "bf16"
        number = number or digest(self.network.state_dict())
        self.protocol = f"{name}{'-bf16' if self.short else ''}@{number}/{self.view.name}"
        seen = self(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
        self.dim = seen["pool"].shape[1]
        self.classes = seen["logits"].shape[1] if "logits" in seen else 0

    @property
    def batch(self) -> int:
        return 16 if self.device.type == "cpu" else 128

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        x = self.view(in_colour(images, self.name))
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.short):
            if self.classifier is None:
                return {"pool": self.network(x).float()}
            entered: list[Tensor] = []
            last = self.network.get_submodule(self.classifier)
            with last.register_forward_pre_hook(lambda _, inputs: entered.append(inputs[0].float())):
                logits = self.network(x).float()
        pool = entered[0]
        return {"pool": pool.mean((2, 3)) if pool.ndim == 4 else pool, "logits": logits}

    def inside(self, pixels: Tensor) -> list[Tensor]:
        return self.stages.maps(self.view.normalised(pixels), self.name)
