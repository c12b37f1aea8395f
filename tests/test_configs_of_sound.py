"""Every YAML of sound that is shipped: parsed, built, and run for two steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ganlit.cli.commands import GanlitCLI

CONFIGS = sorted((Path(__file__).parents[1] / "configs" / "audio").glob("*.yaml"))
MINIATURE = ["--data.init_args.batch=4", "--data.init_args.val_images=4", "--kimg=0.008", "--fidelity=null"]
SHORT = ["--data.init_args.segment=2048", "--data.init_args.heard=2048"]
NARROW = "discriminator.networks=[{class_path: MultiperiodDiscriminator, init_args: {width: 1}}]"
SMALL = {
    "vocoder": [
        *("generator.network.width=16", "generator.network.blocks=1", "discriminator.width=2"),
        "adversarial.weight=0.5",
    ],
    "hifigan_v1": ["generator.width=16", NARROW],
    "hifigan_v3": ["generator.width=16", NARROW],
    "bigvgan_24k": ["generator.width=16", NARROW],
    "codec_44k": [
        *(
            "generator.width=2",
            "generator.decoder_width=32",
            "generator.quantizer.dim=8",
            "generator.quantizer.codes=8",
        ),
        *("generator.quantizer.levels=2", "generator.quantizer.code_dim=2"),
        NARROW,
    ],
    "codec": [
        *("generator.vocoder.network.width=16", "generator.vocoder.network.blocks=1", "generator.width=16"),
        *("generator.vocoder.network.size=1024", "generator.vocoder.network.hop=256"),
        *("generator.vocoder.spectrogram.size=1024", "generator.vocoder.spectrogram.hop=256"),
        *("generator.quantizer.codes=8", "generator.quantizer.levels=2", "discriminator.width=2"),
    ],
    "wavegan_sc09": [
        "generator.width=1",
        "discriminator.width=1",
        "generator.samples=2048",
        "discriminator.samples=2048",
    ],
    "wavegan_drums": [
        "generator.width=1",
        "discriminator.width=1",
        "generator.samples=2048",
        "discriminator.samples=2048",
    ],
    "drums": [
        *("generator.network.classes=6", "generator.network.channel_base=64", "generator.network.channel_max=8"),
        *("discriminator.network.classes=6", "discriminator.network.channel_base=64"),
        *("discriminator.network.channel_max=8",),
    ],
    "specgan_syllables": ["generator.network.width=2", "discriminator.network.width=2"],
}
"""Of the model, as small as a test affords."""
BANDS = {  # as many as frames
    "drums": ["--data.init_args.spectrogram.bands=16"],
    "specgan_syllables": ["--data.init_args.spectrogram.bands=8"],
}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six kinds of hiss, in mono at 48 kHz."""
    folder = tmp_path_factory.mktemp("sounds")
    for index in range(12):
        place = folder / f"kind{index % 6}"
        place.mkdir(exist_ok=True)
        noise = np.random.default_rng(index).normal(0, 0.1, 12000)
        soundfile.write(place / f"{index}.wav", noise, 48000)
    return folder


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_config_of_sound_runs(config: Path, sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setenv("GANLIT_CACHE", str(sounds.parent / "cache"))
    given = [*MINIATURE, *SHORT, f"--data.init_args.source={sounds}", f"--trainer.default_root_dir={tmp_path}"]
    if "held_out" in config.read_text():
        given.append("--data.init_args.held_out=0.34")
    small = [f"--model.init_args.{option}" for option in SMALL[config.stem]] + BANDS.get(config.stem, [])
    cli = GanlitCLI(["fit", "--config", str(config), *given, *small, "--trainer.accelerator=cpu"])
    assert cli.config.fit.name == config.stem
    assert cli.model.images_seen == 8
    written = {path.name for path in (tmp_path / config.stem).iterdir()}
    assert {"config.yaml", "metrics.csv", "overview.png"} <= written
