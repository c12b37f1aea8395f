"""What `fit` costs beside a bare loop: after each of its steps, one of a twin that nothing is around; CPU time.

python experiments/0019-what-a-lazy-step-costs/overhead.py fit --config configs/stylegan_lite.yaml \
    --fidelity=null --wandb=null --kimg 6.4 --name overhead
"""

from __future__ import annotations

import copy
import statistics
import sys
import time
from typing import Any

import torch

from ganlit.cli.main import main
from ganlit.tasks import base
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS

FIRST = 5  # steps that are not counted
times: dict[str, list[float]] = {"fit": [], "bare": []}
STEP, UPDATED = AdversarialModule.training_step, base.EMA.update
state: dict[str, Any] = {"since": None}


def twin(module: AdversarialModule) -> AdversarialModule:
    """A copy of the game without its trainer, beside optimizers of its own."""
    trainer, module._trainer = module._trainer, None
    found = copy.deepcopy(module)
    module._trainer = trainer
    found.optimizers_of = dict(zip(PLAYERS, found.configure_optimizers(), strict=True))
    return found


def bare(module: AdversarialModule, batch: Any, bf16: bool) -> None:
    """A step as it would be written by hand."""
    for player in PLAYERS:
        for other in PLAYERS:
            getattr(module, other).requires_grad_(other == player)
        module.optimizers_of[player].zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            terms = getattr(module, f"{player}_terms")(batch)
            loss = torch.stack(list(terms.values())).sum()
        loss.backward()
        module.optimizers_of[player].step()
        module.verdict = None
    UPDATED(module.ema, module.generator, module.images_seen + module.images, module.images)


def beside(self: AdversarialModule, batch: Any, batch_idx: int) -> None:
    """The training step; before it, where a whole step of `fit` lies between, the twin's."""
    began, since = time.thread_time(), state["since"]
    if "twin" not in state and self.images_seen:
        state["twin"] = twin(self)
    if (other := state.get("twin")) is not None:
        other.images_seen, other.images, other.step = self.images_seen, self.images, state["step"]
        started = time.thread_time()
        bare(other, batch, self.trainer.precision == "bf16-mixed")
        if since is not None and batch_idx > 0:
            times["fit"].append(began - since)
            times["bare"].append(time.thread_time() - started)
    state["since"] = time.thread_time()
    STEP(self, batch, batch_idx)
    state["step"] = self.step


AdversarialModule.training_step = beside
torch.set_num_threads(1)
code = main(sys.argv[1:])
ratios = [100 * (one / other - 1) for one, other in zip(times["fit"][FIRST:], times["bare"][FIRST:], strict=True)]
low, middle, high = statistics.quantiles(ratios, n=4)
one, other = (1000 * statistics.median(times[name][FIRST:]) for name in times)
print(f"fit {one:.1f} ms, bare {other:.1f} ms: {middle:+.1f} % ({low:+.1f} to {high:+.1f}), {len(ratios)} steps")
sys.exit(code)
