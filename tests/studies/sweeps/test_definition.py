from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml

from ganlit.errors import UserError
from ganlit.studies.sweeps.definition import Sweep, read
from ganlit.studies.sweeps.parameters import parameter

GRID = """
method: grid
metric: {name: fid2k, goal: minimize}
parameters:
  seed: {values: [0, 1]}
  config: {values: [a.yaml, b.yaml]}
command: ["${interpreter}", -m, ganlit, fit, --config, configs/x.yaml, --kimg, 40, "${args}"]
"""


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sweep]:
    """Reads GRID with other entries; those that are None are left out."""
    monkeypatch.chdir(tmp_path)
    Path("configs").mkdir()
    Path("configs/x.yaml").touch()

    def made(**changes: object) -> Sweep:
        given = {**yaml.safe_load(GRID), **changes}
        folder = tmp_path / "0004-question"
        folder.mkdir(exist_ok=True)
        kept = {key: value for key, value in given.items() if value is not None}
        (folder / "sweep.yaml").write_text(yaml.safe_dump(kept, sort_keys=False))
        return read(folder)

    return made


def test_a_sweep_is_read(sweep: Callable[..., Sweep]) -> None:
    found = sweep()
    assert found.base == ["--config", "configs/x.yaml", "--kimg", "40"]
    assert [one.key for one in found.parameters] == ["config", "seed"]
    assert found.run(7) == Path("runs/0004-question/0007")
    assert found.metric.best([3.0, 1.0, 2.0]) == 1.0


