"""No file runs code: what a name in it may import, on every command and in every slot."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file

from ganlit.cli.main import main
from ganlit.configuration.rebuild import build, load
from ganlit.errors import UserError
from ganlit.records import trust as trusting
from ganlit.records.trust import imported, trust, trusted

RUN = Path(__file__).with_name("old_run")


def config() -> dict[str, Any]:
    return yaml.safe_load((RUN / "config.yaml").read_text())


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a module leaves that is imported, or a command that is run, in a folder that is on the import path."""
    place = tmp_path / "mark"
    (tmp_path / "evil.py").write_text(
        f"open({str(place)!r}, 'w').close()\nclass Net: pass\ndef make(*_): return Net()\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return place


def slots(mark: Path) -> list[tuple[str, Any]]:
    """Where a class stands in a configuration, and what an attacker would put there."""
    call = {"class_path": "os.system", "init_args": {"command": f"touch {mark}"}}
    net = {"class_path": "evil.Net"}
    parts = ("generator", "discriminator", "loss", "augment", "ema", "generator_optimizer", "discriminator_optimizer")
    return [
        *[(f"model.init_args.{part}", evil) for part in parts for evil in (call, "evil.make")],
        ("model.init_args.regularizers", [net]),
        ("model.init_args.generator_regularizers", [call]),
        ("model", net),
        ("model", "evil.Net"),
        ("data", call),
        ("data", "evil.Net"),
    ]


def changed(key: str, value: Any) -> dict[str, Any]:
    tree = place = config()
    *path, last = key.split(".")
    for part in path:
        place = place[part]
    place[last] = value
    return tree


def test_data_files_run_nothing(mark: Path, capsys: pytest.CaptureFixture) -> None:
    for number, (key, value) in enumerate(slots(mark)):
        tree = yaml.safe_dump(changed(key, value))
        weights = Path(f"{number}.safetensors")
        save_file({"x": torch.zeros(1)}, weights, {"ganlit": "0", "config": tree, "images_seen": "1"})
        run = Path(f"run{number}")
        (run / "checkpoints").mkdir(parents=True)
        (run / "config.yaml").write_text(tree)
        os.link(RUN / "checkpoints" / "last.ckpt", run / "checkpoints" / "last.ckpt")
        if not key.startswith("data"):
            for file in (weights, run):
                with pytest.raises(UserError):
                    load(file)
        told = [["fit", "--config"], ["prepare", "--config"], ["validate", "--config"], ["evaluate"]]
        command = told[number % len(told)]
        assert main([*command, str(run / "config.yaml" if "--config" in command else run)]) == 2, command
        said = capsys.readouterr().err
        assert said.startswith("error: ")
        assert said.count("\n") == 1, said
        assert not mark.exists(), (key, value, command)
    assert "evil" not in sys.modules


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("trainer.callbacks", [{"class_path": "evil.Net"}]),
        ("trainer.callbacks", [{"class_path": "LambdaCallback", "init_args": {"on_fit_start": "os.getcwd"}}]),
        ("trainer.logger", {"class_path": "evil.Net"}),
        ("trainer.strategy", {"class_path": "evil.Net"}),
        ("trainer.plugins", [{"class_path": "evil.Net"}]),
        ("fidelity", {"class_path": "evil.Net"}),
        ("fidelity", {"class_path": "ganlit.callbacks.fidelity.Fidelity", "init_args": {"metrics": ["fid@evil.Net"]}}),
        ("recovery", {"class_path": "evil.Net"}),
        ("wandb", {"class_path": "evil.Net"}),
    ],
)
def test_so_do_other_slots_of_a_shared_configuration(mark: Path, key: str, value: Any) -> None:
    Path("shared.yaml").write_text(yaml.safe_dump(changed(key, value)))
    assert main(["fit", "--config", "shared.yaml", "--kimg=0.01"]) == 2
    assert not mark.exists()


def test_so_does_what_is_typed_and_not_trusted(mark: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["evaluate", str(RUN), "--metrics", "fid@evil.Net"]) == 2
    said = capsys.readouterr().err
    assert "evil.Net is not ganlit's own" in said
    assert "--trust evil" in said
    assert not mark.exists()


def test_what_a_trusted_module_imports_for_itself_is_not_trusted() -> None:
    for path in ("ganlit.data.base.torch.load", "ganlit.networks.layers.torch.hub.load", "torch.nn.Module.__class__"):
        with pytest.raises(UserError, match="not ganlit's own"):
            imported(path)
    assert imported("torch.optim.Adam") is torch.optim.Adam


@pytest.mark.parametrize("path", ["torchx.nn", "torch", "torch.hub.load", "ganlit.cli.main.main", "ganlitx.data", "os"])
def test_names_that_only_look_alike_are_not_trusted(path: str) -> None:
    assert not trusted(path)


def test_the_user_may_trust(mark: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trusting, "known", set(trusting.known))
    monkeypatch.setenv("GANLIT_TRUST", "squares")
    with pytest.raises(UserError, match="no module: give names"):
        trust(["my-package"])
    with pytest.raises(UserError, match="would let files decide"):
        trust(["jsonargparse.typing"])
    trust(["evil", " "])
    assert os.environ["GANLIT_TRUST"] == "evil,squares"  # for the processes of other ranks and trials
    assert imported("evil.Net").__name__ == "Net"
    assert mark.exists()


def test_a_class_of_another_family_is_refused_though_it_is_trusted() -> None:
    tree = changed("model.init_args.generator_optimizer", {"class_path": "torch.nn.Linear"})
    with pytest.raises(UserError, match="Optimizer"):
        build(yaml.safe_dump(tree), Path("none"))


def test_an_old_run_is_loaded_all_the_same() -> None:
    assert load(RUN).images_seen > 0
