from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ganlit.errors import UserError
from ganlit.studies.sweeps.definition import read
from ganlit.studies.sweeps.trials import expand, freeze, load, resolved, short, told, write

LR = "model.init_args.generator_optimizer.init_args.lr"

Made = Callable[..., Path]


def values(folder: Path) -> list[tuple[object, ...]]:
    return [tuple(one.values()) for one in expand(read(folder))]


def test_a_grid_is_the_product_of_which_the_last_varies_fastest(sweep_of: Made) -> None:
    folder = sweep_of("grid", {LR: {"values": [0.1, 0.2]}, "seed": {"values": [0, 1]}, "kimg": {"value": 1}})
    assert values(folder) == [(0.1, 0, 1), (0.1, 1, 1), (0.2, 0, 1), (0.2, 1, 1)]


def test_a_random_sweep_is_the_same_again_and_may_grow(sweep_of: Made) -> None:
    parameters = {LR: {"min": 0.0, "max": 1.0}, "seed": {"min": 0, "max": 9}}
    few = values(sweep_of("random", parameters, method="random", run_cap=4))
    assert few == values(sweep_of("random", parameters, method="random", run_cap=4))
    assert few == values(sweep_of("random", parameters, method="random", run_cap=9))[:4]
    parameters["seed"]["max"] = 10
    assert few != values(sweep_of("random", parameters, method="random", run_cap=4))


def test_a_random_sweep_has_no_trial_twice(sweep_of: Made) -> None:
    parameters = {"seed": {"values": [0, 1, 2]}}
    assert sorted(values(sweep_of("few", parameters, method="random", run_cap=3))) == [(0,), (1,), (2,)]
    with pytest.raises(UserError, match="run_cap is 4, but the parameters have only 3 different settings"):
        values(sweep_of("few", parameters, method="random", run_cap=4))


def test_names_are_as_short_as_they_can_be() -> None:
    other = LR.replace("generator", "discriminator")
    assert short([LR, "seed"]) == {LR: "lr", "seed": "seed"}
    assert short([LR, other]) == {LR: "generator_optimizer.lr", other: "discriminator_optimizer.lr"}
    assert told({LR: 0.1, "config": "a.yaml", "betas": [0, None]}) == "lr=0.1, config=a.yaml, betas=[0, null]"


def test_trials_are_frozen_once_and_may_be_added_to(sweep_of: Made) -> None:
    folder = sweep_of("0001-frozen", {LR: {"values": [0.1]}, "seed": {"values": [0]}})
    freeze(read(folder))
    path = folder / "trials" / "0001.yaml"
    config = yaml.safe_load(path.read_text())
    assert config["name"] == "0001"
    assert config["trainer"]["default_root_dir"] == "runs/0001-frozen"
    assert config["model"]["init_args"]["generator_optimizer"]["init_args"]["lr"] == 0.1
    assert load(path).values == {LR: 0.1, "seed": 0}
    assert load(path).length == 0.1
    before = path.stat()
    path.with_name("0001-old.yaml").write_text("a copy by hand")
    sweep_of("0001-frozen", {LR: {"values": [0.1]}, "seed": {"values": [0, 1]}})
    assert [*freeze(read(folder))] == [1, 2]
    assert path.stat().st_mtime_ns == before.st_mtime_ns

    sweep_of("0001-frozen", {LR: {"values": [0.2]}, "seed": {"values": [0, 1]}})
    with pytest.raises(UserError, match=r"0001.yaml is frozen with lr=0.1, seed=0, but sweep.yaml now gives lr=0.2"):
        freeze(read(folder))
    sweep_of("0001-frozen", {LR: {"values": [0.1]}, "seed": {"values": [0]}})
    with pytest.raises(UserError, match="now has 1 trials, but 2 are frozen"):
        freeze(read(folder))
    sweep_of("0001-frozen", {LR: {"values": [0.1]}, "seed": {"values": [0]}}, command=["fit", "--kimg=1", "${args}"])
    with pytest.raises(
        UserError, match=r"frozen from `fit --config tiny.yaml`, but sweep.yaml now says `fit --kimg=1`"
    ):
        freeze(read(folder))