def test_wandb_takes_the_same_file(sweep: Callable[..., Sweep]) -> None:
    sweeps = pytest.importorskip("wandb.sdk.launch.sweeps.utils")
    public = pytest.importorskip("wandb.apis.public.sweeps")
    found = sweep(parameters={"seed": {"min": 0, "max": 5}, "lr": {"min": 0.1, "max": 1.0}}, method="random", run_cap=2)
    config = public._validate_config_and_fill_distribution(sweeps.load_sweep_config(str(found.folder / "sweep.yaml")))
    implied = [entry["distribution"] for entry in config["parameters"].values()]
    assert implied == [one.distribution for one in found.parameters] == ["int_uniform", "uniform"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"methd": "grid"}, "unknown key methd; did you mean method"),
        ({"method": "gird"}, 'method is "gird": give grid, random or bayes'),
        ({"early_terminate": {"type": "hyperband"}}, "early_terminate is not built"),
        ({"command": None}, "has no command"),
        ({"command": ["python", "${args}"]}, "fit is missing in command"),
        ({"command": ["ganlit", "fit"]}, r"\$\{args\} is missing in command"),
        ({"command": ["ganlit", "fit", "${args}", "--kimg=1"]}, "must come last"),
        ({"parameters": None}, "has no parameters"),
        ({"parameters": {"seed": {"values": []}}}, r"values is \[\], so there is no trial"),
        ({"parameters": {"seed": {"min": 0, "max": 3}}}, "no list, which a grid needs"),
        ({"parameters": {"seed": {"valeus": [1]}}}, "neither value, nor values"),
        ({"parameters": {"seed": 3}}, "seed is 3: write `value: 3`"),
        (
            {"parameters": {"model": {"parameters": {"lr": {"value": 1}}}}},
            "nested: write its keys with dots, .* model.lr",
        ),
        ({"parameters": {"model": {"parameters": None}}}, "nested: write its keys with dots, .* model.KEY"),
        ({"parameters": {"name": {"values": ["a"]}}}, "given to each trial by the sweep itself"),
        ({"parameters": {"ckpt_path": {"value": "a"}}}, "parameters.ckpt_path has no place .* starts anew"),
        ({"command": ["fit", "--ckpt_path", "a", "${args}"]}, "--ckpt_path in command has no place .* starts anew"),
        ({"command": ["fit", "--name=a", "${args}"]}, "--name in command is given to each trial by the sweep"),
        ({"command": ["fit", "--resume.allow=a", "${args}"]}, "--resume.allow in command is given"),
        ({"command": ["fit", "--config", "y.yaml", "${args}"]}, "y.yaml, which .* is not here: call this in the"),
        ({"command": ["fit", "--config=y.yaml", "${args}"]}, "y.yaml, which .* is not here"),
        ({"method": date(2026, 1, 1)}, 'method is "2026-01-01"'),
        ({"parameters": {"seed": {"values": date(2026, 1, 1)}}}, 'values is "2026-01-01"'),
        ({"parameters": {"seed": {"values": [{1, 2}]}}}, "is no plain YAML .*set is not JSON"),
        ({"method": "random"}, "run_cap is null"),
        ({"method": "bayes", "run_cap": 3, "metric": None}, "no metric to search by"),
        ({"metric": {"name": "fid", "goal": "min"}}, 'goal is "min": give minimize or maximize'),
        (
            {"method": "bayes", "run_cap": 3, "parameters": {"lr": {"mu": 0.0, "sigma": 1.0}}},
            "has normal, by which a search cannot choose",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(sweep: Callable[..., Sweep], changes: dict[str, object], says: str) -> None:
    with pytest.raises(UserError, match=says):
        sweep(**changes)


def test_a_date_is_the_text_that_it_is(sweep: Callable[..., Sweep]) -> None:
    found = sweep(parameters={"data.init_args.source": {"values": [date(2026, 1, 1), "x"]}})
    assert found.parameters[0].values == ["2026-01-01", "x"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"sweep.yaml cannot be read \(No such file"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["1e-3", "null", "${x}", "50%"])
def test_a_name_that_is_misread_is_refused(name: str, sweep: Callable[..., Sweep]) -> None:
    folder = sweep().folder
    with pytest.raises(UserError, match="has a name that YAML or SLURM misreads"):
        read(folder.rename(folder.with_name(name)))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"distribution": "unifrom", "min": 0, "max": 1}, "did you mean uniform"),
        ({"distribution": "beta", "a": 1, "b": 2}, "draws from no distribution beta"),
        ({"distribution": "uniform", "min": 0}, "max is None: give a number"),
        ({"min": 0, "max": 1.0}, "both be whole numbers or both have a point"),
        ({"min": 1.0, "max": 0.5}, "max must be the larger"),
        ({"distribution": "log_uniform_values", "min": 0, "max": 1}, "has no logarithm"),
        ({"distribution": "uniform", "min": "1e-4", "max": 1}, "with a point before an exponent, as in 1.0e-4"),
        ({"distribution": "uniform", "min": 0, "max": 1, "q": 1}, "unknown key q"),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 0}, "has no multiples"),
        ({"values": [1, 2], "probabilities": [0.5, 0.6]}, "whose sum is 1"),
        ({"distribution": ["uniform"], "min": 0, "max": 1}, "draws from no distribution"),
        ({"distribution": "uniform", "min": 0, "max": math.inf}, "max is inf, from which nobody can draw"),
        ({"min": 0, "max": 2**63}, "max is 9223372036854775808, from which nobody can draw"),
        ({"mu": 0.0, "sigma": -1.0}, "sigma is -1, which spreads nothing"),
    ],
)
def test_a_parameter_that_cannot_be_drawn_is_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(UserError, match=says):
        parameter("lr", given, "sweep.yaml")


def test_numbers_beyond_floats_are_refused_when_they_are_drawn() -> None:
    with pytest.raises(UserError, match=r"parameters\.x draws numbers that are too large"):
        drawn(distribution="log_normal", mu=1e4)


def drawn(**given: object) -> np.ndarray:
    one = parameter("x", given, "sweep.yaml")
    random = np.random.default_rng(0)
    return np.array([one.draw(random) for _ in range(4000)])


def test_distributions_are_those_of_their_names() -> None:
    uniform = drawn(min=1.0, max=3.0)
    assert 1 <= uniform.min() < 1.01 < 2.99 < uniform.max() <= 3
    logs = np.log10(drawn(distribution="log_uniform_values", min=1.0e-4, max=1.0))
    assert logs.mean() == pytest.approx(-2, abs=0.1)
    assert logs.std() == pytest.approx(4 / 12**0.5, rel=0.05)
    assert set(drawn(min=2, max=4)) == {2, 3, 4}
    assert set(drawn(distribution="q_uniform", min=0, max=1, q=0.5)) == {0.0, 0.5, 1.0}
    assert drawn(mu=3.0, sigma=2.0).std() == pytest.approx(2, rel=0.05)
    assert np.log(drawn(distribution="log_normal", mu=3.0)).mean() == pytest.approx(3, abs=0.1)
    assert (drawn(values=[0, 1], probabilities=[0.9, 0.1]) == 0).mean() == pytest.approx(0.9, abs=0.03)
