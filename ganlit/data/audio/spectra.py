"""Pictures of sound: its spectrograms in a grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate, pad
from torchvision.transforms.functional import to_pil_image
from torchvision.utils import make_grid

from ganlit.networks.audio.spectrograms import MelSpectrogram

BANDS, WIDTH = 80, 160  # of the picture of one recording, in points
LOWEST, HIGHEST = -8.0, 2.0  # natural logarithms, of the same loudness in all pictures
SECONDS = 0.05  # that a spectrum looks at, more or less
PADDING, GREY = 2, 96  # points between two, and how bright they are


@lru_cache(maxsize=8)
def spectrogram(rate: int, hop: int) -> MelSpectrogram:
    """One whose size, a power of two, suits the rate."""
    size = max(2 ** round(math.log2(rate * SECONDS)), 2 ** math.ceil(math.log2(hop)))
    return MelSpectrogram(rate, max(256, size), hop, bands=BANDS if rate >= 8000 else BANDS // 2)


@torch.no_grad()
def seen(waves: Tensor, rate: int) -> Tensor:
    """Waves [B, T] in [-1, 1] as uint8 [B, 3, BANDS, WIDTH], high tones above low ones."""
    hop = max(16, -(-waves.shape[1] // WIDTH))
    mel = spectrogram(rate, hop)
    waves = pad(waves, (0, max(0, mel.size - waves.shape[1])))
    heard = mel(waves[:, None]) - math.log(mel.size / 1024)
    share = ((heard - LOWEST) / (HIGHEST - LOWEST)).clamp(0, 1).flip(1)
    share = interpolate(share[:, None], (BANDS, WIDTH), mode="nearest")[:, 0]
    from matplotlib import colormaps  # which takes long to import, and is needed here alone

    colours = torch.from_numpy(colormaps["magma"](share.numpy(), bytes=True)[..., :3])
    return colours.movedim(3, 1).contiguous()


def grid(rows: Sequence[Tensor], rate: int, columns: int) -> Image.Image:
    """Batches int16 [n, C, T], recording after recording, row by row; shorter ones end in silence."""
    longest = max(waves.shape[2] for waves in rows)
    parts = [seen(pad(waves.cpu().float().mean(1) / 2**15, (0, longest - waves.shape[2])), rate) for waves in rows]
    return to_pil_image(make_grid(torch.cat(parts), nrow=columns, padding=PADDING, pad_value=GREY))
