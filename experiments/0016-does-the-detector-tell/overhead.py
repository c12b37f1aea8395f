"""What share of a training's CPU time signals and alarms take: each of their hooks is timed, within one fit.

python experiments/0016-does-the-detector-tell/overhead.py fit --config configs/dcgan.yaml --kimg 20 --name overhead
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ganlit.callbacks.alarms import Alarms
from ganlit.callbacks.signals import Signals
from ganlit.cli.main import main
from ganlit.tasks.base import AdversarialModule

spent: Counter[str] = Counter()
steps: list[float] = []  # CPU seconds of the process, at the beginning of each step


def timed(kind: type, name: str) -> None:
    """Puts a watch around a method."""
    whole: Callable[..., Any] = getattr(kind, name)

    def watched(self: Any, *given: Any, **options: Any) -> Any:
        began = time.process_time()
        found = whole(self, *given, **options)
        spent[f"{kind.__name__}.{name}"] += time.process_time() - began
        return found

    setattr(kind, name, watched)


def clocked(kind: type, name: str) -> None:
    whole: Callable[..., Any] = getattr(kind, name)

    def watched(self: Any, *given: Any, **options: Any) -> Any:
        steps.append(time.process_time())
        return whole(self, *given, **options)

    setattr(kind, name, watched)


for kind in (Signals, Alarms):
    for name in vars(kind):
        if name.startswith("on_"):
            timed(kind, name)
clocked(AdversarialModule, "training_step")
code = main(sys.argv[1:])
took = steps[-1] - steps[0]
print(f"{len(steps)} steps, {1000 * took / len(steps):.2f} ms of CPU each, with all that is beside them")
for name, seconds in spent.most_common():
    print(f"{name}: {1000 * seconds / len(steps):.4f} ms a step, {100 * seconds / took:.3f} %")
print(f"together {100 * spent.total() / took:.2f} %")
sys.exit(code)
