"""Generators that take data and that nobody has trained, as weights that commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from squares import DATA, SIZE, part, tiny
from torch import nn

from ganlit.configuration.names import import_named
from ganlit.configuration.rebuild import build
from ganlit.records.durable import write_weights

SMALL = {**SIZE, "width": 32, "multipliers": [1, 1], "blocks": 1}

MODELS: dict[str, dict[str, Any]] = {
    "vae": {"generator": part("ConvVAE", **SIZE, z_dim=4, width=4)},
    "kl": {"generator": part("KLAutoencoder", **SMALL, z_dim=2)},
    "vq": {"generator": part("VQAutoencoder", **SMALL, quantizer=part("ScalarQuantizer", levels=[5, 4]))},
    "tinted": {"generator": part("tinted.Tinted", classes=2)},
    "mover": {"generator": part("points.PointMover"), "discriminator": part("points.PointDiscriminator")},
    "same": {"generator": part("filters.Filter", multiple=8)},
    "deep": {"generator": part("filters.Filter", multiple=8)},
    "grey": {"generator": part("filters.Filter")},
    "blur": {"generator": part("filters.Blur", radius=3, multiple=4)},
    "twice": {"generator": part("filters.Twice")},
    "holes": {"generator": part("filters.Colours")},
}
COLOUR = {"data": part("Images", **(DATA | {"channels": 3}))}
OTHERS = {
    "mover": {"data": part("points.Points", batch=20)},
    "same": COLOUR,
    "deep": {"data": part("Images", **(DATA | {"channels": 3, "depth": 16}))},
    "blur": COLOUR,
    "twice": COLOUR,
    "holes": {"data": part("Restoration", **(DATA | {"channels": 3, "degradation": "Masked"}))},
}
"""Data that are no grey images."""


def louder(layer: nn.Module) -> None:
    """Small weights give one grey, whatever the latent."""
    if isinstance(layer, nn.ConvTranspose2d):
        layer.weight.mul_(10)


@pytest.fixture(scope="module")
def averages(place: Path) -> Path:
    """The folder with NAME.safetensors of each of them."""
    import_named()
    for seed, (name, model) in enumerate(MODELS.items()):
        settings = yaml.safe_load(tiny("Translation", {**model, "criteria": [part("L1")]}))
        config = yaml.safe_dump(settings | OTHERS.get(name, {}))
        torch.manual_seed(seed)
        generator = build(config, Path("tiny.yaml")).ema.module
        if name == "vae":
            generator.decoder.apply(louder)
        write_weights(generator, config, 0, place / f"{name}.safetensors", [0, 1])
    return place
