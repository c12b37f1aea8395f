"""Every YAML that is shipped: parsed, built, and run for two steps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from ganlit.cli.commands import GanlitCLI
from ganlit.data.audio.modality import AudioModality
from ganlit.data.images.modality import ImageModality
from ganlit.data.plane.modality import PlaneModality
from ganlit.data.text.modality import TextModality
from ganlit.data.video.modality import VideoModality
from ganlit.metrics.groups import grouped

CONFIGS = Path(__file__).parents[1] / "configs"
MINIATURE = ["--data.init_args.batch=4", "--data.init_args.val_images=4", "--kimg=0.008", "--fidelity=null"]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What one config has decoded is there for all, as at home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANLIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(4):
        pixels = np.random.default_rng(index).integers(0, 256, (40, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> GanlitCLI:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    root = f"--trainer.default_root_dir={tmp_path}"
    return GanlitCLI(["fit", *arguments, *MINIATURE, root, "--trainer.accelerator=cpu"])


def check(cli: GanlitCLI, tmp_path: Path) -> None:
    assert cli.model.images_seen == 8
    folder = tmp_path / cli.config.fit.name
    assert {"config.yaml", "metrics.csv", "overview.png"} <= {path.name for path in folder.iterdir()}
    assert (folder / "checkpoints" / "last.ckpt").exists()


EARLY = ["--model.init_args.adversarial.start=0.004", "--model.init_args.adversarial.lead=0"]
"""The adversarial term counts from the second step on."""

LARGE = [*EARLY, "--data.init_args.resolution=64", "--model.init_args.generator.width=8"]
"""What is for a GPU, as small as a test affords, and by weights that are there."""

MINIATURES = {
    "vqgan": EARLY,
    "inversion": ["--from=null", "--fresh=null"],  # there is no run of the generator
    "kl_f8": [*LARGE, "--model.init_args.criteria=[L1, KL]"],
    "vqgan_f16": [
        *LARGE,
        "--model.init_args.criteria=[L1, Codebook, Commitment]",
        "--model.init_args.generator.attention=[4]",
        "--model.init_args.generator.quantizer.codes=64",
    ],
}


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_config_runs(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: Path) -> None:
    own = [f"--data.init_args.source={photos}"] if "???" in config.read_text() else []
    cli = run(tmp_path, monkeypatch, "--config", str(config), *MINIATURES.get(config.stem, []), *own)
    assert cli.config.fit.name == config.stem
    check(cli, tmp_path)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Two squares beside one another in each picture, in splits."""
    folder = tmp_path / "pairs"
    for index in range(8):
        pixels = np.random.default_rng(index).integers(0, 256, (64, 128, 3), dtype=np.uint8)
        place = folder / ("train" if index < 4 else "val")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{index}.png")
    return folder


@pytest.fixture
def sides(tmp_path: Path) -> Path:
    """Squares of one path in two folders, in splits, and maps of their labels in a third."""
    folder = tmp_path / "sides"
    for index, (side, shape) in product(range(8), {"A": (40, 40, 3), "B": (40, 40, 3), "labels": (40, 40)}.items()):
        pixels = np.random.default_rng(index).integers(0, 151, shape, dtype=np.uint8)
        place = folder / side / ("train" if index < 6 else "test")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{index}.png")
    return folder


def sized(resolution: int, *players: str) -> list[str]:
    """Small images, and networks that are narrow: the players by name and with what makes them shallow."""
    return [f"--data.init_args.resolution={resolution}", *(f"--model.init_args.{player}" for player in players)]


PATCHES = ["discriminator.width=4", "discriminator.field=16"]
PIX2PIX = sized(32, "generator.depth=5", "generator.width=2", *PATCHES)
HORSES = ["--data.init_args.tile=36", "--data.init_args.target=PAIRS/val", "--data.init_args.fit=crop"]
NARROW = {"blocks": 1, "width": 4}
APART = [f"--data.init_args.{name}=SIDES/{side}" for name, side in {"source": "A", "target": "B"}.items()]
SMALL = [*sized(32, "generator.depth=3", "discriminator.width=4"), "--data.init_args.tile=40"]
BOTH = ("there", "back")
TILES = [*EARLY, "--data.init_args.tile=48", "--data.init_args.held_out=null", "--model.init_args.criteria=[L1]"]
OURS = ["--data.init_args.source=PAIRS/val", "--data.init_args.fit=crop", "--data.init_args.held_out=null"]
OF_DATA = {
    "pix2pix_facades": [*PIX2PIX, "--data.init_args.tile=36"],
    "pix2pix_edges2photo": [*PIX2PIX, "--data.init_args.fit=resize"],
    "cyclegan_horse2zebra": [
        *sized(32, *(f"generator.{way}.{name}={size}" for way in BOTH for name, size in NARROW.items())),
        *(f"--model.init_args.{player.replace('r.', f'r.{way}.')}" for way in BOTH for player in PATCHES),
        *HORSES,
    ],
    "cut_horse2zebra": [
        *sized(32, "generator.init_args.blocks=1", "generator.init_args.width=4", *PATCHES),
        *HORSES,
    ],
    "spade_ade20k": [
        *sized(32, "generator.depth=3", "generator.width=2", "generator.hidden=4", *PATCHES),
        *("--data.init_args.tile=36", "--data.init_args.source=SIDES/labels", "--data.init_args.target=SIDES/B"),
        "--model.init_args.criteria=[FeatureMatching]",
    ],
    "maps": [*SMALL, *APART],
    "edges_to_photos": [*SMALL, "--data.init_args.source=SIDES/labels", "--data.init_args.target=SIDES/B"],
    "emoji": APART,
    "emoji_unpaired": APART,
    "horses_to_deer": [*APART, "--data.init_args.fit=resize"],
    "edges_to_digits": [],
    "unseen_map": [],
    "super_resolution": [*EARLY, *OURS],
    "colours": OURS,
    "srgan_x4": [*TILES, *sized(32, "generator.blocks=1", "generator.width=4", "discriminator.resolution=32")],
    "esrgan_x4": [*TILES, *sized(32, "generator.blocks=1", "generator.width=4", "discriminator.resolution=32")],
    "realesrgan_x4": [*TILES, *sized(32, "generator.blocks=1", "generator.width=4")],
    "photographs_x4": [
        *sized(32, "generator.blocks=1", "discriminator.field=16"),
        *(*EARLY, "--data.init_args.tile=40", "--data.init_args.source=SIDES/B"),
    ],
    "noise": [*EARLY, *OURS],
    "denoise": [*TILES, *sized(32, "generator.blocks=1", "generator.width=4")],
    "inpaint": [*sized(32, "generator.depth=5", "generator.width=2", *PATCHES), "--data.init_args.held_out=null"],
    "colorize": [*PIX2PIX, "--data.init_args.held_out=null"],
}
"""What takes data, as small as a test affords, on what is there; PAIRS and SIDES are folders of pictures."""

