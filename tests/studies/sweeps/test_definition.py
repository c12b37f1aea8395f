from __future__ import annotations

import math
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlit.errors import UserError
from ganlit.metrics.pruning import EarlyTerminate
from ganlit.studies.sweeps.definition import Sweep, read
from ganlit.studies.sweeps.parameters import DISTRIBUTIONS, parameter

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


def test_early_termination_goes_by_the_metric_of_the_sweep(sweep: Callable[..., Sweep]) -> None:
    rule = {"type": "hyperband", "min_iter": 3, "eta": 2, "strict": True}
    assert sweep(early_terminate=rule).early == EarlyTerminate("fid2k", min_iter=3, eta=2, strict=True)
    assert sweep(early_terminate={"type": "median"}).early == EarlyTerminate("fid2k", type="median")
    assert sweep().early is None


def test_wandb_takes_the_same_file(sweep: Callable[..., Sweep]) -> None:
    sweeps = pytest.importorskip("wandb.sdk.launch.sweeps.utils")
    public = pytest.importorskip("wandb.apis.public.sweeps")
    parameters = {"seed": {"min": 0, "max": 5}, "lr": {"min": 0.1, "max": 1.0}}
    rule = {"type": "hyperband", "max_iter": 27, "s": 2, "eta": 3, "strict": False}
    found = sweep(parameters=parameters, method="random", run_cap=2, early_terminate=rule)
    config = public._validate_config_and_fill_distribution(sweeps.load_sweep_config(str(found.folder / "sweep.yaml")))
    implied = [entry["distribution"] for entry in config["parameters"].values()]
    assert implied == [one.distribution for one in found.parameters] == ["int_uniform", "uniform"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"methd": "grid"}, "unknown key methd; did you mean method"),
        ({"method": "gird"}, 'method is "gird": give grid, random or bayes'),
        ({"early_terminate": {"type": "hyperband"}}, "sweep.yaml: early_terminate .* either min_iter, or max_iter"),
        ({"early_terminate": {"type": "hyperbnad"}}, 'type is "hyperbnad": give hyperband or median'),
        ({"early_terminate": 3}, "early_terminate.type is 3: give hyperband or median"),
        ({"early_terminate": {"type": ["median"]}}, r"type is \["),
        ({"early_terminate": {"type": "hyperband", "min_itr": 3}}, "unknown key min_itr; did you mean min_iter?"),
        ({"early_terminate": {"type": "median", "eta": 3}}, "of type median has an unknown key eta"),
        ({"early_terminate": {"type": "hyperband", "min_iter": 3.5}}, "min_iter is 3.5: give a whole number"),
        ({"early_terminate": {"type": "median"}, "metric": None}, "has no metric to end trials by"),
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
        ({"metric": {"name": " "}}, "metric has no name"),
        ({"command": ["fit", "--help", "${args}"]}, "--help in command asks for words and for no run"),
        ({"parameters": {"model.help": {"value": "x"}}}, "parameters.model.help asks for words and for no run"),
        ({"command": ["fit", ["--kimg"], "${args}"]}, r'command holds \["--kimg"\], which is no word'),
        ({"command": ["fit", "--config", "x" * 300, "${args}"]}, "x, which .* names, is not here"),
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


LISTS = {f"p{index}": {"values": [*range(100)]} for index in range(6)}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"parameters": LISTS}, "asks for 1,000,000,000,000 trials, and a sweep has 9,999 at most: list fewer values"),
        (
            {"parameters": {f"p{index}": {"values": [*range(10)]} for index in range(90)}},
            r"asks for about 10\^90 trials",
        ),
        ({"parameters": LISTS, "run_cap": 10_000}, "asks for 10,000 trials, .* or give run_cap"),
        ({"method": "random", "run_cap": 10**9}, "asks for 1,000,000,000 trials, .*: lower run_cap"),
        ({"method": "bayes", "run_cap": 10**9}, "asks for 1,000,000,000 trials, .*: lower run_cap"),
    ],
)
def test_trials_are_counted_before_one_is_made(
    sweep: Callable[..., Sweep], changes: dict[str, object], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        sweep(**changes)


def test_as_many_trials_as_names_have_digits(sweep: Callable[..., Sweep]) -> None:
    assert sweep(parameters=LISTS, run_cap=9_999).count == 9_999
    assert sweep(method="random", run_cap=9_999).count == 9_999
    assert sweep().count == 4


@pytest.mark.parametrize("key", ["", "--seed", "a b", "seed=1", "seed\n"])
def test_a_parameter_is_what_stands_behind_two_hyphens(key: str, sweep: Callable[..., Sweep]) -> None:
    with pytest.raises(UserError, match="is no key of a configuration"):
        sweep(parameters={key: {"values": [1]}})


UNREADABLE = {
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0", "is no text"),
    "UTF-16": (GRID.encode("utf-16"), "is text in UTF-16"),
    "Latin-1": (b"name: caf\xe9" + GRID.encode(), "is no text in UTF-8"),
    "nothing": (b"", "is no mapping"),
    "a list": (b"- method", "is no mapping"),
    "a key twice": (b"method: random" + GRID.encode(), "the key method stands twice"),
    "an alias in itself": (b"parameters: &a {seed: *a}", "an alias repeats what it lies in"),
    "a bomb": (
        b"a0: &a0 [1, 1]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 64)),
        "values when its aliases are spelled out",
    ),
    "brackets": (b"[" * 1000, "sweep.yaml"),
}


@pytest.mark.parametrize("content", UNREADABLE)
def test_what_is_no_yaml_is_refused_in_a_sentence(content: str, sweep: Callable[..., Sweep]) -> None:
    folder = sweep().folder
    (folder / "sweep.yaml").write_bytes(UNREADABLE[content][0])
    with pytest.raises(UserError, match=UNREADABLE[content][1]):
        read(folder)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path.name)])
