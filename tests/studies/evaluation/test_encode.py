from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from squares import Answer
from torch import Tensor

from ganlit.configuration.rebuild import load
from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError
from ganlit.studies.evaluation.encode import decode, encode

Command = Callable[..., Answer]


@pytest.fixture(scope="module")
def few(place: Path) -> Path:
    for shelf in ("dark", "light"):
        (place / "few" / shelf).mkdir(parents=True, exist_ok=True)
        for file in sorted((place / "squares" / shelf).iterdir())[:3]:
            shutil.copy(file, place / "few" / shelf)
    return place / "few"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.png")}


def metadata(path: Path) -> dict[str, str]:
    with safe_open(path, "pt") as file:
        return file.metadata()


@pytest.mark.parametrize(
    ("name", "kind", "shape"),
    [("vae", "latents", [6, 4]), ("kl", "latents", [6, 2, 8, 8]), ("vq", "codes", [6, 8, 8])],
)
def test_what_is_encoded_and_decoded_is_what_is_translated(
    averages: Path, few: Path, ganlit: Command, name: str, kind: str, shape: list[int]
) -> None:
    run = f"{name}.safetensors"
    answer = ganlit("encode", run, "few", "--out", f"{name}-of-few")
    assert f"{kind} {shape} of 6 images in {name}-of-few.safetensors" in answer.out
    held = load_file(f"{name}-of-few.safetensors")
    assert (held.keys(), list(held[kind].shape)) == ({kind, "labels"}, shape)
    assert held[kind].dtype == (torch.int64 if kind == "codes" else torch.float32)
    paths = json.loads(metadata(averages / f"{name}-of-few.safetensors")["paths"])
    assert paths == sorted(path.removesuffix(".png") for path in content(few))

    assert ganlit("translate", run, "few", "--out", f"{name}-translated").code == 0
    assert "6 images in" in ganlit("decode", run, f"{name}-of-few.safetensors", "--out", f"{name}-decoded").out
    assert content(averages / f"{name}-decoded") == content(averages / f"{name}-translated")


def test_latents_are_means(averages: Path, few: Path, ganlit: Command) -> None:
    assert ganlit("encode", "vae.safetensors", "few/dark", "--out", "means").code == 0
    stored = [torch.from_numpy(np.array(Image.open(path)))[None] for path in sorted((few / "dark").iterdir())]
    source = ImageModality().to_network(torch.stack(stored))
    posterior = load("vae.safetensors").ema.module.encode(source, torch.zeros(3, dtype=torch.int64)).side["posterior"]
    torch.testing.assert_close(load_file("means.safetensors")["latents"], posterior.mean.detach())


def test_classes_go_along(averages: Path, few: Path, ganlit: Command) -> None:
    assert ganlit("encode", "tinted.safetensors", "few", "--out", "tints").code == 0
    assert load_file("tints.safetensors")["labels"].tolist() == [0, 0, 0, 1, 1, 1]
    assert ganlit("decode", "tinted.safetensors", "tints.safetensors", "--out", "tints").code == 0
    assert ganlit("translate", "tinted.safetensors", "few", "--out", "tinted").code == 0
    assert content(averages / "tints") == content(averages / "tinted")


def test_latents_of_other_weights_are_refused(averages: Path, few: Path, ganlit: Command) -> None:
    assert ganlit("encode", "kl.safetensors", "few", "--out", "of-kl").code == 0
    answer = ganlit("decode", "vae.safetensors", "of-kl.safetensors", "--out", "never")
    assert answer.code == 2
    assert "holds latents of other weights, those of kl.safetensors, than vae.safetensors has" in answer.err
    assert not Path("never").exists()


@pytest.fixture(scope="module")
def codes(averages: Path, few: Path) -> Path:
    encode("vq.safetensors", "few", out="codes")
    return averages / "codes.safetensors"


PATHS = ["b", "c", "d", "e", "f"]


