"""What real and generated items in one pass through the discriminator would bring, in turns with two passes; CPU time.

The minibatch deviation mixes both halves here: this measures speed alone.
python experiments/0019-what-a-lazy-step-costs/together.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator
from ganlit.tasks.step import channels_last, fused

WARM, CLASSES = 3, 10
SIZES: dict[str, tuple[dict[str, int], int, int]] = {  # networks, batch, repetitions
    "lite": ({"resolution": 32, "channels": 1, "channel_base": 512, "channel_max": 128}, 32, 25),
    "128x128": ({"resolution": 128, "channels": 3, "channel_base": 4096, "channel_max": 128}, 8, 7),
}


def measure(name: str, shape: dict[str, Any], batch: int, repetitions: int, bf16: bool) -> None:
    torch.manual_seed(0)
    shape = {**shape, "classes": CLASSES}
    networks = StyleGenerator(**shape, z_dim=64, w_dim=64, mapping_depth=4, bounded=True), StyleDiscriminator(**shape)
    generator, discriminator = map(channels_last, networks)
    optimizers = [fused(torch.optim.Adam(each.parameters(), lr=1e-4, betas=(0.0, 0.99))) for each in networks]
    real = torch.rand(batch, shape["channels"], shape["resolution"], shape["resolution"]) * 2 - 1
    label = torch.arange(batch) % CLASSES

    def made() -> Tensor:
        return generator(torch.randn(batch, 64), label)

    def two(fake: Tensor) -> Tensor:
        return softplus(-discriminator(real, label)).mean() + softplus(discriminator(fake, label)).mean()

    def one(fake: Tensor) -> Tensor:
        logits = discriminator(torch.cat([real, fake.to(real.dtype)]), torch.cat([label, label]))
        return softplus(-logits[:batch]).mean() + softplus(logits[batch:]).mean()

    def learn(player: int, objective: Callable[[], Tensor]) -> None:
        for number, network in enumerate(networks):
            network.requires_grad_(number == player)
        optimizers[player].zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = objective()
        loss.backward()
        optimizers[player].step()

    def judge(passes: Callable[[Tensor], Tensor]) -> None:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            fake = made()
        learn(1, lambda: passes(fake))

    turns: dict[str, Callable[[], None]] = {"two": lambda: judge(two), "one": lambda: judge(one)}
    turns["generator"] = lambda: learn(0, lambda: softplus(-discriminator(made(), label)).mean())
    costs: dict[str, list[float]] = {kind: [] for kind in turns}
    for _ in range(WARM + repetitions):
        for kind, turn in turns.items():
            began = time.thread_time()
            turn()
            costs[kind].append(1000 * (time.thread_time() - began))
    separate, joined, game = (costs[kind][WARM:] for kind in turns)
    turn = statistics.median(a / b for a, b in zip(separate, joined, strict=True))
    whole = statistics.median((a + c) / (b + c) for a, b, c in zip(separate, joined, game, strict=True))
    print(
        f"{name} {'bf16' if bf16 else 'fp32'}: discriminator {turn:.3f}, iteration {whole:.3f} times as fast",
        flush=True,
    )


torch.set_num_threads(1)
for size, (networks, batch, repetitions) in SIZES.items():
    for bf16 in (False, True):
        measure(size, networks, batch, repetitions, bf16)
