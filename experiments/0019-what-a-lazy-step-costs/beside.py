"""What stands beside the networks in a step, piece by piece and each in turns with how it was: medians of CPU time.

python experiments/0019-what-a-lazy-step-costs/beside.py
"""

from __future__ import annotations

import statistics
import time
from types import SimpleNamespace
from typing import Any

import torch
from lightning.pytorch import Callback
from lightning.pytorch.profilers import PassThroughProfiler
from lightning.pytorch.trainer import call
from torch import nn

from ganlit.cli.lab import Unprofiled
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator
from ganlit.tasks.step import fused, reseed

TIMES, CALLBACKS = 100, 15
shape = {"resolution": 32, "channels": 1, "classes": 10, "channel_base": 512, "channel_max": 128}
generator = StyleGenerator(**shape, z_dim=64, w_dim=64, mapping_depth=4, bounded=True)
discriminator = StyleDiscriminator(**shape)
networks: tuple[nn.Module, ...] = (generator, discriminator)
parameters = [list(network.parameters()) for network in networks]
for each in parameters:
    for parameter in each:
        parameter.grad = torch.randn_like(parameter)


def adam(one_call: bool) -> Any:
    made = [torch.optim.Adam(each, lr=1e-4, betas=(0.0, 0.99)) for each in parameters]
    return lambda: [each.step() for each in (map(fused, made) if one_call else made)]


def hook(profiler: PassThroughProfiler) -> Any:
    callbacks = [type(f"Number{number}", (Callback,), {})() for number in range(CALLBACKS)]
    module = SimpleNamespace(_current_fx_name="")
    trainer = SimpleNamespace(callbacks=callbacks, profiler=profiler, lightning_module=module)
    return lambda: call._call_callback_hooks(trainer, "on_after_backward")


pieces = {
    "Adam, both players": (adam(False), adam(True)),
    "seeding": (lambda: torch.manual_seed(3), lambda: reseed(3)),
    "whose turn it is": (
        lambda: [network.requires_grad_(True) for network in networks],
        lambda: [parameter.requires_grad_(True) for each in parameters for parameter in each],
    ),
    f"a hook of {CALLBACKS} callbacks": (hook(PassThroughProfiler()), hook(Unprofiled())),
}
torch.set_num_threads(1)
costs: dict[tuple[str, int], list[float]] = {}
for turn in range(TIMES):
    for name, ways in pieces.items():
        for number in ((0, 1), (1, 0))[turn % 2]:  # what comes second finds its code in the caches
            torch.randn(400_000).mul_(2)
            began = time.thread_time()
            ways[number]()
            costs.setdefault((name, number), []).append(1000 * (time.thread_time() - began))
for name in pieces:
    before, now = (statistics.median(costs[name, number]) for number in (0, 1))
    print(f"{name}: {before:.3f} ms before, {now:.3f} ms now")
