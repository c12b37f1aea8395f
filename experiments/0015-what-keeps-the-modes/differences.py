"""R1 and R2 by finite differences beside the exact ones: where a discriminator comes to rest, and what a turn costs.

    python experiments/0015-what-keeps-the-modes/differences.py

On one thread. The generated points are of a normal distribution and stay what they are, so that the discriminator has a
fixed point; two seeds of the exact penalty tell how near to it anything comes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor, nn

from ganlit.contracts import Verdict
from ganlit.data.plane.mixture import ring
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.regularizers.base import Regularizer
from ganlit.losses.regularizers.differences import FiniteR1, FiniteR2
from ganlit.losses.regularizers.gradient import R1, R2
from ganlit.networks.images.dcgan import DCDiscriminator
from ganlit.networks.images.stylegan import StyleDiscriminator
from ganlit.networks.plane.mlp import PlaneDiscriminator

GAMMA, STEPS, BATCH = 0.1, 2000, 256
LOSS = NonSaturating()


class Smooth(nn.Sequential):
    """Without kinks, which `PlaneDiscriminator` has."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1), nn.Flatten(0))

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        return super().forward(item)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "smooth": Smooth,
    "maxout": lambda: PlaneDiscriminator(width=64, depth=2, pieces=2),
}


def objective(network: nn.Module, real: Tensor, fake: Tensor, penalties: list[Regularizer], bf16: bool) -> Tensor:
    """What the discriminator minimises in its turn."""
    label = torch.zeros(len(real), dtype=torch.int64)
    if any(each.differentiates for each in penalties):
        real, fake = real.clone().requires_grad_(), fake.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        verdict = Verdict(lambda items: network(items, label), real, fake)
        terms = [each.term(verdict) for each in penalties]
        return LOSS.discriminator(verdict) + sum(terms)


def rested(kind: str, penalties: list[Regularizer], seed: int, bf16: bool = False) -> tuple[Tensor, float]:
    """Logits [2500] over the plane at rest, less their mean, and the CPU seconds to it; the rate falls to nothing."""
    torch.manual_seed(7)
    network, mixture = NETWORKS[kind](), ring(8, 0.1)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.005, betas=(0.5, 0.99))
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    torch.manual_seed(seed)
    began = time.process_time()
    for _ in range(STEPS):
        real = mixture.means[torch.randint(8, [BATCH])] + mixture.deviation * torch.randn(BATCH, 2)
        optimizer.zero_grad()
        objective(network, real, torch.randn(BATCH, 2), penalties, bf16).backward()
        optimizer.step()
        falling.step()
    took = time.process_time() - began
    line = torch.linspace(-1.5, 1.5, 50)
    with torch.no_grad():
        logits = network(torch.cartesian_prod(line, line), torch.zeros(2500, dtype=torch.int64))
    return logits - logits.mean(), took


def fixed_points() -> None:
    for kind in NETWORKS:
        exact, _ = rested(kind, [R1(GAMMA), R2(GAMMA)], 0)

        def tell(name: str, found: tuple[Tensor, float], exact: Tensor = exact, kind: str = kind) -> None:
            apart = (found[0] - exact).norm() / exact.norm()
            print(f"{kind} {name:20} differs by {apart:6.1%}   {found[1]:.1f} s", flush=True)

        for bf16 in (False, True):
            precision = "bf16" if bf16 else "fp32"
            tell(f"exact {precision}", rested(kind, [R1(GAMMA), R2(GAMMA)], 1, bf16))
            for sigma in (0.001, 0.01, 0.1) if not bf16 else (0.01,):
                penalties: list[Regularizer] = [FiniteR1(GAMMA, sigma=sigma), FiniteR2(GAMMA, sigma=sigma)]
                tell(f"sigma {sigma:g} {precision}", rested(kind, penalties, 1, bf16))
        tell("none fp32", rested(kind, [], 1))


def costs() -> None:
    ways: dict[str, list[Regularizer]] = {
        "none": [],
        "R1": [R1(GAMMA)],
        "FiniteR1": [FiniteR1(GAMMA)],
        "R1+R2": [R1(GAMMA), R2(GAMMA)],
        "FiniteR1+R2": [FiniteR1(GAMMA), FiniteR2(GAMMA)],
    }
    networks = {
        "plane, 256": (PlaneDiscriminator(width=128, depth=2, pieces=2), torch.randn(256, 2)),
        "dcgan 32x32, 32": (DCDiscriminator(32, 1, width=32), torch.randn(32, 1, 32, 32)),
        "stylegan 32x32, 32": (
            StyleDiscriminator(32, 1, channel_base=1024, channel_max=128),
            torch.randn(32, 1, 32, 32),
        ),
    }
    for name, (network, items) in networks.items():
        network.to(memory_format=torch.channels_last)
        for bf16 in (False, True):

            def turn(penalties: list[Regularizer], network=network, items=items, bf16=bf16) -> None:
                network.zero_grad()
                objective(network, items, items.flip(0), penalties, bf16).backward()

            took = {way: [timed(turn, penalties) for _ in range(10)][1:] for way, penalties in ways.items()}
            told = ", ".join(f"{way} {1000 * median(times):.1f}" for way, times in took.items())
            print(f"{name}, {'bf16' if bf16 else 'fp32'}: ms of CPU {told}", flush=True)


def timed(turn: Callable[[list[Regularizer]], None], penalties: list[Regularizer]) -> float:
    began = time.process_time()
    turn(penalties)
    return time.process_time() - began


if __name__ == "__main__":
    torch.set_num_threads(1)
    fixed_points()
    costs()
