"""A run directory of commit 86cc25d, which names classes by the places that they had then, does all that it did."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import torch
import yaml

from ganlit import load
from ganlit.cli.main import main
from ganlit.configuration.rebuild import setting
from ganlit.configuration.resolve import resolve
from ganlit.data.images.images import Images
from ganlit.losses.regularizers.gradient import R1
from ganlit.records import durable
from ganlit.records.moved import ADDED, MOVED, current
from ganlit.records.resume import differences
from ganlit.records.settings import fingerprint
from ganlit.studies.sweeps.definition import read
from ganlit.studies.sweeps.trials import freeze

OLD = Path(__file__).parent / "old_run"
LOSS = "ganlit.losses.adversarial.Hinge"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setenv("GANLIT_CACHE", str(tmp_path / "cache"))
    shutil.copytree(OLD, tmp_path / "runs" / "old_run")
    return Path("runs/old_run")


def test_every_place_of_the_table_is_there() -> None:
    for place in MOVED.values():
        try:
            import_module(place)
        except ModuleNotFoundError:
            module, _, name = place.rpartition(".")
            assert hasattr(import_module(module), name)


def test_names_are_replaced_as_wholes() -> None:
    assert current("a: ganlit.data.images.Images") == "a: ganlit.data.images.images.Images"
    assert current("ganlit.regularizers.gradient.R1") == "ganlit.losses.regularizers.gradient.R1"
    for today in ("ganlit.data.images.images.Images", "ganlit.networks.images.dcgan.DCGenerator", "my.ganlit.strategy"):
        assert current(today) == today
    assert current("ganlit.strategyx") == "ganlit.strategyx"


@pytest.mark.parametrize("place", ADDED)
def test_what_a_class_takes_since_then_is_its_default_and_no_difference(place: str) -> None:
    module, _, name = place.rpartition(".")
    signatures = [
        inspect.signature(each.__init__).parameters for each in getattr(import_module(module), name).__mro__[::-1]
    ]
    known = {key: each.default for signature in signatures for key, each in signature.items()}
    for key, value in ADDED[place].items():
        assert (list(known[key]) if isinstance(known[key], tuple) else known[key]) == value
    key = next(iter(ADDED[place]))
    old, today, other = (
        {"model": {"class_path": place, "init_args": {"size": 3, **more}}}
        for more in ({}, ADDED[place], ADDED[place] | {key: "another"})
    )
    assert differences(old, today) == {}
    assert fingerprint(old) == fingerprint(today)
    assert list(differences(old, other)) == [f"model.init_args.{key}"]
    assert fingerprint(old) != fingerprint(other)


def test_it_is_loaded_as_it_was(run: Path) -> None:
    module = load(run)
    assert isinstance(module.regularizers[0], R1)
    state = durable.load(run / "checkpoints" / "last.ckpt")["state_dict"]
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
    alone = load(run / "checkpoints" / "ema.safetensors")
    assert all(torch.equal(*pair) for pair in zip(alone.ema.parameters(), module.ema.parameters(), strict=True))
    data = setting(run).data
    assert isinstance(data, Images)
    assert (data.source, data.batch, data.seed) == ("digits", 20, 3)


def test_it_is_generated_from_evaluated_and_reported(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", str(run), "--count", "2"]) == 0
    assert main(["report", "runs"]) == 0
    assert "1 done" in capsys.readouterr().out
    assert (run / "generated" / "000001.png").exists()


def test_it_is_resumed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fit", "--config", str(run / "config.yaml"), "--resume", "--kimg", "0.4"]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "resuming runs/old_run/checkpoints/last.ckpt" in told
    assert "changed" not in told
    assert durable.load(run / "checkpoints" / "last.ckpt")["images_seen"] == 400
    assert "ganlit.losses.regularizers.gradient.R1" in (run / "config.yaml").read_text()


def test_names_typed_by_old_scripts_and_frozen_by_old_sweeps_are_understood(run: Path) -> None:
    words = ["--model.init_args.discriminator=ganlit.networks.dcgan.DCDiscriminator"]
    config = yaml.safe_load(resolve(["--config", str(run / "config.yaml"), *words, "--name=x"]))
    found = config["model"]["init_args"]["discriminator"]["class_path"]
    assert found == "ganlit.networks.images.dcgan.DCDiscriminator"
    folder = Path("experiments/0001-old")
    folder.mkdir(parents=True)
    key, old = "model.init_args.regularizers", "ganlit.regularizers.gradient.R1"
    values = [[{"class_path": old, "init_args": {"weight": weight}}] for weight in (1.0, 2.0)]
    base = ["fit", "--config", str(run / "config.yaml"), f"--model.init_args.loss={LOSS}"]
    sweep = {"method": "grid", "parameters": {key: {"values": values}}, "command": [*base, "${args}"]}
    (folder / "sweep.yaml").write_text(yaml.safe_dump(sweep))
    frozen = freeze(read(folder))
    for path in (folder / "trials").glob("*.yaml"):  # as the older code has written them
        path.write_text(path.read_text().replace("ganlit.losses.regularizers", "ganlit.regularizers"))
    again = freeze(read(folder))
    assert [trial.config for trial in again.values()] == [trial.config for trial in frozen.values()]


def test_it_is_the_same_setting_as_a_run_of_today(run: Path) -> None:
    old = (run / "config.yaml").read_text()
    assert main(["fit", "--config", str(run / "config.yaml"), "--name", "again", "--seed", "4"]) == 0
    today = Path("runs/again/config.yaml").read_text()
    assert fingerprint(yaml.safe_load(old)) == fingerprint(yaml.safe_load(today))