ELSEWHERE = "audio", "plane", "text", "video", "overlays"  # tests/test_configs_of_*.py
OTHERS = sorted(path for path in CONFIGS.glob("*/*.yaml") if path.parent.name not in ELSEWHERE)


@pytest.mark.parametrize("config", OTHERS, ids=lambda path: path.stem)
def test_a_config_of_what_takes_data_runs(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pairs: Path, sides: Path
) -> None:
    whole = "Pairs" in config.read_text()
    own = (
        [f"--data.init_args.source={pairs if whole else pairs / 'train'}"]
        if "source: ???" in config.read_text()
        else []
    )
    given = [option.replace("PAIRS", str(pairs)).replace("SIDES", str(sides)) for option in OF_DATA[config.stem]]
    cli = run(tmp_path, monkeypatch, "--config", str(config), *own, *given)
    assert cli.config.fit.name == config.stem
    check(cli, tmp_path)


def test_an_overlay_of_colours_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The overlay changes the source alone; digits stand in for what would be downloaded."""
    files = [str(CONFIGS / "vqgan.yaml"), str(CONFIGS / "overlays" / "cifar10.yaml")]
    digits = ["--data.init_args.source=digits", "--data.init_args.convert=true"]
    check(
        run(tmp_path, monkeypatch, *(f"--config={file}" for file in files), *digits, *EARLY, "--name=colour"), tmp_path
    )


def test_a_vae_becomes_a_vae_gan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [str(CONFIGS / "vae.yaml"), str(CONFIGS / "overlays" / "vae_gan.yaml")]
    cli = run(tmp_path, monkeypatch, *(f"--config={file}" for file in files), *EARLY, "--name=vae_gan")
    check(cli, tmp_path)
    assert [each.name for each in cli.model.criteria] == ["nll", "kl", "featurematching"]


def test_a_discriminator_looks_through_a_trained_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [str(CONFIGS / "stylegan_lite.yaml"), str(CONFIGS / "overlays" / "projected.yaml")]
    small = [f"--model.init_args.discriminator.init_args.{option}" for option in ("resolution=32", "depths=3")]
    given = [*(f"--config={file}" for file in files), "--name=projected", *small]
    check(run(tmp_path, monkeypatch, *given), tmp_path)


@pytest.mark.parametrize("config", ["stylegan_lite", "vqgan", "vae"])
def test_fashion_runs(config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The overlay changes the source alone; digits stand in for what would be downloaded."""
    files = [str(CONFIGS / f"{config}.yaml"), str(CONFIGS / "overlays" / "fashion.yaml")]
    given = [*(f"--config={file}" for file in files), "--data.init_args.source=digits", "--name=fashion"]
    check(run(tmp_path, monkeypatch, *given, *MINIATURES.get(config, [])), tmp_path)


def test_photos_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: Path) -> None:
    files = [str(CONFIGS / "stylegan_lite.yaml"), str(CONFIGS / "overlays" / "photos.yaml")]
    small = [f"--model.init_args.{player}.init_args.channel_base=512" for player in ("generator", "discriminator")]
    cli = run(
        tmp_path,
        monkeypatch,
        *(f"--config={file}" for file in files),
        f"--data.init_args.source={photos}",
        "--data.init_args.resolution=32",
        "--name=photos",
        *small,
    )
    check(cli, tmp_path)
    assert cli.datamodule.reference.items.shape == (4, 3, 32, 32)


@pytest.mark.parametrize(
    "config",
    sorted(path for path in CONFIGS.glob("**/*.yaml") if path.parent.name != "text"),
    ids=lambda path: path.stem,
)
def test_its_metrics_are_known(config: Path) -> None:
    fidelity = yaml.safe_load(config.read_text()).get("fidelity") or {}
    if "metrics" in fidelity:
        kinds = {
            "audio": AudioModality(16_000),
            "plane": PlaneModality(),
            "text": TextModality(),
            "video": VideoModality(),
        }
        grouped(fidelity["metrics"], str(config), kinds.get(config.parent.name, ImageModality()))
