from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ganlit.cli.main import main

CONFIG = """
name: tiny
trainer: {accelerator: cpu}
model:
  class_path: Synthesis
  init_args:
    generator: {class_path: StyleGenerator, init_args: {resolution: "${data.init_args.resolution}"}}
    discriminator: {class_path: StyleDiscriminator, init_args: {resolution: 16}}
    loss: {class_path: NonSaturating}
    regularizers: [{class_path: R1, init_args: {weight: 0.1}}]
    generator_optimizer: {class_path: torch.optim.Adam, init_args: {lr: 0.002}}
    discriminator_optimizer: {class_path: torch.optim.Adam, init_args: {lr: 0.002}}
data:
  class_path: Images
  init_args: {source: digits, resolution: 32}
"""
GENERATOR = "model.init_args.generator.init_args"
OPTIMIZER = "model.init_args.generator_optimizer"


@pytest.fixture
def refusal(tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What `fit` says to a configuration file in which one value is changed, or to further arguments."""
    monkeypatch.chdir(tmp_path)

    def ask(key: str | None, value: Any = None, *args: str) -> str:
        config = yaml.safe_load(CONFIG)
        if key is not None:
            *path, last = (int(part) if part.isdigit() else part for part in key.split("."))
            place = config
            for part in path:
                place = place[part] if isinstance(part, int) else place.setdefault(part, {})
            place[last] = value
        Path("tiny.yaml").write_text(yaml.safe_dump(config))
        assert main(["fit", "--config", "tiny.yaml", *args]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        return err.removeprefix("error: ").rstrip("\n")

    return ask


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("kimgs", 3, "unknown key kimgs; did you mean kimg?"),
        ("trainer.max_epoch", 3, "unknown key trainer.max_epoch; did you mean trainer.max_epochs?"),
        ("fidelity.precisio", "bf16", "unknown key fidelity.precisio; did you mean fidelity.precision?"),
        ("model.init_args.los", "x", "unknown key model.init_args.los; did you mean model.init_args.loss?"),
        (f"{GENERATOR}.chanels", 1, f"unknown key {GENERATOR}.chanels; did you mean {GENERATOR}.channels?"),
        ("data.init_args.rez", 1, None),
        (
            "model.init_args.regularizers.0.init_args.wait",
            1,
            "unknown key model.init_args.regularizers.init_args.wait; "
            "did you mean model.init_args.regularizers.init_args.weight?",
        ),
        (f"{OPTIMIZER}.init_args.beta", [0], f"unknown key {OPTIMIZER}.init_args.beta; did you mean "
         f"{OPTIMIZER}.init_args.betas?"),
        ("model.generator", 1, "model: expected class_path and init_args, and nothing beside them"),
    ],
)  # fmt: skip
def test_unknown_keys_are_named_in_full_beside_the_nearest(
    refusal: Any, key: str, value: Any, sentence: str | None
) -> None:
    if sentence is None:
        assert refusal(key, value).startswith(f"unknown key {key}; known here: batch, channels, convert")
    else:
        assert refusal(key, value) == sentence


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("trainer.max_epochs", "many", "int"),
        (f"{GENERATOR}.classes", "ten", "int"),
        (f"{OPTIMIZER}.init_args.lr", "fast", "float"),
        ("data.init_args.labels", "perhaps", "bool or Literal['renumber']"),
        ("fidelity.precision", "fp8", "Literal['fp32', 'bf16']"),
    ],
)
def test_wrong_types_are_named_with_the_key_and_the_value(refusal: Any, key: str, value: Any, expected: str) -> None:
    assert refusal(key, value) == f"{key}: expected {expected}, got {value}"


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("kimg", -1, "kimg is -1.0: it must be above 0 and at most 1e+09."),
        ("kimg", 0, "kimg is 0.0: it must be above 0 and at most 1e+09."),
        ("kimg", "long", "kimg: expected float, got long"),
        ("kimg", float("inf"), "kimg is inf: it must be a finite number above 0 and at most 1e+09."),
        ("kimg", None, "kimg is null: it must be a finite number above 0 and at most 1e+09."),
        ("seed", 1.5, "seed: expected int, got 1.5"),
        ("seed", -1, "seed is -1: it must be at least 0 and below 4,294,967,296."),
        ("seed", 2**32, "seed is 4294967296: it must be at least 0 and below 4,294,967,296."),
    ],
)
def test_so_are_values_out_of_range(refusal: Any, key: str, value: Any, sentence: str) -> None:
    assert refusal(key, value) == sentence


@pytest.mark.parametrize(
    ("key", "name", "nearest"),
    [
        ("model", "Synthesiss", "Synthesis"),
        ("model.init_args.generator", "StyleGenerater", "StyleGenerator"),
        ("model.init_args.loss", "NonSaturated", "NonSaturating"),
        ("model.init_args.regularizers.0", "R11", "R1"),
        ("data", "Image", "Images"),
    ],
)
def test_unknown_classes_are_named_beside_the_nearest(refusal: Any, key: str, name: str, nearest: str) -> None:
    where = key.removesuffix(".0")
    assert refusal(f"{key}.class_path", name) == f"{where}: no class {name} fits here; did you mean {nearest}?"


def test_a_class_of_another_kind_does_not_fit(refusal: Any) -> None:
    assert "model.init_args.loss: no class R1 fits here" in refusal("model.init_args.loss", {"class_path": "R1"})
    assert f"{OPTIMIZER}: no class Adm fits here" in refusal(f"{OPTIMIZER}.class_path", "torch.optim.Adm")


def test_the_command_line_is_refused_like_a_file(refusal: Any) -> None:
    assert refusal(None, None, "--kimgs", "3") == "unknown key kimgs; did you mean kimg?"
    assert refusal(None, None, "--trainer.max_epoch=3").startswith("unknown key trainer.max_epoch; did you mean")
    wanted = f"unknown key {GENERATOR}.chanels; did you mean {GENERATOR}.channels?"
    assert refusal(None, None, "--model.generator.chanels=3") == wanted
    assert refusal(None, None, f"--{GENERATOR}.chanels=3") == wanted
    assert refusal(None, None, "--model.generator.classes=x") == f"{GENERATOR}.classes: expected int, got x"
    assert refusal(None, None, "other.yaml").startswith("unexpected argument other.yaml: a configuration file is given")


def test_what_is_missing_is_named(refusal: Any, capsys: pytest.CaptureFixture) -> None:
    assert (
        refusal("model.init_args.generator", {"class_path": "StyleGenerator"}) == f"missing key {GENERATOR}.resolution"
    )
    Path("empty.yaml").write_text("kimg: 3")
    assert main(["fit", "--config", "empty.yaml"]) == 2
    assert capsys.readouterr().err == "error: missing key data, model\n"
    assert refusal(None, None, "--config", "none.yaml").endswith("none.yaml'")
    assert "none.ckpt does not exist" in refusal(None, None, "--ckpt_path", "none.ckpt")


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (
            "data.init_args.source",
            "???",
            "data.init_args.source is ???, which the configuration leaves to you: give it by "
            "--data.init_args.source=VALUE.",
        ),
        (
            "data.init_args",
            {"source": "???", "split": "???", "resolution": 32},
            "data.init_args.source and data.init_args.split are ???, which the configuration leaves to you: give them "
            "by --data.init_args.source=VALUE --data.init_args.split=VALUE.",
        ),
        ("data.init_args.resolution", "???", "data.init_args.resolution: expected int, got ???"),
        ("kimg", "???", "kimg: expected float, got ???"),
    ],
)
def test_what_a_file_leaves_open_is_asked_for(refusal: Any, key: str, value: Any, sentence: str) -> None:
    assert refusal(key, value) == sentence
    assert not Path("runs").exists()


def test_a_reference_that_leads_nowhere_is_named(refusal: Any) -> None:
    sentence = refusal(f"{GENERATOR}.channels", "${data.init_args.chanels}")
    assert sentence.startswith(f"{GENERATOR}.channels: ")
    assert "data.init_args.chanels" in sentence


def test_a_file_that_is_not_a_configuration_is_named(refusal: Any) -> None:
    Path("broken.yaml").write_text("a: [1\nb: 2")
    assert "broken.yaml" in refusal(None, None, "--config", "broken.yaml")
    Path("list.yaml").write_text("- 1\n- 2\n")
    assert "list.yaml" in refusal(None, None, "--config", "list.yaml")
