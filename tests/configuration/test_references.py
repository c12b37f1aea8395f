from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf
from omegaconf.errors import InterpolationResolutionError

from ganlit.configuration.references import from_the_top, kept
from ganlit.configuration.resolve import resolve
from ganlit.errors import UserError
from ganlit.records import trust as trusting

ROOT = Path(__file__).parents[2]
MAIN = str(ROOT / "configs" / "stylegan_lite.yaml")


def test_what_follows_the_length_of_a_run_stands_in_its_record_as_it_was_written(tmp_path: Path) -> None:
    record = resolve(["--config", MAIN, "--kimg", "7"])
    tree = yaml.safe_load(record)
    assert tree["trainer"]["callbacks"][0]["init_args"]["end"] == "${kimg}"
    assert tree["model"]["init_args"]["generator"]["init_args"]["resolution"] == 32
    (tmp_path / "config.yaml").write_text(record)
    again = resolve(["--config", str(tmp_path / "config.yaml"), "--kimg", "9"])
    assert yaml.safe_load(again) == {**tree, "kimg": 9.0}


@pytest.mark.parametrize(
    ("text", "path", "absolute"),
    [
        ("${.....kimg}", ("trainer", "callbacks", "0", "init_args", "end"), "${kimg}"),
        ("${..b.c}", ("a", "x", "y"), "${a.b.c}"),
        ("${.x}", ("y",), "${x}"),
        ("${kimg}", ("y",), "${kimg}"),
        ("about ${..kimg} kimg", ("wandb", "notes"), "about ${kimg} kimg"),
    ],
)
def test_references_are_counted_from_the_top(text: str, path: tuple[str, ...], absolute: str) -> None:
    assert from_the_top(text, path) == absolute


def test_only_what_changes_with_a_run_or_is_private_is_kept() -> None:
    written = {"a": ["${..kimg}", "${..x}"], "b": {"c": "${oc.env:HOME}"}, "d": "${kimg}", "e": 1}
    resolved = {"a": [5, 6], "b": {"c": "/root"}, "d": 5, "e": 1, "f": 2}
    assert kept(resolved, written) == {
        "a": ["${kimg}", 6],
        "b": {"c": "${oc.env:HOME}"},
        "d": "${kimg}",
        "e": 1,
        "f": 2,
    }


def test_no_file_reads_the_environment_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "abc123")
    secret = tmp_path / "secret.yaml"
    secret.write_text("data: {init_args: {root: '${oc.env:SECRET}'}}")
    with pytest.raises(InterpolationResolutionError, match=r"\$\{oc.env:SECRET\} would read .* by --trust oc.env"):
        resolve(["--config", MAIN, "--config", str(secret)])
    monkeypatch.setattr(trusting, "known", {*trusting.known, "oc.env"})
    record = resolve(["--config", MAIN, "--config", str(secret)])
    assert "root: ${oc.env:SECRET}" in record
    assert "abc123" not in record
    with pytest.raises(InterpolationResolutionError, match="NOTHING"):
        OmegaConf.to_container(OmegaConf.create({"a": "${oc.env:NOTHING}"}), resolve=True)


def test_a_reference_is_not_typed() -> None:
    with pytest.raises(UserError, match=r"^--trainer.callbacks.end=\$\{kimg\} holds a reference"):
        resolve(["--config", MAIN, "--trainer.callbacks.end=${kimg}"])
