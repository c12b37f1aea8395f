"""What ranks tell one another, by the means of a device: NCCL between GPUs, gloo between processes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from duels import adam, duel, state, trained
from lightning.fabric.utilities.distributed import _destroy_dist_connection
from places import Recorder, relative
from torch import distributed

from ganlit.compute import strategy
from ganlit.compute.strategy import AdversarialDDP, average_over_ranks
from ganlit.metrics import ranks

pytestmark = pytest.mark.gpu

FLOAT32 = 1e-4  # relative, of weights after some steps


@pytest.fixture
def alone(computer: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What a Trainer of one rank is told, and a port for it to meet itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK", "NODE_RANK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(port))
    yield {**computer, "strategy": AdversarialDDP()}
    if distributed.is_initialized():
        _destroy_dist_connection()


def test_one_rank_trains_as_no_rank_does(
    alone: dict[str, Any], computer: dict[str, Any], record_property: Recorder
) -> None:
    one = state(trained(duel(adam), 2, computer))
    other = state(trained(duel(adam), 2, alone))
    backend = distributed.get_backend()
    record_property("by", backend)
    record_property("relative distance to one process without ranks", relative(other, one))
    assert backend == ("nccl" if computer["accelerator"] == "gpu" else "gloo")
    assert relative(other, one) < FLOAT32


def test_messages_of_every_kind_go_through(
    alone: dict[str, Any], computer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rank that takes itself for two sends what two would, and halves what comes back."""
    trained(duel(adam), 1, alone)
    device = torch.device("cuda" if computer["accelerator"] == "gpu" else "cpu")
    monkeypatch.setattr(strategy, "world_size", lambda: 2)
    kinds = [torch.ones(2, 3, 4, 4, device=device).to(memory_format=torch.channels_last), torch.ones((), device=device)]
    kinds += [torch.ones(3, dtype=torch.float64, device=device), torch.ones(4, 2, device=device).T]
    average_over_ranks(kinds)
    assert all(torch.equal(tensor, torch.full_like(tensor, 0.5)) for tensor in kinds)

    monkeypatch.setattr(ranks, "world", lambda: 2)
    values = torch.arange(4, dtype=torch.float64)
    assert torch.equal(ranks.total(values, device), values)
    assert ranks.told(True, device)
    assert not ranks.told(False, device)
