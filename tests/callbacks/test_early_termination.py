"""What a trial reads in the files of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Trainer

from ganlit.callbacks.early_termination import EarlyTermination
from ganlit.metrics.pruning import EarlyTerminate, Ruling

FID = "fid200/tiny@0/none/tiles-train@abcdef/ema"
TICK = 0.4  # kimg
OTHER = FID.replace("tiny@0", "tiny@1")


@pytest.fixture
def trials(tmp_path: Path) -> Path:
    def write(name: str, text: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.csv").write_text(text)

    write("0001", f"kimg,a,{FID}\n1,1,\n1,,5\n2,,4\n3,,9")  # it is writing a row
    write("0002", f"kimg,{FID}\n1,30\n2,20\n3,10\n")
    write("0003", f"kimg,{OTHER}\n1,1\n2,1\n")  # another network's numbers
    write("0004", "kimg,kimg\nnonsense")
    write("0002-copy", f"kimg,{FID}\n1,0\n2,0\n")
    (tmp_path / "0005").mkdir()
    return tmp_path


def test_whole_rows_under_the_same_protocol_decide(trials: Path) -> None:
    early = EarlyTermination(EarlyTerminate("fid", min_iter=2, eta=3))
    assert early.look(trials / "0002") == (3, Ruling(20.0, 4.0, "the bracket of 2 validations kept", 2))
    assert early.look(trials / "0002") == early.look(trials / "0002")
    assert early.look(trials / "0001") == (2, None)
    assert early.look(trials / "0005") == (0, None)
    early.load_state_dict({"judged": 3})
    assert early.look(trials / "0002") == (3, None)


def test_its_own_numbers_may_be_damaged(trials: Path) -> None:
    """No error of the first rank alone, for which others would wait."""
    assert EarlyTermination(EarlyTerminate("fid", min_iter=1)).look(trials / "0004") == (0, None)


@pytest.mark.parametrize(("metric", "ticks"), [("fid", [1, 2, 4]), (FID, [1, 2, 4]), ("signal/moved", [1, 2, 3, 4, 5])])
def test_it_looks_where_there_may_be_a_new_number(fit: Any, scripted: Any, metric: str, ticks: list[int]) -> None:
    class Looks(EarlyTermination):
        def __init__(self) -> None:
            super().__init__(EarlyTerminate(metric, min_iter=1))
            self.ticks: list[int] = []

        def on_train_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
            self.tick = round(pl_module.kimg / TICK)
            super().on_train_epoch_end(trainer, pl_module)

        def look(self, folder: Path) -> tuple[int, Ruling | None]:
            self.ticks.append(self.tick)
            return super().look(folder)

    class Seldom(scripted):
        def on_validation_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
            if round(pl_module.kimg / TICK) % 2 == 0:
                super().on_validation_epoch_end(trainer, pl_module)

    looks = Looks()
    fit(5 * TICK, Seldom(9.0, 8.0), looks)
    assert looks.ticks == ticks  # at the first nobody knows yet what is measured


def test_a_run_that_loses_ends_as_stopped_early_and_the_next_fit_is_another(trials: Path, fit: Any) -> None:
    rule = EarlyTerminate("fid", min_iter=2)
    run = fit.func(trials / "0002", 3 * TICK, EarlyTermination(rule))
    assert (run.module.kimg, run.module.outcome) == (TICK, "stopped early")
    assert run.module.ended == "fid 20 at 0.4 kimg, the bracket of 2 validations kept 4, of 2 runs"
    run = fit.func(trials / "0001", TICK, EarlyTermination(rule), module=run.module)
    assert (run.module.ended, run.module.outcome) == (None, "done")


def test_a_metric_that_nobody_has_ends_nothing_and_is_told_once(trials: Path, capsys: Any) -> None:
    early = EarlyTermination(EarlyTerminate("kid", min_iter=1))
    assert [early.look(trials / "0002") for _ in range(2)] == [(0, None)] * 2
    assert capsys.readouterr().out.count("nothing is ended as long as metric kid is not in") == 1
