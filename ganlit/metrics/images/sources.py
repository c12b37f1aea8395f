"""Pretrained networks, where they come from, and what each wants to see.

Weights are those of their authors, fetched at run time, and for DINOv2 so is the code; none of it is copied here.
"""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from math import floor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torchvision
from PIL import Image
from safetensors import SafetensorError
from torch import Tensor, nn
from torch_fidelity.feature_extractor_clip import MODEL_METADATA as CLIP
from torch_fidelity.feature_extractor_clip import MODEL_URLS as CLIP_URLS
from torch_fidelity.feature_extractor_clip import FeatureExtractorCLIP
from torch_fidelity.feature_extractor_dinov2 import MODEL_METADATA as DINOV2
from torchvision.transforms.functional import center_crop, normalize

from ganlit.errors import UserError, nearest
from ganlit.metrics.features import Resize
from ganlit.metrics.images.resize import legacy_resize
from ganlit.records.downloads import PATIENCE, fetched, obstacle, patience
from ganlit.records.durable import DAMAGE

PUBLISHED = ("vgg16", *CLIP, *DINOV2)
DINOV2_CODE = "facebookresearch/dinov2"
DINOV2_WEIGHTS = "https://dl.fbaipublicfiles.com/dinov2"

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
OPENAI = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))


class View(NamedTuple):
    """How images are made into what a network was trained on."""

    name: str  # in the protocol
    resize: Callable[[Tensor], Tensor]  # uint8 [B, 3, H, W] to [B, 3, h, w] of any type, still from 0 to 255
    mean: Sequence[float]
    std: Sequence[float]

    def __call__(self, images: Tensor) -> Tensor:
        return self.normalised(self.resize(images).float())

    def normalised(self, pixels: Tensor) -> Tensor:
        """Images [B, 3, H, W] from 0 to 255 in the network's own range."""
        return normalize(pixels, [255 * value for value in self.mean], [255 * value for value in self.std])


class Source(NamedTuple):
    """A network with its weights, and how it sees images."""

    network: nn.Module
    view: View
    classifier: str | None = None  # its last layer, if that gives logits; else the network's output are the features
    digest: str | None = None  # of its weights, where it no longer holds them as they were


def square(size: int, resize: Resize, mean: Sequence[float], std: Sequence[float]) -> View:
    """The whole image as a square: by TensorFlow's old bilinear, or in bytes by Pillow's bicubic."""
    if resize == "legacy":
        return View("legacy", lambda images: legacy_resize(images, size), mean, std)
    return View("clean", lambda images: pillow_resize(images, size, size, "bicubic"), mean, std)


def cropped(edge: int, crop: int, mode: str, mean: Sequence[float], std: Sequence[float], squash: bool = False) -> View:
    """A square of `crop` pixels from the centre of the image, whose shorter edge Pillow has brought to `edge`.

    Args:
        mode: "bilinear" or "bicubic".
        squash: both edges are brought there.
    """

    def resize(images: Tensor) -> Tensor:
        shorter = min(images.shape[-2:])
        height, width = (edge if squash else edge * length // shorter for length in images.shape[-2:])
        return center_crop(pillow_resize(images, height, width, mode), [crop, crop])

    return View(f"{mode}{edge}{'-squash' if squash else ''}-crop{crop}", resize, mean, std)


def pillow_resize(images: Tensor, height: int, width: int, mode: str) -> Tensor:
    """Pillow's "bilinear" or "bicubic" resize of uint8 [B, C, H, W], on any device, to floats that are whole.

    As there, columns come first and what they give is brought back to bytes, between 0 and 255; Pillow 13 begins with
    the rows where a rectangle gets narrower in one direction only. torchvision agrees with Pillow on some processors
    only, and differs by many levels at sharp edges on the others.
    """
    columns = _to_bytes(images.float() @ _pillow_matrix(images.shape[-1], width, mode).to(images.device).T)
    return _to_bytes(_pillow_matrix(images.shape[-2], height, mode).to(images.device) @ columns)


def published(name: str, resize: Resize) -> Source:
    """One of `PUBLISHED`, torch-fidelity's extractors beside the Inception; legacy gives its numbers.

    Raises:
        UserError: weights or code are not there and cannot be downloaded.
    """
    if name == "vgg16":
        return Source(_classifier(name, f"extractor {name}"), square(224, resize, *IMAGENET), classifier="classifier.6")
    if name in DINOV2:
        return Source(_dinov2(name), square(224, resize, *IMAGENET))
    file = fetched(CLIP_URLS[name], f"extractor {name}", f"{name}-{CLIP[name]['hash']}.pt")
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):  # layers draw weights before they get theirs
        warnings.simplefilter("ignore")  # TorchScript is deprecated, the file is what it is
        clip = FeatureExtractorCLIP(name, ["clip"], feature_extractor_weights_path=str(file))
    return Source(clip.model.visual, square(clip.resolution, resize, *OPENAI))


