"""What sound is called: CLAP, Wu et al., arXiv 2211.06687, by the package transformers."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ganlit.errors import UserError
from ganlit.metrics.audio.listening import sound
from ganlit.metrics.features import FeatureExtractor, digest
from ganlit.records.downloads import obstacle
from ganlit.records.durable import DAMAGE

NAME, RATE = "clap", 48_000
SOURCE = "laion/clap-htsat-unfused"  # of LAION, Apache-2.0
WINDOW = 10 * RATE


class Clap(FeatureExtractor):
    """Of each 10 s a direction among texts and sounds, 512 numbers, and their mean; shorter sound is repeated.

    Raises:
        UserError: transformers is not installed, or the weights are not here and cannot be downloaded.
    """

    name, wants, batch, home = NAME, RATE, 8, "the cache of huggingface_hub"

    def __init__(self) -> None:
        super().__init__()
        what = f"extractor {NAME}"
        if find_spec("transformers") is None:
            raise UserError(f"{what} needs a package that is not installed: pip install transformers")
        here = available(what)
        from transformers import ClapAudioModelWithProjection, ClapFeatureExtractor

        try:
            with torch.random.fork_rng(devices=[]):  # layers draw weights before they get theirs
                self.network = ClapAudioModelWithProjection.from_pretrained(SOURCE, local_files_only=here)
            self.prepare = ClapFeatureExtractor.from_pretrained(SOURCE, local_files_only=here)
        except DAMAGE as error:
            raise UserError(f"{what}: {SOURCE} cannot be loaded ({' '.join(str(error).split())}).") from error
        self.eval()
        self.dim = self.network.config.projection_dim
        self.protocol = f"{NAME}@{digest(self.network.state_dict())}/{RATE}hz"

    def encode(self, waves: Tensor) -> dict[str, Tensor]:
        pieces = sound(waves, self.name)[:, : max(1, waves.shape[1] // WINDOW) * WINDOW].split(WINDOW, 1)
        return {
            "pool": torch.stack([normalize(self.network(**self.seen(piece)).audio_embeds) for piece in pieces]).mean(0)
        }

    def seen(self, waves: Tensor) -> dict[str, Any]:
        """What the network is given of waves [B, T] of 10 s at most."""
        found = self.prepare(list(waves.cpu().numpy()), sampling_rate=RATE, return_tensors="pt")
        return {name: value.to(waves.device) for name, value in found.items()}


def available(what: str) -> bool:
    """Whether the files are here; False where they can be fetched.

    Raises:
        UserError: neither.
    """
    from huggingface_hub import constants, try_to_load_from_cache

    if isinstance(try_to_load_from_cache(SOURCE, "config.json"), str):
        return True
    if wrong := obstacle(constants.ENDPOINT):
        raise UserError(
            f"{what}: {constants.ENDPOINT}/{SOURCE} cannot be downloaded ({wrong}): bring {constants.HF_HUB_CACHE} "
            "from a machine that has it."
        )
    return False