def test_what_is_no_file_is_waited_for_by_nobody(make: Callable[[Path], None], sweep: Callable[..., Sweep]) -> None:
    folder = sweep().folder
    (folder / "sweep.yaml").unlink()
    make(folder / "sweep.yaml")
    with pytest.raises(UserError, match=r"sweep\.yaml"):
        read(folder)


@pytest.mark.parametrize("folder", ["nowhere", "a.txt", "loop", "/", "x" * 300, "x/" * 3000, "a\0b"])
def test_what_is_no_folder_of_a_sweep_is_refused(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").touch()
    Path("loop").symlink_to("loop")
    with pytest.raises(UserError, match=r"sweep\.yaml cannot be read \(.*\): name the folder of a sweep"):
        read(Path(folder))


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
        ({"mu": 0.0, "sigma": 0}, "sigma is 0, which spreads nothing"),
        ({"mu": math.nan, "sigma": 1}, "mu is nan, from which nobody can draw"),
        ({"min": 1, "max": 1}, "max must be the larger"),
        ({"distribution": "log_uniform_values", "min": -2, "max": -1}, "has no logarithm"),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": -1}, "has no multiples"),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": math.nan}, "q is nan, from which nobody can draw"),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 2}, "q is 2, which is more than from min to max"),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 1e-300}, "no number of this size can be rounded to"),
        ({"distribution": "q_normal", "mu": 1e300, "q": 1}, "no number of this size can be rounded to"),
        ({"min": -1.7e308, "max": 1.7e308}, "is further than numbers go"),
        ({"min": True, "max": 3.0, "distribution": "uniform"}, "min is True: give a number"),
        ({"values": [1.0, math.nan]}, "has the value NaN, which is no number to try"),
        ({"values": [[0.0, {"a": math.inf}]]}, "Infinity.*, which is no number to try"),
        ({"value": -math.inf}, "has the value -Infinity"),
        ({"values": [1, 2], "probabilities": [1]}, "must be 2 numbers"),
        ({"values": [1, 2], "probabilities": [1.5, -0.5]}, "whose sum is 1"),
        ({"values": [1, 2], "probabilities": [math.nan, 1]}, "whose sum is 1"),
        ({"values": [1, 2], "probabilities": [True, 0]}, "must be 2 numbers"),
        ({"values": [1, 2], "probabilities": {"1": 1}}, "must be 2 numbers"),
        ({"values": {"a": 1}}, "so there is no trial to run"),
        ({"distribution": None, "min": 0, "max": 1}, "draws from no distribution null"),
        ({"distribution": "constant"}, "is constant and has no value"),
    ],
)
def test_a_parameter_that_cannot_be_drawn_is_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(UserError, match=says):
        parameter("lr", given, "sweep.yaml")


def test_numbers_beyond_floats_are_refused_when_they_are_drawn() -> None:
    with pytest.raises(UserError, match=r"parameters\.x draws numbers that are too large"):
        drawn(distribution="log_normal", mu=1e4)


PROPER = st.fixed_dictionaries(
    {
        "distribution": st.sampled_from([*DISTRIBUTIONS]),
        **{name: st.integers(-9, 9) | st.floats() for name in ("min", "max", "mu", "sigma", "q")},
    }
)


@settings(max_examples=300, deadline=None)
@given(given=PROPER, seed=st.integers(0, 9))
def test_what_is_not_refused_can_be_drawn(given: dict[str, object], seed: int) -> None:
    kind = DISTRIBUTIONS[given["distribution"]]
    known = ["distribution", *kind.takes, *(["q"] if kind.rounds else [])]
    try:
        value = parameter("x", {key: given[key] for key in known}, "sweep.yaml").draw(np.random.default_rng(seed))
    except UserError:
        return
    assert math.isfinite(value)
    if "min" in kind.takes and not kind.rounds:
        slack = 1e-9 * (abs(given["min"]) + abs(given["max"]))  # of logarithms and back
        assert given["min"] - slack <= value <= given["max"] + slack


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
