"""How far the gradients of penalties are from those in float64, in float32 and under bf16 autocast: relative norms."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.compute.twice import Twice
from ganlit.losses.regularizers.gradient import slope
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator

SIZES = {"channel_base": 512, "channel_max": 128}  # of configs/stylegan_lite.yaml
WAYS = {"fp64": (torch.float64, False), "fp32": (torch.float32, False), "bf16": (torch.float32, True)}
BATCH = 16


def learnt(value: Tensor, network: nn.Module) -> Tensor:
    """The gradient, without that of noise: its draws are others in float64."""
    network.zero_grad()
    value.backward()
    named = network.named_parameters()
    return torch.cat(
        [each.grad.double().flatten() for name, each in named if each.grad is not None and "noise" not in name]
    )


for seed in range(3):
    torch.manual_seed(seed)
    judge = StyleDiscriminator(32, 1, 10, **SIZES)
    maker = StyleGenerator(32, 1, 10, 64, 64, 4, **SIZES, style_mixing=0.0, bounded=True)
    real, label, z = torch.rand(BATCH, 1, 32, 32) * 2 - 1, torch.arange(BATCH) % 10, torch.randn(BATCH, 64)
    direction = torch.randn(BATCH, 1, 32, 32) / 32
    found: dict[str, dict[str, Tensor]] = {}
    for way, (kind, bf16) in WAYS.items():
        discriminator, generator = (copy.deepcopy(network).to(kind) for network in (judge, maker))
        items = real.to(kind).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16), Twice():
            logits = discriminator(items, label)
            styles = generator.styles(z.to(kind), label)
            images = generator.synthesise(styles)
        (moved,) = torch.autograd.grad((images * direction.to(kind)).sum(), styles, create_graph=True)
        lengths = torch.linalg.vector_norm(moved.flatten(1), dim=1) / math.sqrt(styles.shape[1])
        r1 = slope(logits, items).square().sum(dim=1).mean()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            adversarial = F.softplus(discriminator(real.to(kind), label)).mean()
        found[way] = {
            "R1": learnt(r1, discriminator),
            "path length": learnt((lengths - 0.01).square().mean(), generator),
            "adversarial": learnt(adversarial, discriminator),
        }
    for term, exact in found["fp64"].items():
        errors = {way: ((found[way][term] - exact).norm() / exact.norm()).item() for way in ("fp32", "bf16")}
        print(seed, term, *(f"{way} {error:.1e}" for way, error in errors.items()), sep="\t", flush=True)
