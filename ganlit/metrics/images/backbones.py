"""Extractors by name."""

from __future__ import annotations

import inspect
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor, digest
from ganlit.metrics.images.inception import Inception, Precision
from ganlit.metrics.images.resize import Resize
from ganlit.metrics.images.sources import PUBLISHED, Source, nearest, published, timm_model, torchvision_model

ALIASES = {"dinov2": "dinov2-vit-l-14", "clip": "clip-vit-b-32"}
NAMES = ("inception", *ALIASES, *PUBLISHED)
FAMILIES = ("torchvision:NAME", "timm:NAME", "package.module.Class")
DEFAULTS = {"weights": None, "precision": "fp32", "resize": "legacy"}


def extractor(
    name: str, weights: Path | None = None, precision: Precision = "fp32", resize: Resize = "legacy"
) -> FeatureExtractor:
    """The extractor of a name.

    Args:
        name: "inception"; "vgg16", "clip-vit-b-32", "dinov2-vit-l-14" and so on, as torch-fidelity calls them, the last
            two also "clip" and "dinov2", that of FD-DINOv2 (arXiv 2306.04675); "torchvision:NAME", a classifier with
            its default weights; "timm:NAME", a pretrained model; or the dotted path of a FeatureExtractor, built with
            those of the other arguments that it takes.
        weights: file of the weights instead of the published ones, for the Inception, for timm's and for one's own.
        precision: of the network; images are prepared in float32.
        resize: legacy is TensorFlow's old one, by which torch-fidelity's numbers are made; clean is Pillow's bicubic,
            by which FD-DINOv2 was published. Models of torchvision and timm have their own.

    Raises:
        UserError: the name is unknown, an option does not go with it, or weights are missing and cannot be downloaded.
    """
    family, _, model = name.partition(":")
    full = ALIASES.get(name, name)
    if name == "inception":
        found = Inception(weights, precision, resize)
    elif full in PUBLISHED:
        _refuse(name, weights=weights)
        found = Backbone(full, published(full, resize), precision)
    elif family == "torchvision":
        _refuse(name, weights=weights, resize=resize)
        found = Backbone(name, torchvision_model(model), precision)
    elif family == "timm":
        _refuse(name, resize=resize)
        found = Backbone(name, timm_model(model, weights), precision)
    elif "." in name:
        found = _own(name, weights=weights, precision=precision, resize=resize)
    else:
        known = nearest(name, NAMES) or f"; known are {', '.join((*NAMES, *FAMILIES))}."
        raise UserError(f"unknown extractor {name}{known}")
    return found.eval().requires_grad_(False)


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
        self.network, self.view, self.classifier = source
        self.network.eval().requires_grad_(False)
        self.short = precision == "bf16"
        weights = digest(self.network.state_dict())
        self.protocol = f"{name}{'-bf16' if self.short else ''}@{weights}/{self.view.name}"
        seen = self(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
        self.dim = seen["pool"].shape[1]
        self.classes = seen["logits"].shape[1] if "logits" in seen else 0

    @property
    def batch(self) -> int:
        return 16 if self.device.type == "cpu" else 128

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        x = self.view(images)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.short):
            if self.classifier is None:
                return {"pool": self.network(x).float()}
            entered: list[Tensor] = []
            last = self.network.get_submodule(self.classifier)
            with last.register_forward_pre_hook(lambda _, inputs: entered.append(inputs[0].float())):
                logits = self.network(x).float()
        pool = entered[0]
        return {"pool": pool.mean((2, 3)) if pool.ndim == 4 else pool, "logits": logits}


def _own(path: str, **options: Any) -> FeatureExtractor:
    """A class of the user's, built with those of the options that it takes."""
    try:
        own = resolve_name(path)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"unknown extractor {path} ({error}){nearest(path, NAMES)}") from error
    if not (inspect.isclass(own) and issubclass(own, FeatureExtractor)) or inspect.isabstract(own):
        raise UserError(f"extractor {path} is no class that implements ganlit.metrics.features.FeatureExtractor.")
    taken = inspect.signature(own).parameters
    _refuse(path, **{option: value for option, value in options.items() if option not in taken})
    found = own(**{option: value for option, value in options.items() if option in taken})
    missing = [field for field in ("name", "dim", "protocol", "batch") if not hasattr(found, field)]
    if missing:
        raise UserError(f"extractor {path} does not set {', '.join(missing)}, as a FeatureExtractor must.")
    if found.protocol.count("/") != 1:
        raise UserError(f"extractor {path} has the protocol {found.protocol}: make it network@weights/resize.")
    shapes = {key: list(value.shape) for key, value in found(torch.zeros(1, 3, 32, 32, dtype=torch.uint8)).items()}
    wanted = {"pool": [1, found.dim]} | ({"logits": [1, found.classes]} if found.classes else {})
    if shapes != wanted:
        raise UserError(f"extractor {path} gives {shapes} of an image, where its dim and classes say {wanted}.")
    return found


def _refuse(name: str, **options: Any) -> None:
    """Refuses what is given to an extractor that does not take it."""
    for option, value in options.items():
        if value != DEFAULTS[option]:
            default = DEFAULTS[option] or "null"
            raise UserError(f"extractor {name} takes no {option}: leave it at {default} instead of {value}.")
