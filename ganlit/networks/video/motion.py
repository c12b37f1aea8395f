"""Motion codes that are continuous in time: StyleGAN-V, Skorokhodov et al., arXiv 2112.14683, section 3.1."""

from __future__ import annotations

import math
from hashlib import blake2b

import torch
from torch import Tensor, nn

from ganlit.errors import within
from ganlit.networks.layers import GAIN, activation, wide
from ganlit.networks.sizes import check

KERNEL = 3
"""Of the two convolutions over noise, which pad nothing: the authors have 11."""

REACH = KERNEL - 1
"""Places of noise on either side of its own on which a code depends."""

SLOWEST, FASTEST = 0.25, 2.0
"""Waves from a code to the next, before what each code says of its own: up to twice as many, or none."""


class MotionCodes(nn.Module):
    """Codes at equal distances in time, and between two of them waves that are zero at both, beside a straight line.

    Thus a code of any time is continuous, and nothing comes again, as it would with waves alone. Where the first
    code is in time, and what stands at any, is drawn; so a clip is one of any other that is longer, wherever it begins.

    That is the paper's v(t): waves whose numbers are those of the code before, less the straight line through their
    values at both codes, and in its stead the one through what a learned matrix makes of these. Other than in the
    authors' code, each wave is a sine with an amplitude of its own, instead of a sine and a cosine that have none; what
    codes say of waves is added to what all clips have in common; the slowest waves have four times the distance of
    codes as their period, instead of 1,024 frames; and codes know no class.

    Args:
        dim: of a code.
        z_dim: of the noise at each place.
        distance: frames from a code to the next.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(self, dim: int = 64, z_dim: int = 16, distance: int = 16) -> None:
        super().__init__()
        check("MotionCodes", dim=dim, z_dim=z_dim, distance=distance)
        self.dim, self.z_dim, self.distance = dim, z_dim, distance
        self.mapping = nn.ModuleList([nn.Conv1d(z_dim, dim, KERNEL), nn.Conv1d(dim, dim, KERNEL)])
        self.wave = nn.Linear(dim, 3 * dim)  # amplitude, frequency, phase
        self.line = nn.Linear(dim, dim, bias=False)
        self.register_buffer("waves", torch.linspace(SLOWEST, FASTEST, dim), persistent=False)

    def places(self, span: float) -> int:
        """Of noise that codes take which stand for so many frames, wherever these begin between two codes."""
        return math.floor(span / self.distance) + 3 + 2 * REACH

    def forward(self, noise: Tensor, times: Tensor) -> Tensor:
        """The codes of some times.

        Args:
            noise: [B, places, z_dim], standard normal.
            times: [B, T] frames after the first code, from 0 on.

        Returns:
            [B, T, dim].
        """
        with torch.autocast(noise.device.type, enabled=False):  # a phase has no few digits to lose
            x = wide(noise).transpose(1, 2)
            for convolution in self.mapping:
                x = GAIN * activation(convolution(x))
            codes = x.transpose(1, 2)
            left = (times / self.distance).floor().long().clamp(0, codes.shape[1] - 2)
            share = (times / self.distance - left)[..., None]
            before, after = (codes.gather(1, place[..., None].expand(-1, -1, self.dim)) for place in (left, left + 1))
            amplitude, frequency, phase = self.wave(before).chunk(3, dim=-1)
            turns = 2 * math.pi * self.waves * (1 + frequency.tanh())

            def wave(share: Tensor | float) -> Tensor:
                return amplitude * (turns * share + phase).sin()

            acyclic = wave(share) - torch.lerp(wave(0.0), wave(1.0), share)
            return acyclic + torch.lerp(self.line(before), self.line(after), share)


def continued(z: Tensor, noise: Tensor, places: int) -> Tensor:
    """Noise at more places than a latent has numbers for: what follows is drawn by these themselves.

    Args:
        z: [B, d] latents.
        noise: [B, n, z_dim] those of their numbers that are noise.
        places: that are wanted.

    Returns:
        [B, places, z_dim], standard normal where z is; the first of it is the same for any number of places.
    """
    if (more := places - noise.shape[1]) <= 0:
        return noise[:, :places]
    rows = []
    for latent in z.detach().float().cpu():
        generator = torch.Generator().manual_seed(int.from_bytes(blake2b(latent.numpy(), digest_size=7).digest()))
        rows.append(torch.stack([torch.randn(noise.shape[2], generator=generator) for _ in range(more)]))
    return torch.cat([noise, torch.stack(rows).to(noise)], dim=1)


def refuse_clip(frames: int, step: float) -> None:
    """Refuses, with a UserError, clips that have no frames, or of which nothing is known."""
    within("frames", frames, least=1, most=2**16)
    within("step", step, above=0, most=2**10)
