"""Every YAML of text that is shipped: parsed, built, run for two steps on texts of its kind, and measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from ganlit.cli.commands import GanlitCLI
from ganlit.cli.main import main
from ganlit.metrics.protocol import meant

CONFIGS = sorted((Path(__file__).parents[1] / "configs" / "text").glob("*.yaml"))
MINIATURE = [
    "--data.init_args.batch=4",
    "--data.init_args.val_images=4",
    "--data.init_args.test_images=4",
    "--kimg=0.008",
]
VERBS = ["walk", "run", "sit", "sing", "read", "wait", "dance", "sleep"]
BOTH = ["adversarial.start=0.004", "adversarial.lead=0.004", "n_critic=1"]
"""The discriminator from the first step on, its verdict from the second."""

SMALL = {
    "seqgan_oracle": [
        *BOTH,
        "likelihood.end=1",
        "discriminator.filters=[2]",
        "discriminator.windows=[2]",
        "estimator.rollouts=1",
    ],
    "relgan_coco": [
        *BOTH,
        "estimator.temperature.start=0",
        "generator.head=4",
        "discriminator.filters=[2,2,2,2]",
        "discriminator.representations=2",
    ],
    "wgan_gp_characters": ["generator.width=4", "discriminator.width=4", "n_critic=1"],
    "lm_baseline": ["generator.width=8", "generator.layers=1"],
    "names": [*BOTH, "generator.hidden=8", "discriminator.filters=[2,2,2,2]"],
}
"""Of the model, as small as a test affords."""


OWN = {"seqgan_oracle": ["count=8", "symbols=30", "hidden=4"]}
"""Of the data; the others are given a file."""


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_config_of_text_runs(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setenv("GANLIT_CACHE", str(tmp_path / "cache"))
    own = OWN.get(config.stem, [f"source={written(tmp_path)}"])
    small = [f"--data.init_args.{option}" for option in own]
    small += [f"--model.init_args.{option}" for option in SMALL[config.stem]]
    given = [*MINIATURE, *small, f"--trainer.default_root_dir={tmp_path}", "--trainer.accelerator=cpu"]
    cli = GanlitCLI(["fit", "--config", str(config), *given])
    assert cli.config.fit.name == config.stem
    assert cli.model.images_seen == 8
    folder = tmp_path / config.stem
    assert {"config.yaml", "metrics.csv", "overview.png", "samples"} <= {path.name for path in folder.iterdir()}
    assert (folder / "vocabulary.json").exists() == (config.stem not in OWN)
    asked = yaml.safe_load(config.read_text())["fidelity"]["metrics"]
    found = (folder / "metrics.csv").read_text().splitlines()[0].split(",")
    assert all(any(meant(metric, name) for name in found) for metric in asked)


def written(folder: Path) -> Path:
    """A file of short lines that are not alike, and so a text of words, of characters or of windows."""
    file = folder / "texts.txt"
    file.write_text("".join(f"{name} {verb}s\n" for name in ("Ann", "Ben", "Cy", "Dee") for verb in VERBS))
    return file


def test_a_run_of_texts_is_loaded_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    test_a_config_of_text_runs(next(path for path in CONFIGS if path.stem == "names"), tmp_path, monkeypatch)
    run, out = str(tmp_path / "names"), tmp_path / "new"
    assert main(["generate", run, "--count", "3", "--out", str(out / "each")]) == 0
    assert "3 texts in" in capsys.readouterr().out
    assert [path.name for path in sorted((out / "each").iterdir())] == [f"00000{number}.txt" for number in range(3)]
    likeliest = ["--temperature", "0", "--prefix", "Ann"]
    assert main(["generate", run, "--count", "3", "--out", str(out / "some.txt"), *likeliest]) == 0
    first, *others = (out / "some.txt").read_text().splitlines()
    assert first.startswith("Ann")
    assert others == [first] * 2
    assert main(["generate", run, "--seeds", "2,0", "--seed", "5", "--out", str(out / "b.jsonl"), *likeliest]) == 0
    facts = {"seed": 5, "temperature": 0, "prefix": "Ann"}
    lines = [json.loads(line) for line in (out / "b.jsonl").read_text().splitlines()]
    assert lines == [{"text": first, "number": number, **facts} for number in (2, 0)]
    assert main(["generate", run, "--seeds", "2", "--out", str(out / "c.jsonl")]) == 0
    assert json.loads((out / "c.jsonl").read_text())["text"] + "\n" == (out / "each" / "000002.txt").read_text()
    for name, length in (("short", 2), ("long", 40)):
        words = ["--seeds", "0-7", "--length", f"{length}", "--out", str(out / f"{name}.jsonl")]
        assert main(["generate", run, *words]) == 0
    short, long = ([json.loads(line) for line in (out / name).open()] for name in ("short.jsonl", "long.jsonl"))
    assert [line["text"] for line in short] == [line["text"][:2] for line in long]
    assert {line["length"] for line in short} == {2}
    assert 16 < max(len(line["text"]) for line in long) <= 40
    capsys.readouterr()
    monkeypatch.chdir(tmp_path)
    assert (
        main(["evaluate", run, "--metrics", "distinct1-characters,copies", "--temperature", "0", "--count", "4"]) == 0
    )
    told = capsys.readouterr().out
    assert "ema-t0" in told
    own = (tmp_path / "names" / "vocabulary.json").read_text()
    (tmp_path / "names" / "vocabulary.json").write_text(own.replace('"A", "B"', '"B", "A"'))
    for words in (["generate", run, "--out", str(out / "d.txt")], ["evaluate", run, "--metrics", "copies"]):
        assert main(words) == 2
        assert "is not that of its training, but of another one" in capsys.readouterr().err
    (tmp_path / "names" / "vocabulary.json").write_text(own)
    for options, said in REFUSED.items():
        assert main([*options[:1], run, *options[1:]]) == 2
        assert said in " ".join(capsys.readouterr().err.split())


REFUSED = {
    ("generate", "--prefix", "An\u00eb"): "--prefix has '\u00eb', which is no symbol of the training's vocabulary",
    ("generate", "--prefix", "Ann" * 6): "--prefix has 18 characters, more than the 16 of a text: shorten it",
    ("generate", "--prefix", "Ann", "--length", "2"): "--prefix has 3 characters, more than the 2 of a text",
    ("generate", "--length", "0"): "--length is 0: it must be at least 1",
    ("generate", "--temperature=-1"): "--temperature is -1.0: it must be at least 0",
    ("generate", "--truncation", "0.5"): "LSTMGenerator in",
    ("generate", "--fps", "5"): "--fps: texts have no frames",
    ("generate", "--out", "texts.txt"): "--out texts.txt exists already: name a new file",
    ("evaluate", "--metrics", "nll", "--temperature", "2"): "nll asks the generator as it was trained",
}
