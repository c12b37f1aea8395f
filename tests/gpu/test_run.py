"""A whole training on a device: all that happens beside the steps, the end of a run and its going on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from duels import BATCH, HERE, DrawnHere, adam, duel, plain, return_trip, state, trained
from extractors import Tiny
from lightning.pytorch import Callback
from places import Place, Recorder, relative
from remains import rows_of, same
from torch import Tensor

from ganlit.augment.adaptive import ADA
from ganlit.callbacks.anneal import Anneal
from ganlit.callbacks.balance import Balance
from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.callbacks.fidelity import Fidelity
from ganlit.callbacks.interrupt import Interrupt
from ganlit.callbacks.loggers.metrics_file import MetricsFile
from ganlit.callbacks.overview import Overview
from ganlit.callbacks.profile import Profile
from ganlit.callbacks.progress import Progress
from ganlit.callbacks.recovery import Recovery
from ganlit.callbacks.samples import Samples
from ganlit.errors import Stopped
from ganlit.metrics.features import exact_float32
from ganlit.records import durable
from ganlit.tasks.base import AdversarialModule

pytestmark = pytest.mark.gpu

FLOAT32 = 1e-4  # relative, of weights and scores after some steps
STEPS = 4


@pytest.fixture(autouse=True)
def quick_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("ganlit.metrics.images.backbones.Inception", Tiny)


def beside(kimg: float) -> list[Callback]:
    """What `fit` has beside the training."""
    fidelity = Fidelity(["fid", "kid"])
    checkpoints, profile = Checkpoints("", fidelity), Profile()
    watching = [Recovery(), Samples(2, 4), fidelity, checkpoints, Balance(fidelity), profile]
    return [*watching, Progress(kimg, profile, fidelity, refresh=0.0), Overview(fidelity), Anneal(kimg)]


def whole(folder: Path, where: dict[str, Any]) -> tuple[Any, Fidelity]:
    folder.mkdir()
    callbacks = beside(STEPS * BATCH / 1000)
    telling = {"logger": [MetricsFile(folder / "metrics.csv")], "log_every_n_steps": 1, "enable_progress_bar": True}
    return trained(duel(), STEPS, where, callbacks, folder, tick=2, **telling), callbacks[2]


def test_all_of_a_run_is_as_on_the_cpu(place: Place, tmp_path: Path, record_property: Recorder) -> None:
    with DrawnHere(), exact_float32():
        one, here = whole(tmp_path / "here", HERE)
        with place.there():
            other, there = whole(tmp_path / "there", place.trainer())
    found = relative(state(other), state(one))
    record_property("relative distance to the CPU", found)
    assert found < FLOAT32
    for (kimg, expected), (also, scores) in zip(here.history, there.history, strict=True):
        assert kimg == also
        assert scores == pytest.approx(expected, rel=1e-2, abs=1e-3)
    runs = tmp_path / "here", tmp_path / "there"
    files = [{str(path.relative_to(run)) for path in run.rglob("*.*")} for run in runs]
    assert files[0] == files[1]
    assert {"overview.png", "checkpoints/best.ckpt", "checkpoints/ema.safetensors"} <= files[0]
    columns = [[sorted(row) for row in rows_of(run)] for run in runs]
    assert columns[0] == columns[1]


@pytest.mark.parametrize("game", [duel, return_trip])
def test_a_resumed_run_is_the_one_that_was_never_stopped(
    place: Place, tmp_path: Path, game: Callable[..., AdversarialModule], record_property: Recorder
) -> None:
    """Stopped in the middle of a tick."""

    def fit(steps: int, folder: str, ckpt_path: Path | None = None) -> dict[str, Tensor]:
        callbacks = [Checkpoints("")]
        return state(trained(game(adam), steps, place.trainer(), callbacks, tmp_path / folder, ckpt_path, tick=3))

    last = tmp_path / "stopped" / "checkpoints" / "last.ckpt"
    with place.there():
        one = fit(3, "whole")
        fit(1, "stopped")
        assert durable.load(last)["images_seen"] == BATCH
        other = fit(3, "stopped", last)
    found = relative(other, one)
    record_property("bitwise", same(other, one))
    record_property("relative distance to the run that was never stopped", found)
    assert found < FLOAT32
    if place.name != "cuda":  # which adds in any order, unless it is told not to
        assert same(other, one)


@pytest.mark.parametrize("augment", ["none", "ADA"])
def test_deterministic_algorithms_give_the_same_bits(
    computer: dict[str, Any], monkeypatch: pytest.MonkeyPatch, record_property: Recorder, augment: str
) -> None:
    """As far as there are any: where torch knows none it says so, and that is what is recorded."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    parts = {"none": plain, "ADA": lambda: plain(augment=ADA(p=0.9))}[augment]
    try:
        one, other = (state(trained(duel(parts), 3, computer, deterministic=True)) for _ in range(2))
        refused = ""
    except RuntimeError as error:
        refused = str(error).splitlines()[0]
    finally:
        torch.use_deterministic_algorithms(False)
    record_property("bitwise", refused or same(one, other))
    assert "deterministic" in refused if refused else same(one, other)
    assert not refused or augment == "ADA"


def test_a_signal_ends_a_run_after_its_step(place: Place, tmp_path: Path) -> None:
    """The word goes around as a tensor, even to nobody else."""
    checkpoints = Checkpoints("")
    interrupt = Interrupt(checkpoints)

    class Ask(Callback):
        def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
            pl_module.stop_requested = True

    with place.there(), pytest.raises(Stopped):
        trained(duel(plain), STEPS, place.trainer(), [Ask(), interrupt, checkpoints], tmp_path)
    assert durable.load(tmp_path / "checkpoints" / "last.ckpt")["images_seen"] == 2 * BATCH
