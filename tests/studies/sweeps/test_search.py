from __future__ import annotations

import shutil
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from ganlit.errors import UserError
from ganlit.studies.sweeps.definition import read
from ganlit.studies.sweeps.search import decoded, encoded, opened, propose
from ganlit.studies.sweeps.trials import freeze

optuna = pytest.importorskip("optuna")

LR = "model.init_args.generator_optimizer.init_args.lr"
PARAMETERS = {
    LR: {"min": 0.001, "max": 0.1, "distribution": "log_uniform_values"},
    "data.init_args.batch": {"values": [10, 20]},
    "seed": {"value": 3},
}
SEARCH = {"method": "bayes", "run_cap": 9, "metric": {"name": "discriminator/loss", "goal": "minimize"}}


def states(folder: Path) -> list[str]:
    return [trial.state.name for trial in opened(read(folder), 0, optuna).get_trials()]


def test_trials_are_chosen_by_what_others_found(sweep_of: Callable[..., Path], stands: Callable[..., None]) -> None:
    folder = sweep_of("0005-search", PARAMETERS, **SEARCH)
    processes = [get_context("fork").Process(target=propose, args=(read(folder), number)) for number in (1, 2, 3, 3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 4
    trials = freeze(read(folder))
    assert [*trials] == [1, 2, 3]
    assert len({trial.values[LR] for trial in trials.values()}) == 3
    assert all(trial.values["seed"] == 3 for trial in trials.values())
    assert sorted(states(folder)) in (["FAIL", "RUNNING", "RUNNING", "RUNNING"], ["RUNNING"] * 3)

    assert propose(read(folder), 2) == trials[2]  # which asks nobody
    stands("0005-search/0001", "done", 0.5)
    stands("0005-search/0002", "diverged")
    stands("0005-search/0003", "failed")
    propose(read(folder), 4)
    told = {one.user_attrs["number"]: one for one in opened(read(folder), 0, optuna).get_trials() if one.user_attrs}
    assert told[1].value == 0.5
    assert told[1].params[LR] == trials[1].values[LR]
    assert [told[number].state.name for number in (2, 3, 4)] == ["PRUNED", "FAIL", "RUNNING"]

    stands("0005-search/0003", "done", 0.25)  # after a retry
    propose(read(folder), 5)
    assert opened(read(folder), 0, optuna).best_value == 0.25

    stands("0005-search/0004", "done", 0.1)
    sweep_of("0005-search", PARAMETERS, **{**SEARCH, "metric": {"name": "fid"}})
    with pytest.raises(
        UserError, match=r"metric fid is not in .*0004/metrics.csv: name one of kimg, discriminator/loss"
    ):
        propose(read(folder), 6)


def test_a_search_that_cannot_be_resolved_is_refused_before_it_starts(sweep_of: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match="unknown key sed; did you mean seed"):
        freeze(read(sweep_of("0006-wrong", {**PARAMETERS, "sed": {"value": 1}}, **SEARCH)))


def test_values_go_through_optuna_and_back(sweep_of: Callable[..., Path]) -> None:
    parameters = {
        "betas": {"values": [[0, 0.9], [0.5, 0.9]]},
        "lr": {"distribution": "q_log_uniform_values", "min": 0.15, "max": 1, "q": 0.1},
        "seed": {"value": 3},
    }
    listed = read(sweep_of("0007-values", parameters, **SEARCH)).parameters
    values = decoded(listed, {"betas": "[0.5, 0.9]", "lr": 0.16})
    assert values == {"betas": [0.5, 0.9], "lr": pytest.approx(0.2), "seed": 3}
    assert encoded(listed, {**values, "lr": 0.1}) == {"betas": "[0.5, 0.9]", "lr": 0.15}


def test_what_is_damaged_is_not_searched_by(
    sweep_of: Callable[..., Path], stands: Callable[..., None], capsys: pytest.CaptureFixture
) -> None:
    folder = sweep_of("0008-damaged", PARAMETERS, **SEARCH)
    for number in (1, 2, 3):
        propose(read(folder), number)
    for number in (1, 2, 3):
        stands(f"0008-damaged/000{number}", "done", 0.5)
    Path("runs/0008-damaged/0001/metrics.csv").write_text("kimg,a\n1,x\n")
    (folder / "trials/0002.yaml").write_bytes(b"\xff")
    Path("runs/0008-damaged/0003/state.json").write_text("[]")
    propose(read(folder), 4)
    assert "the search does without trial 1: runs/0008-damaged/0001/metrics.csv is damaged" in capsys.readouterr().out
    assert sorted(states(folder)) == ["FAIL", "RUNNING", "RUNNING", "RUNNING"]

    stands("0008-damaged/0001", "done", 0.5)  # mended, and not as it was proposed
    (folder / "trials/0001.yaml").write_text((folder / "trials/0001.yaml").read_text().replace("batch", "batsch", 1))
    propose(read(folder), 5)
    assert "trials/0001.yaml sets what sweep.yaml does not give" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"\xff\xff\n", b"[]\n{}\n", b'{"op_code": "x"}\n{}\n', None])
def test_a_memory_that_is_damaged_is_refused(content: bytes | None, sweep_of: Callable[..., Path]) -> None:
    folder = sweep_of("0009-memory", PARAMETERS, **SEARCH)
    path = folder / "trials/study.journal"
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir()
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(UserError, match=r"study\.journal, the memory of the search, is of no use \("):
        propose(read(folder), 1)
