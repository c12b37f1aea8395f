"""How a run ends when it is asked to; the signals are played by calling their handlers."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher

from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.callbacks.interrupt import Interrupt
from ganlit.compute import signals
from ganlit.errors import Stopped
from ganlit.records import durable
from ganlit.tasks.base import AdversarialModule


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Puts back what answered to signals before."""
    before = {number: signal.getsignal(number) for number in Interrupt.SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    """What happens in the process when a signal arrives."""
    signal.getsignal(number)(number, None)


class Sender(Callback):
    """Sends a signal when a step ends, or in the middle of a validation, where the clock stands at `clock`."""

    def __init__(self, clock: int, number: int = signal.SIGTERM, hook: str = "on_train_batch_start") -> None:
        def act(trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
            if pl_module.images_seen == clock:
                send(number)

        setattr(self, hook, act)


def clock_of(folder: Path) -> int:
    return durable.load(folder / "checkpoints" / "last.ckpt")["images_seen"]


@pytest.mark.parametrize("number", Interrupt.SIGNALS)
def test_the_step_is_finished_saved_and_the_run_ended(
    number: int, fit: Any, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    checkpoints = Checkpoints("")
    with pytest.raises(Stopped) as caught:
        fit(1.2, Interrupt(checkpoints), checkpoints, Sender(500, number))
    assert caught.value.signal == number
    assert clock_of(tmp_path) == 600
    assert f"{signal.Signals(number).name}: stopping after this step" in capsys.readouterr().out


def test_a_signal_between_steps_stops_after_the_next(fit: Any, tmp_path: Path) -> None:
    checkpoints = Checkpoints("")
    with pytest.raises(Stopped):
        fit(1.2, Interrupt(checkpoints), checkpoints, Sender(500, hook="on_train_batch_end"))
    assert clock_of(tmp_path) == 600


@pytest.mark.parametrize("measured", [True, False])
def test_a_signal_in_the_last_step_of_a_tick_loses_nothing(
    fit: Any, scripted: Any, tmp_path: Path, measured: bool
) -> None:
    fidelity = [scripted(30.0, 20.0, 10.0)] if measured else []
    checkpoints = Checkpoints("", *fidelity)
    with pytest.raises(Stopped):
        fit(1.2, Interrupt(checkpoints), *fidelity, checkpoints, Sender(700))
    assert clock_of(tmp_path) == 800


def test_a_validation_is_left_where_it_stands_and_owed(fit: Any, scripted: Any, tmp_path: Path) -> None:
    fidelity = scripted(30.0)
    checkpoints = Checkpoints("", fidelity)
    sender = Sender(400, hook="on_validation_batch_start")
    with pytest.raises(Stopped):
        fit(0.8, Interrupt(checkpoints), fidelity, checkpoints, sender)
    assert fidelity.scores == [30.0]  # not measured
    resumed = scripted(30.0, 20.0)
    checkpoints = Checkpoints("", resumed)
    last = tmp_path / "checkpoints" / "last.ckpt"
    run = fit(0.8, Interrupt(checkpoints), resumed, checkpoints, ckpt_path=last)
    assert run.module.images_seen == 800
    assert [kimg for kimg, _ in resumed.history] == [0.4, 0.8]


def test_a_test_is_left_too(fit: Any, scripted: Any) -> None:
    fidelity = scripted(30.0, 25.0)
    checkpoints = Checkpoints("", fidelity)
    run = fit(0.4, Interrupt(checkpoints), fidelity, checkpoints, Sender(400, hook="on_test_batch_start"))
    with pytest.raises(Stopped):
        run.trainer.test(run.module, run.data, verbose=False)


def test_a_signal_that_came_before_the_first_step_is_not_forgotten(fit: Any, tmp_path: Path) -> None:
    signals.listen()
    send(signals.ENDING)
    checkpoints = Checkpoints("")
    with pytest.raises(Stopped) as caught:
        fit(1.2, Interrupt(checkpoints), checkpoints)
    assert (caught.value.signal, clock_of(tmp_path)) == (signals.ENDING, 100)
    assert signals.early == []


def test_on_slurm_no_signal_ends_a_run_before_it_is_saved(
    fit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    checkpoints = Checkpoints("")
    again = [Sender(500, signals.ENDING), Sender(500, signals.ENDING), Sender(500, signal.SIGTERM)]
    with pytest.raises(Stopped) as caught:
        fit(1.2, Interrupt(checkpoints), checkpoints, *again)
    assert (caught.value.signal, clock_of(tmp_path)) == (signals.ENDING, 600)


def test_a_signal_is_obeyed_while_real_images_are_seen_for_a_measure(fit: Any, scripted: Any) -> None:
    fidelity = scripted(3.0)
    checkpoints = Checkpoints("", fidelity)
    interrupt = Interrupt(checkpoints)
    fit(0.4, interrupt, fidelity, checkpoints)
    fidelity.watch()
    interrupt.signal = signals.ENDING
    fidelity.watch()  # in a validation without a checkpoint before it, there is nothing to go on from
    checkpoints.owes_validation = True
    with pytest.raises(Stopped):
        fidelity.watch()


def test_another_rank_s_signal_is_obeyed(fit: Any, tmp_path: Path) -> None:
    class Agreed(Callback):
        def on_train_batch_end(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
            pl_module.stop_agreed = pl_module.images_seen == 200

    checkpoints = Checkpoints("")
    with pytest.raises(Stopped) as caught:
        fit(0.4, Interrupt(checkpoints), checkpoints, Agreed())
    assert (caught.value.signal, clock_of(tmp_path)) == (signal.SIGTERM, 200)


@pytest.mark.parametrize("launched", [True, False])
def test_a_second_signal_ends_the_process_and_those_that_it_launched_at_once(
    launched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Exited(Exception): ...

    def leave(code: int) -> None:
        raise Exited(code)

    class Launcher(_SubprocessScriptLauncher):
        def __init__(self) -> None:
            self.killed: list[int] = []

        def kill(self, number: int) -> None:
            self.killed.append(number)

    monkeypatch.setattr(os, "_exit", leave)
    launcher = Launcher()
    trainer = SimpleNamespace(strategy=SimpleNamespace(launcher=launcher if launched else None))
    module = SimpleNamespace(stop_requested=False)
    Interrupt(Checkpoints("")).on_train_start(trainer, module)
    send(signal.SIGINT)
    assert module.stop_requested
    assert launcher.killed == []
    with pytest.raises(Exited, match=str(128 + signal.SIGTERM)):
        send(signal.SIGTERM)
    assert launcher.killed == ([signal.SIGKILL] if launched else [])


def test_outside_the_main_thread_handlers_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    failures: list[BaseException] = []

    def listen() -> None:
        try:
            Interrupt(Checkpoints("")).on_train_start(SimpleNamespace(), SimpleNamespace())
        except ValueError as error:  # what Python answers there
            failures.append(error)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert failures == []
    assert signal.getsignal(signal.SIGINT) is before