@pytest.mark.parametrize(
    ("change", "told", "said"),
    [
        (lambda codes: codes + 20, {}, "has codes from 2[0-9] to 3[0-9]; this run knows 0 to 19"),
        (lambda codes: codes[:4], {}, "does not hold what encode writes"),
        (None, {"paths": json.dumps(["a/../../a", *PATHS])}, "which leads out of any folder: rename it"),
        (None, {"paths": json.dumps(["/a", *PATHS])}, "which leads out of any folder: rename it"),
        (None, {"paths": json.dumps(["b", *PATHS])}, "does not hold what encode writes"),
        (None, {"paths": json.dumps([1, *PATHS])}, "does not hold what encode writes"),
        (None, {"paths": "[1"}, "does not hold what encode writes"),
        (None, {"kind": "latents"}, "is damaged or no safetensors file"),
        (None, {"kind": "labels"}, "does not hold what encode writes"),
    ],
)
def test_a_file_of_anyone_s_making_is_looked_at(
    codes: Path, tmp_path: Path, change: Callable[[Tensor], Tensor] | None, told: dict[str, str], said: str
) -> None:
    held = load_file(codes)
    held["codes"] = (change or torch.Tensor.clone)(held["codes"]).contiguous()
    save_file(held, tmp_path / "mine.safetensors", metadata(codes) | told)
    with pytest.raises(UserError, match=said):
        decode("vq.safetensors", str(tmp_path / "mine.safetensors"), out=str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_codes_that_somebody_s_prior_makes_are_decoded(codes: Path, tmp_path: Path) -> None:
    held, paths = load_file(codes), ["one", "in/two"]
    held = {"codes": torch.randint(20, (2, 8, 8)), "labels": held["labels"][:2]}
    save_file(held, tmp_path / "mine.safetensors", metadata(codes) | {"paths": json.dumps(paths)})
    decode("vq.safetensors", str(tmp_path / "mine.safetensors"), out=str(tmp_path / "new"))
    assert content(tmp_path / "new").keys() == {"one.png", "in/two.png"}


@pytest.mark.parametrize(
    ("command", "words", "said"),
    [
        (encode, ["vae.safetensors", "few", "mine"], "mine.safetensors exists already"),
        (encode, ["vae.safetensors", "few", "few/new"], "would lie among the items of few"),
        (encode, ["mover.safetensors", "few", "a"], "holds a PointMover, which is no autoencoder"),
        (decode, ["vae.safetensors", "mine.safetensors", "a"], "is damaged or no safetensors file"),
        (decode, ["vae.safetensors", "vae.safetensors", "a"], "does not hold what encode writes"),
        (decode, ["vae.safetensors", "nowhere.safetensors", "a"], "nowhere.safetensors does not exist"),
        (decode, ["vae.safetensors", "vae.safetensors", "few"], "few is not an empty folder"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(
    averages: Path, few: Path, command: Callable[..., None], words: list[str], said: str
) -> None:
    Path("mine.safetensors").write_text("mine")
    with pytest.raises(UserError, match=said):
        command(*words[:2], out=words[2])
    assert Path("mine.safetensors").read_text() == "mine"
    assert not Path("a").exists()


def test_a_generator_without_levels_is_told_of(averages: Path, few: Path, ganlit: Command) -> None:
    for command in ("translate", "encode"):
        answer = ganlit(command, "vq.safetensors", "few", "--out", "never", "--levels", "2")
        said = "--levels is 2, but the VQAutoencoder of vq.safetensors has no codes in levels: leave it out."
        assert (answer.code, answer.err) == (2, f"error: {said}\n")
    assert not Path("never").exists()


def test_a_file_holds_latents_of_one_shape_and_not_too_many(
    averages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    for name, width in {"narrow": 16, "wide": 24}.items():
        Image.new("L", (width, 16)).save(tmp_path / "in" / f"{name}.png")
    with pytest.raises(UserError, match=r"wide has a latent of \[2, 8, 12\] while the first has one of \[2, 8, 8\]"):
        encode("kl.safetensors", str(tmp_path / "in"), out=str(tmp_path / "new"), fit="any")
    monkeypatch.setattr("ganlit.studies.evaluation.latents.LARGEST", 2 * 2 * 8 * 8 * 4 - 1)
    with pytest.raises(UserError, match="in has 2 items, whose latents take"):
        encode("kl.safetensors", str(tmp_path / "in"), out=str(tmp_path / "new"), fit="any")
    assert not (tmp_path / "new.safetensors").exists()
