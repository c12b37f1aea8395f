"""Networks of sound under the engine: all of both players learns, and two micro-batches are one batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from torch import Tensor
from torch.utils.data import DataLoader

from ganlit.contracts import Labelled, Pair
from ganlit.losses.adversarial import LeastSquares, Wasserstein
from ganlit.losses.quantization import Codebook, Commitment
from ganlit.losses.reconstruction import L1, FeatureMatching
from ganlit.losses.regularizers.gradient import GradientPenalty
from ganlit.networks.audio.bigvgan import BigVGenerator
from ganlit.networks.audio.codec import Codec
from ganlit.networks.audio.hifigan import HiFiGenerator
from ganlit.networks.audio.multiperiod import MultiperiodDiscriminator
from ganlit.networks.audio.multirate import MultirateDiscriminator
from ganlit.networks.audio.multiresolution import MultiresolutionDiscriminator
from ganlit.networks.audio.polish import PolishedGenerator
from ganlit.networks.audio.spectralcodec import SpectralCodec
from ganlit.networks.audio.spectrograms import MelSpectrogram
from ganlit.networks.audio.vocos import FourierGenerator
from ganlit.networks.audio.wavegan import WaveDiscriminator, WaveGenerator
from ganlit.networks.residual import ResidualQuantizer
from ganlit.networks.several import Several
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.synthesis import Synthesis
from ganlit.tasks.translation import Translation

SGD = {f"{player}_optimizer": partial(torch.optim.SGD, lr=1.0) for player in ("generator", "discriminator")}
SAMPLES = 256
STAGES: dict[str, Any] = {"bands": 3, "width": 8, "strides": [4, 2], "kernels": [3, 5], "dilations": [[1], [2]]}


def wavegan(**options: Any) -> AdversarialModule:
    networks = {"samples": SAMPLES, "classes": 2, "width": 2}
    return Synthesis(
        generator=WaveGenerator(**networks, z_dim=4),
        discriminator=WaveDiscriminator(**networks),
        loss=Wasserstein(),
        regularizers=[GradientPenalty(weight=10.0)],
        **SGD,
        **options,
    )


def vocoder(kind: type[HiFiGenerator | BigVGenerator], **options: Any) -> AdversarialModule:
    judges = [
        MultiperiodDiscriminator(periods=[2, 3], width=1),
        MultirateDiscriminator(rates=2, width=16).eval(),
        MultiresolutionDiscriminator(resolutions=[[64, 16, 64]], width=2),
    ]
    criteria = [L1(45.0), FeatureMatching(2.0)]
    networks = {"generator": kind(**STAGES), "discriminator": Several(judges)}
    return Translation(criteria=criteria, loss=LeastSquares(), **networks, **SGD, **options)


def codec(**options: Any) -> AdversarialModule:
    quantizer = ResidualQuantizer(2, 8, 4, code_dim=2, cosine=True, dropout=0.5)
    networks = {
        "generator": Codec(quantizer, width=2, decoder_width=8, strides=[2, 4]),
        "discriminator": MultiresolutionDiscriminator(
            resolutions=[[64, 16, 64]], phases=True, edges=[0.0, 0.5, 1.0], width=2
        ),
    }
    criteria = [L1(45.0), FeatureMatching(2.0), Codebook(), Commitment()]
    return Translation(criteria=criteria, loss=LeastSquares(), **networks, **SGD, **options)


def spectralcodec(**options: Any) -> AdversarialModule:
    mels = MelSpectrogram(8000, size=64, hop=16, bands=8)
    vocoder = PolishedGenerator(FourierGenerator(8, width=8, blocks=1, inner=8, size=64, hop=16), mels, rounds=1)
    networks = {
        "generator": SpectralCodec(ResidualQuantizer(2, 8, 8, half_life=1.0), vocoder, width=8, blocks=1, inner=8),
        "discriminator": MultiresolutionDiscriminator(resolutions=[[64, 16, 64]], width=2),
    }
    criteria = [L1(45.0), FeatureMatching(2.0), Commitment()]
    return Translation(criteria=criteria, loss=LeastSquares(), **networks, **SGD, **options)


def sounds(module: AdversarialModule) -> Labelled | Pair:
    """A batch of four, of noise."""
    stream = torch.Generator().manual_seed(0)
    waves = 0.3 * torch.randn(4, 1, SAMPLES, generator=stream)
    label = torch.arange(4) % 2
    if isinstance(module.generator, HiFiGenerator | BigVGenerator):
        return Pair(torch.randn(4, 3, SAMPLES // 8, generator=stream), waves, label)
    return Labelled(waves, label)


def moved(build: Callable[..., AdversarialModule], precision: str = "32-true", **options: Any) -> dict[str, Tensor]:
    """By how much all parameters of both players are elsewhere after a step with a rate of 1."""
    torch.manual_seed(0)
    module = build(**options)
    before = {name: each.detach().clone() for name, each in module.named_parameters() if not name.startswith("ema.")}
    off = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = Trainer(accelerator="cpu", max_epochs=1, precision=precision, **off)
    trainer.fit(module, DataLoader([sounds(module)], batch_size=None))
    assert not module.skipped
    return {name: each.detach() - before[name] for name, each in module.named_parameters() if name in before}


GAMES = {
    "wavegan": wavegan,
    "hifigan": partial(vocoder, HiFiGenerator),
    "bigvgan": partial(vocoder, BigVGenerator),
    "codec": codec,
    "spectralcodec": spectralcodec,
}


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("name", GAMES)
def test_all_of_both_players_learns(name: str, precision: str) -> None:
    found = moved(GAMES[name], precision)
    still = {each for each, by in found.items() if not by.any()}
    assert still <= {"discriminator.logit.bias"}  # which Wasserstein's loss has no use for


@pytest.mark.parametrize("name", ["hifigan", "bigvgan"])
def test_two_micro_batches_are_one_batch(name: str) -> None:
    whole, parts = (moved(GAMES[name], accumulate=count) for count in (1, 2))
    for each, by in whole.items():
        torch.testing.assert_close(parts[each], by, rtol=1e-3, atol=1e-4 * float(by.abs().max()) + 1e-6, msg=each)
