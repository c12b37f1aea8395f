"""Everything that ranks do together, found out in one launch and kept for many tests: FOLDER/<world>-<rank>.pt."""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path

import torch
from games import RANK, WORLD

from ganlit.cli.main import quieten

CHECKS = {  # and by how many ranks
    "equality": (1, 2, 3),
    "agreement": (2, 3),
    "normalisation": (1, 2, 3),
    "skipping": (2, 3),
    "gathering": (1, 2, 3),
    "reacting": (1, 2),
}


def record(folder: str) -> None:
    quieten()
    found = {}
    for name in (name for name, worlds in CHECKS.items() if WORLD in worlds):
        started = time.monotonic()
        found[name] = import_module(name).found()
        print(f"{name}: {time.monotonic() - started:.1f} s", flush=True)
    torch.save(found, Path(folder) / f"{WORLD}-{RANK}.pt")
