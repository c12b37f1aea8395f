"""Steps of the same game by this checkout and by an earlier one, in turns in one process: medians of CPU time.

python experiments/0019-what-a-lazy-step-costs/paired.py EARLIER/CHECKOUT [--repetitions 11]
"""

from __future__ import annotations

import argparse
import csv
import importlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from lightning.pytorch.strategies import StrategyRegistry

HERE = Path(__file__).parents[2]
WARM = 3  # repetitions that are not counted
SIZES = {  # maps times resolution: that of configs/stylegan_lite.yaml, and one of the size that papers take for 32x32
    "lite": {"channel_base": 512, "channel_max": 128},
    "wide": {"channel_base": 2048, "channel_max": 128},
}
BATCH, RESOLUTION, CLASSES = 32, 32, 10


def house(root: Path) -> Callable[[str], Any]:
    """Finds modules of the package as one checkout has them, whatever others are there."""
    for name in [name for name in sys.modules if name.split(".")[0] == "ganlit"]:
        del sys.modules[name]
    StrategyRegistry.pop("adversarial_ddp", None)  # it takes a name but once
    sys.path.insert(0, str(root))
    try:
        names = ("tasks.synthesis", "networks.images.stylegan", "losses.adversarial", "ema", "contracts")
        names += ("losses.regularizers.gradient", "losses.regularizers.generator", "augment.pipeline")
        found = {name: importlib.import_module(f"ganlit.{name}") for name in names}
    finally:
        sys.path.remove(str(root))
    return found.__getitem__


def game(module: Callable[[str], Any], size: str, share: float) -> Any:
    """The game of a checkout."""
    torch.manual_seed(0)
    networks, adam = module("networks.images.stylegan"), partial(torch.optim.Adam, lr=1e-4, betas=(0.0, 0.99))
    shape = {"resolution": RESOLUTION, "channels": 1, "classes": CLASSES, **SIZES[size]}
    return module("tasks.synthesis").Synthesis(
        networks.StyleGenerator(**shape, z_dim=64, w_dim=64, mapping_depth=4, style_mixing=0.0, bounded=True),
        networks.StyleDiscriminator(**shape),
        module("losses.adversarial").NonSaturating(),
        adam,
        adam,
        [module("losses.regularizers.gradient").R1(weight=0.1, every=16)],
        [sharing(module("losses.regularizers.generator").PathLength, share)],
        ema=partial(module("ema").EMA, half_life=2.0),
    )


def commit(place: Path) -> str:
    return subprocess.run(
        ["git", "-C", place, "describe", "--always", "--dirty"], capture_output=True, text=True, check=True
    ).stdout.strip()


def sharing(penalty: Callable[..., Any], share: float) -> Any:
    """Path length of a share of a batch, where a commit can measure less than all."""
    return penalty(every=4, **({"share": share} if "share" in signature(penalty).parameters else {}))


def stepper(module: Callable[[str], Any], size: str, bf16: bool, share: float) -> Callable[[str], None]:
    """Takes a turn of a player, with its penalty or without, as a bare loop would: no trainer is around it."""
    played = game(module, size, share).train()
    played.images, played._trainer = BATCH, SimpleNamespace(world_size=1)
    optimizers = dict(zip(("discriminator", "generator"), played.configure_optimizers(), strict=True))
    torch.manual_seed(1)
    label = torch.arange(BATCH) % CLASSES
    batch = module("contracts").Labelled(torch.rand(BATCH, 1, RESOLUTION, RESOLUTION) * 2 - 1, label)

    def step(kind: str) -> None:
        player, _, penalty = kind.partition("+")
        played.step = 0 if penalty else 1
        for other in optimizers:
            getattr(played, other).requires_grad_(other == player)
        optimizers[player].zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            terms = getattr(played, f"{player}_terms")(batch)
        torch.stack(list(terms.values())).sum().backward()
        played.verdict = None
        optimizers[player].step()

    return step


KINDS = ("discriminator", "discriminator+R1", "generator", "generator+PL")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("earlier", type=Path)
    parser.add_argument("--repetitions", type=int, default=11)
    parser.add_argument("--sizes", nargs="*", default=list(SIZES))
    parser.add_argument("--share", type=float, default=0.5, help="of a batch whose path lengths are measured now")
    parser.add_argument("--csv", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    commits = " against ".join(commit(place) for place in (HERE, asked.earlier))
    houses = {"earlier": house(asked.earlier), "now": house(HERE)}
    rows = []
    for size in asked.sizes:
        for bf16 in (False, True):
            steps = {name: stepper(module, size, bf16, asked.share) for name, module in houses.items()}
            costs: dict[tuple[str, str], list[float]] = {(name, kind): [] for name in steps for kind in KINDS}
            for _ in range(WARM + asked.repetitions):
                for kind in KINDS:
                    for name, step in steps.items():
                        began = time.thread_time()
                        step(kind)
                        costs[name, kind].append(1000 * (time.thread_time() - began))
            for kind in KINDS:
                before, now = (costs[name, kind][WARM:] for name in steps)
                ratios = [one / other for one, other in zip(before, now, strict=True)]
                low, middle, high = statistics.quantiles(ratios, n=4)
                row = {"size": size, "precision": "bf16" if bf16 else "fp32", "turn": kind}
                row |= {"earlier ms": f"{statistics.median(before):.1f}", "now ms": f"{statistics.median(now):.1f}"}
                row |= {"times as fast": f"{middle:.2f}", "quartiles": f"{low:.2f} to {high:.2f}", "commits": commits}
                print(*row.values(), sep="\t", flush=True)
                rows.append(row)
    if asked.csv:
        with asked.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
