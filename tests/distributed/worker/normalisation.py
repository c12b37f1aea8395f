"""Batch normalisation over all ranks, and what torch's does with the whole batch in one place."""

from __future__ import annotations

from typing import Any

import torch
from games import RANK, WORLD, ExactDCDiscriminator, Shards, flat, game, train
from torch import Tensor, nn

from ganlit.compute.strategy import shared
from ganlit.losses.regularizers.gradient import R1, GradientPenalty
from ganlit.networks.images.dcgan import DCGenerator

BATCH = 12


def layer(**options: Any) -> nn.BatchNorm2d:
    """In float64, with weights and statistics of its own."""
    made = nn.BatchNorm2d(3, **options).double()
    stream = torch.Generator().manual_seed(0)
    for tensor in [*made.parameters(), *made.buffers()]:
        if tensor.is_floating_point():
            tensor.data.uniform_(0.5, 2, generator=stream)
    return made


def whole() -> tuple[Tensor, Tensor]:
    """Images of all ranks and, for each number in them, its weight in the objective."""
    stream = torch.Generator().manual_seed(3)
    images, weights = torch.randn(2, BATCH, 3, 4, 4, generator=stream, dtype=torch.float64)
    return 2 * images + 1, weights


def answers(norm: nn.Module, images: Tensor, weights: Tensor) -> dict[str, Tensor]:
    """Two steps of training; output, slope and its square's gradient are those of the second.

    What belongs to an image is cut along the batch; what belongs to the layer is the sum over its images.
    """
    for _ in range(2):
        norm.zero_grad()
        x = images.clone().requires_grad_()
        output = norm(x)
        logits = (output.square() * weights).sum() + output.sin().sum()
        (slope,) = torch.autograd.grad(logits, x, create_graph=True)
        (logits + slope.square().sum() / 2).backward()
    norm.eval()
    found = {"output": output, "slope": slope, "image gradient": x.grad, "evaluated": norm(images)}
    found |= {f"{name} gradient": parameter.grad for name, parameter in norm.named_parameters()}
    found |= {name: buffer.double() for name, buffer in norm.named_buffers()}
    return {name: tensor.detach().clone() for name, tensor in found.items()}


def found() -> dict[str, Any]:
    torch.manual_seed(0)
    module = game(
        generator=DCGenerator(16, 1, z_dim=4, width=4),
        discriminator=ExactDCDiscriminator(16, 1, width=4),
        regularizers=[R1(weight=0.5), GradientPenalty(weight=1.0)],
    )
    train(module, Shards(2, (1, 16, 16)), precision="64-true", sync_batchnorm=True)
    players = {name: getattr(module, name) for name in ("discriminator", "generator")}
    steps = {name: flat(parameter.grad for parameter in player.parameters()) for name, player in players.items()}
    kinds = {type(part).__name__ for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)}

    images, weights = whole()  # of the processes that have met in training
    layers = {}
    for name, options in {"decay": {}, "mean": {"momentum": None}, "bare": {"affine": False}}.items():
        layers[name] = {
            "shared": answers(shared(layer(**options)), images[RANK::WORLD], weights[RANK::WORLD]),
            "whole": answers(layer(**options), images, weights),
        }
    return {"layers": layers, "steps": {**steps, "state": flat(module.state_dict().values())}, "kinds": sorted(kinds)}