def torchvision_model(name: str) -> Source:
    """A classifier of torchvision with its default weights.

    Raises:
        UserError: there is no such classifier, or its weights are not there and cannot be downloaded.
    """
    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        raise UserError(f"unknown extractor torchvision:{name}{nearest(name, known, 'torchvision:')}")
    network = _classifier(name, f"extractor torchvision:{name}")
    last = [path for path, layer in network.named_modules() if isinstance(layer, nn.Linear | nn.Conv2d)][-1]
    own = torchvision.models.get_model_weights(name).DEFAULT.transforms()
    (edge,), (crop,) = own.resize_size, own.crop_size
    return Source(network, cropped(edge, crop, own.interpolation.value, own.mean, own.std), last)


def timm_model(name: str, weights: Path | None = None) -> Source:
    """A pretrained model of timm without its classifier.

    Raises:
        UserError: timm is not installed or has no such model, or its weights are not there and cannot be downloaded.
    """
    what = f"extractor timm:{name}"
    if importlib.util.find_spec("timm") is None:
        raise UserError(f"{what} needs a package that is not installed: pip install timm")
    import timm
    from timm.data import resolve_model_data_config

    if not timm.is_model_pretrained(name):
        raise UserError(f"unknown {what}{nearest(name, timm.list_pretrained(), 'timm:')}")
    file = weights or _timm_weights(timm.get_pretrained_cfg(name), what)
    overlay = {"file": str(file), "custom_load": False} if file else None
    try:
        with torch.random.fork_rng(devices=[]):
            network = timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay)
    except (*DAMAGE, SafetensorError) as error:
        raise UserError(f"{what}: {file or 'its weights'} cannot be loaded ({_line(error)}).") from error
    network.reset_classifier(0)  # not earlier: built without a classifier, timm would take weights that do not fit
    own = resolve_model_data_config(network)
    height, width = own["input_size"][1:]
    if own["crop_mode"] not in ("center", "squash") or height != width:
        raise UserError(f"{what} sees images neither cropped nor squeezed to a square: choose another model.")
    edge, squash = floor(height / own["crop_pct"]), own["crop_mode"] == "squash"
    return Source(network, cropped(edge, height, own["interpolation"], own["mean"], own["std"], squash))


@cache
def _pillow_matrix(length: int, size: int, mode: str) -> Tensor:
    """The resize [size, length] of a line: what Pillow makes of the identity."""
    identity = Image.fromarray(np.eye(length, dtype=np.float32))
    return torch.from_numpy(np.array(identity.resize((length, size), Image.Resampling[mode.upper()])))


def _to_bytes(pixels: Tensor) -> Tensor:
    return (pixels + 0.5).floor().clamp(0, 255)


def _classifier(name: str, what: str) -> nn.Module:
    weights = torchvision.models.get_model_weights(name).DEFAULT
    fetched(weights.url, what)
    with torch.random.fork_rng(devices=[]):
        return torchvision.models.get_model(name, weights=weights)


def _dinov2(name: str) -> nn.Module:
    what, model = f"extractor {name}", DINOV2[name]
    folder = Path(torch.hub.get_dir()) / f"{DINOV2_CODE.replace('/', '_')}_main"
    code = f"the main branch of https://github.com/{DINOV2_CODE} as {folder}"
    file = fetched(f"{DINOV2_WEIGHTS}/{model}/{model}_pretrain.pth", what, also=f", and {code}")
    os.environ["XFORMERS_DISABLED"] = "1"  # as torch-fidelity does: features must not depend on what is installed
    try:
        with patience(PATIENCE), warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            warnings.simplefilter("ignore")
            # With the branch named, torch.hub does not ask the network which it is.
            return torch.hub.load(f"{DINOV2_CODE}:main", model, verbose=False)
    except (*DAMAGE, ImportError) as error:
        raise UserError(
            f"{what}: {model} cannot be loaded ({_line(error)}): put {code}, and fetch {file} again if that is damaged."
        ) from error


def _timm_weights(config: Any, what: str) -> Path | None:
    """The file of a model of timm; None where huggingface_hub has yet to fetch it, and can."""
    from huggingface_hub import constants, try_to_load_from_cache

    if not config.hf_hub_id:
        return fetched(config.url, what)
    for name in ("model.safetensors", "pytorch_model.bin"):
        found = try_to_load_from_cache(config.hf_hub_id, name)
        if isinstance(found, str):
            return Path(found)
    # huggingface_hub would ask again and again, for 47 seconds where there is no network.
    if wrong := obstacle(constants.ENDPOINT):
        raise UserError(
            f"{what}: {constants.ENDPOINT}/{config.hf_hub_id} cannot be downloaded ({wrong}): give its "
            f"model.safetensors as weights, or bring {constants.HF_HUB_CACHE} from a machine that has it."
        )
    return None


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
