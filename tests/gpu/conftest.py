"""Where the tests of this folder run: on a GPU, and on machines without one on a device that is nowhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.append(str(Path(__file__).parent))

import elsewhere
from places import Place

WITHOUT_GPU = "needs a GPU: torch.cuda.is_available() is false here"
WITH_GPU = "a GPU is here, and shows more than a device that is nowhere"


@pytest.fixture(params=[pytest.param(elsewhere.NAME, id="elsewhere"), "cuda"])
def place(request: pytest.FixtureRequest) -> Place:
    """A GPU, or the device that is nowhere."""
    here = torch.cuda.is_available()
    if here != (request.param == "cuda"):
        pytest.skip(WITH_GPU if here else WITHOUT_GPU)
    return Place(request.param)


@pytest.fixture(params=["cpu", "cuda"])
def computer(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a Trainer is told of the CPU or a GPU, for what the device that is nowhere cannot do."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip(WITHOUT_GPU)
    return {"accelerator": "gpu" if request.param == "cuda" else "cpu", "devices": 1}