@pytest.mark.parametrize("method", ["grid", "bayes"])
def test_files_that_have_changed_since_are_named(sweep_of: Made, method: str) -> None:
    own, overlay = Path(f"{method}.yaml"), Path(f"{method}-overlay.yaml")
    own.write_text(Path("tiny.yaml").read_text())
    overlay.write_text("seed: 4\nkimg: 0.2\n")
    command = ["fit", "--config", own.name, "${args}"]
    asked = {"metric": {"name": "fid"}, "run_cap": 2} if method == "bayes" else {}
    parameters = {"config": {"values": [overlay.name]}, LR: {"values": [0.1]}}
    sweep = read(sweep_of(f"{method}-of-files", parameters, method=method, command=command, **asked))
    write(sweep.trial(1), resolved(sweep, 1, {"config": overlay.name, LR: 0.1}))
    before = sweep.trial(1).read_bytes()

    overlay.write_text("# as before\nkimg: 0.2\nseed: 4\n")
    assert [*freeze(sweep)] == [1]
    longer = own.read_text().replace("kimg: 0.1", "kimg: 0.3")
    for file, text in [(own, longer), (overlay, "seed: 5\nkimg: 0.2\n"), (overlay, "no: [configuration")]:
        then = file.read_text()
        file.write_text(text)
        with pytest.raises(UserError, match=rf"^{file} changed after {sweep.trial(1)} was frozen: take that back"):
            freeze(sweep)
        file.write_text(then)
    assert [*freeze(sweep)] == [1]
    assert sweep.trial(1).read_bytes() == before
    own.write_text(longer)
    overlay.unlink()
    with pytest.raises(UserError, match=rf"^{overlay} and {own} changed after"):
        freeze(sweep)


def test_trials_of_an_older_ganlit_say_nothing_of_files(sweep_of: Made) -> None:
    folder = sweep_of("older", {"seed": {"values": [0]}})
    freeze(read(folder))
    path = folder / "trials" / "0001.yaml"
    lines = path.read_text().splitlines(keepends=True)
    assert lines[2].startswith('# files {"tiny.yaml": "')
    path.write_text("".join(lines[:2] + lines[3:]))
    (trial,) = freeze(read(folder)).values()
    assert (trial.files, trial.config) == ({}, "".join(lines[3:]))


def test_nothing_is_frozen_where_one_trial_cannot_be(sweep_of: Made) -> None:
    key = LR.replace(".lr", ".lrr")
    with pytest.raises(UserError, match=rf"trial 1 \(lrr=1\): unknown key {key}; did you mean {LR}"):
        freeze(read(sweep_of("wrong", {key: {"values": [1]}})))
    with pytest.raises(UserError, match=r"trial 2 \(seed=-1\): seed"):
        freeze(read(sweep_of("wrong", {"seed": {"values": [0, -1]}})))
    with pytest.raises(UserError, match=r"trials 1 \(seed=1\) and 2 \(seed=1\) have the same configuration"):
        freeze(read(sweep_of("wrong", {"seed": {"values": [1, 1]}})))
    assert not Path("experiments/wrong/trials").exists()


def test_the_runs_of_another_sweep_are_left_alone(sweep_of: Made) -> None:
    folder = sweep_of("again", {"seed": {"values": [5]}})
    freeze(read(folder))
    (run := Path("runs/again/0001")).mkdir(parents=True)
    (run / "config.yaml").write_text((folder / "trials/0001.yaml").read_text())
    freeze(read(folder))
    (run / "config.yaml").write_text((folder / "trials/0001.yaml").read_text().replace("seed: 5", "seed: 6"))
    with pytest.raises(UserError, match=r"runs/again/0001 holds the run of another sweep \(seed: 6 -> 5"):
        freeze(read(folder))
