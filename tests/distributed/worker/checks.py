"""Everything that ranks do together, found out in one launch and kept for many tests: FOLDER/<world>-<rank>.pt."""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path

import torch
from games import RANK, WORLD

from ganlit.cli.main import quieten

CHECKS = {
    "equality": 1,
    "agreement": 2,
    "normalisation": 1,
    "skipping": 2,
    "gathering": 1,
    "reacting": 1,
}  # and the ranks it takes


def record(folder: str) -> None:
    quieten()
    found = {}
    for name in (name for name, ranks in CHECKS.items() if ranks <= WORLD):
        started = time.monotonic()
        found[name] = import_module(name).found()
        print(f"{name}: {time.monotonic() - started:.1f} s", flush=True)
    torch.save(found, Path(folder) / f"{WORLD}-{RANK}.pt")
