"""The command, on squares."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from audited import synthesis
from points import Points
from squares import STYLES, tiny

from ganlit.studies.audit import costs
from ganlit.studies.audit.audit import audit


@pytest.fixture(scope="module")
def configuration() -> str:
    return tiny(model=STYLES)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "SECONDS", 0.05)


def test_a_sound_game_passes_and_nothing_is_left_behind(ganlit: Any, place: Path) -> None:
    ganlit("prepare", "--config", "tiny.yaml", "--fidelity", "null")
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*") if path.is_file()}
    answer = ganlit("audit", "--config", "tiny.yaml", "--json", "found.json")
    assert (answer.code, answer.err) == (0, "")
    assert "no check fails" in answer.out
    found = json.loads(Path("found.json").read_text())
    statuses = {each["check"]: each["status"] for each in found["checks"]}
    assert [name for name, status in statuses.items() if status == "does not apply"] == [
        "frozen parts stay",
        "two micro-batches",  # for the sake of the discriminator's batch normalisation
        "two processes",
    ]
    assert set(statuses.values()) == {"ok", "does not apply"}
    assert found["costs"]["players"][1]["network"] == "StyleGenerator"
    after = {path: path.stat().st_mtime_ns for path in place.rglob("*") if path.is_file()}
    assert {path for path, _ in after.items() ^ before.items()} == {place / "found.json"}


def test_module_and_random_streams_stay_as_they_are(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlit.studies.audit.audit.LONGEST", 0.0)
    module = synthesis().module
    before = copy.deepcopy(module.state_dict())
    streams = torch.get_rng_state(), random.getstate()
    audit(module, Points(batch=12, count=40), torch.device("cpu"))
    assert torch.equal(torch.get_rng_state(), streams[0])
    assert random.getstate() == streams[1]
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())
    assert module.images_seen == 0


def test_a_check_that_fails_is_told_by_the_exit_code(ganlit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlit.studies.audit.audit.LONGEST", 0.0)
    answer = ganlit("audit", "--config", "tiny.yaml", "--model.init_args.generator_optimizer.init_args.lr", "0")
    assert (answer.code, answer.err) == (1, "")
    assert "learning rate of generator_optimizer is 0" in answer.out
    assert "1 of 10 checks fail" in answer.out
    assert answer.out.rstrip().endswith(": generator moves")
    assert answer.out.count("where there is a GPU") == 2


def test_what_fit_refuses_is_refused(ganlit: Any) -> None:
    answer = ganlit("audit", "--config", "tiny.yaml", "--data.init_args.channels", "3")
    assert answer.code == 2
    answer = ganlit("audit", "--config", "tiny.yaml", "--model.init_args.discriminator.init_args.resolution", "32")
    assert answer.code == 2
    assert answer.err.startswith("error: ")
