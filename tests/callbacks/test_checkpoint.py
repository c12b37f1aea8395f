from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from ganlit.callbacks.checkpoint import Checkpoints


def same(one: Any, other: Any) -> bool:
    """Whether two nests of containers hold the same, tensors bit for bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def load(folder: Path, name: str) -> dict[str, Any]:
    return torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)


def test_the_last_and_the_best_are_kept_and_nothing_else(fit: Any, scripted: Any, tmp_path: Path) -> None:
    fidelity = scripted(30.0, 20.0, 25.0)
    fit(1.2, fidelity, Checkpoints("name: tiles\n", fidelity))
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]
    assert load(tmp_path, "best")["images_seen"] == 800
    assert load(tmp_path, "last")["images_seen"] == 1200
    assert (tmp_path / "config.yaml").read_text() == "name: tiles\n"


def test_without_a_score_only_the_last_is_kept(fit: Any, tmp_path: Path) -> None:
    fit(0.4, Checkpoints(""))
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["last.ckpt"]


def test_the_best_is_remembered_by_a_resumed_run(fit: Any, scripted: Any, tmp_path: Path) -> None:
    first, second = scripted(20.0), scripted(30.0, 10.0)
    fit(0.4, first, Checkpoints("", first))
    resumed = Checkpoints("", second)
    fit(0.8, second, resumed, ckpt_path=tmp_path / "checkpoints" / "last.ckpt")
    assert resumed.best == 20.0
    assert load(tmp_path, "best")["images_seen"] == 400
    fit(1.2, second, resumed, ckpt_path=tmp_path / "checkpoints" / "last.ckpt")
    assert (resumed.best, resumed.best_kimg) == (10.0, pytest.approx(1.2))
    assert load(tmp_path, "best")["images_seen"] == 1200


def test_a_resumed_run_ends_as_one_that_was_never_stopped(fit: Any, tmp_path: Path) -> None:
    last = tmp_path / "checkpoints" / "last.ckpt"
    whole = fit(1.2, Checkpoints(""))
    expected = torch.load(last, weights_only=True)
    fit(0.8, Checkpoints(""))
    resumed = fit(1.2, Checkpoints(""), ckpt_path=last)
    found = torch.load(last, weights_only=True)
    assert whole.module.images_seen == resumed.module.images_seen == 1200
    for part in ("state_dict", "optimizer_states", "images_seen", "global_step"):
        assert same(found[part], expected[part]), part


def test_a_kill_while_writing_leaves_the_earlier_checkpoint(
    fit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(0.4, Checkpoints(""))

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ganlit.callbacks.checkpoint.flush", killed)
    with pytest.raises(SystemExit):
        fit(0.8, Checkpoints(""))
    assert load(tmp_path, "last")["images_seen"] == 400
