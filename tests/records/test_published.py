"""Weights from elsewhere, in the ways in which people save them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from ganlit.errors import UserError
from ganlit.records.published import read, renamed

WEIGHTS = {"conv_first.weight": torch.arange(6.0).view(2, 3), "conv_first.bias": torch.ones(2)}
OTHERS = {name: -value for name, value in WEIGHTS.items()}


@pytest.mark.parametrize(
    "content",
    [
        WEIGHTS,
        {"params": OTHERS, "params_ema": WEIGHTS},
        {"params": WEIGHTS},
        {"generator": WEIGHTS},
        {"epoch": 3, "state_dict": WEIGHTS, "optimizer": {"lr": 0.1}},
        {f"module.{name}": value for name, value in WEIGHTS.items()},
        {"params": {f"module.{name}": value for name, value in WEIGHTS.items()}},
        WEIGHTS | {"step": 7},
        {"epoch": 3, "netG_state_dict": WEIGHTS, "optimizer": {"state": {}, "lr": 0.1}},
    ],
)
@pytest.mark.parametrize("of_today", [True, False])
def test_weights_are_found_by_their_names(content: dict[str, Any], of_today: bool, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "net.pth", _use_new_zipfile_serialization=of_today)
    found = read(tmp_path / "net.pth")
    assert found.keys() == WEIGHTS.keys()
    assert all(torch.equal(found[name], value) for name, value in WEIGHTS.items())


def test_one_of_several_is_found_by_its_name(tmp_path: Path) -> None:
    torch.save({"netG": WEIGHTS, "netD": OTHERS, "epoch": 3}, tmp_path / "net.pth")
    found = read(tmp_path / "net.pth", "netD")
    assert all(torch.equal(found[name], value) for name, value in OTHERS.items())
    with pytest.raises(UserError, match="no weights of a part netC, but those of netG, netD; did you mean"):
        read(tmp_path / "net.pth", "netC")


def test_names_of_an_older_weight_norm_are_changed_where_the_network_has_the_new_ones() -> None:
    normed = [f"conv.parametrizations.weight.original{place}" for place in (0, 1)]
    given = dict.fromkeys(["conv.weight_v", "conv.weight_g", "conv.bias", "own.weight_g", "gone.weight_g"], 0)
    found = renamed(given, [*normed, "conv.bias", "own.weight_g", "own.parametrizations.weight.original0"])
    assert [*found] == [*normed[::-1], "conv.bias", "own.weight_g", "gone.weight_g"]


def test_safetensors_need_no_metadata(tmp_path: Path) -> None:
    save_file(WEIGHTS, tmp_path / "net.safetensors")
    found = read(tmp_path / "net.safetensors")
    assert all(torch.equal(found[name], value) for name, value in WEIGHTS.items())


class Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("ran"),)


def saved(content: Any, path: Path, cut: int = 0) -> Path:
    torch.save(content, path)
    if cut:
        path.write_bytes(path.read_bytes()[:-cut])
    return path


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda path: saved({"epoch": 3, "G": WEIGHTS, "D": WEIGHTS}, path),
            "net.pth holds epoch, G, D, and no weights by their",
        ),
        (
            lambda path: saved({}, path),
            "net.pth holds nothing, and no weights by their names: give a file of these alone",
        ),
        (lambda path: saved([1], path), "net.pth is no checkpoint, it holds a list"),
        (lambda path: saved(WEIGHTS, path, cut=300), "net.pth is damaged or no file of weights"),
        (lambda path: saved(Code(), path), "net.pth holds code that would run when it is loaded"),
    ],
)
def test_what_holds_none_is_refused(
    make: Callable[[Path], Path], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=sentence):
        read(make(Path("net.pth")))
    assert not Path("ran").exists()
