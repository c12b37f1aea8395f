"""WaveGAN, sound from noise without spectrograms: Donahue et al., arXiv 1802.04208, section 3, appendix E.

By default its networks have the paper's sizes, those of its "d = 64".
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.errors import UserError, within
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check

KERNEL, STRIDE, FIRST = 25, 4, 16


def strides(samples: int) -> list[int]:
    """Of the layers of both networks, from the first on: all four, but for a last two where the samples ask for it.

    Raises:
        UserError: there are no such layers.
    """
    factor = samples // FIRST
    if samples < FIRST * STRIDE or samples != FIRST * factor or factor & (factor - 1):
        raise UserError(
            f"WaveGAN: {samples} samples are not supported; choose a power of two from {FIRST * STRIDE} on, such as "
            "16,384."
        )
    doublings = factor.bit_length() - 1
    return [STRIDE] * (doublings // 2) + [2] * (doublings % 2)


def initialise(module: nn.Module) -> None:
    """As the authors' code, Glorot's uniform weights and no bias."""
    if isinstance(module, nn.Conv1d | nn.ConvTranspose1d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Lengthening(nn.ConvTranspose1d):
    """[B, inputs, T] to [B, outputs, T * stride]; of the places beyond, more are left out at the end."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__(inputs, outputs, KERNEL, stride, padding=(KERNEL - stride) // 2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[..., : x.shape[-1] * self.stride[0]]


class Shortening(nn.Conv1d):
    """[B, inputs, T] to [B, outputs, T / stride]; zeros stand around, more of them at the end."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__(inputs, outputs, KERNEL, stride)
        lacking = KERNEL - stride
        self.beyond = lacking // 2, lacking - lacking // 2

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, self.beyond))


class PhaseShuffle(nn.Module):
    """Shifts each item by a few places drawn anew, in training: a discriminator cannot learn where peaks lie.

    What is shifted in at an end is reflected: section 3.3, figure 3.

    Args:
        most: places, either way; 0 for none.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, T] to the same."""
        if not (self.training and self.most):
            return x
        last = x.shape[-1] - 1
        shift = torch.randint(-self.most, self.most + 1, (len(x),), device=x.device)
        places = (torch.arange(last + 1, device=x.device) - shift[:, None]).abs()
        places = last - (last - places).abs()
        return x.gather(2, places[:, None].expand_as(x))


class WaveGenerator(nn.Module):
    """Strided transposed convolutions with ReLU, tanh at the end, and no normalisation.

    Args:
        samples: of a sound, a power of two.
        channels: 1 for mono.
        classes: 0 for an unconditional generator; otherwise a learned vector of the class stands beside z.
        z_dim: size of the latent, which is normal here and uniform in the paper.
        width: feature maps at a quarter of the samples; they double with each layer down to 16 places.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self, samples: int = 16384, channels: int = 1, classes: int = 0, z_dim: int = 100, width: int = 64
    ) -> None:
        super().__init__()
        check("WaveGenerator", channels=channels, z_dim=z_dim, width=width)
        within("WaveGenerator.classes", classes, least=0, most=2**20)
        self.z_dim, self.classes = z_dim, classes
        steps = strides(samples)
        maps = [width << step for step in reversed(range(len(steps)))]
        self.embedding = nn.Embedding(classes, z_dim) if classes else None
        self.first = nn.Linear(z_dim * (2 if classes else 1), FIRST * maps[0])
        layers: list[nn.Module] = []
        for (inputs, outputs), stride in zip(pairwise([*maps, channels]), steps, strict=True):
            layers += [nn.ReLU(), Lengthening(inputs, outputs, stride)]
        self.layers = nn.Sequential(*layers, nn.Tanh())
        self.apply(initialise)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """Latents [B, z_dim] and labels [B] to sound [B, C, samples]."""
        if self.embedding is not None:
            z = torch.cat([z, self.embedding(label)], dim=1)
        return wide(self.layers(self.first(z).unflatten(1, (-1, FIRST))))


class WaveDiscriminator(nn.Module):
    """Strided convolutions with leaky ReLU and phase shuffle between them; for classes, a projection.

    Args:
        samples: of a sound, a power of two.
        channels: 1 for mono.
        classes: 0 for an unconditional discriminator.
        width: feature maps at a quarter of the samples; they double with each layer down to 16 places.
        shuffle: places by which the answers of layers are shifted at most.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self, samples: int = 16384, channels: int = 1, classes: int = 0, width: int = 64, shuffle: int = 2
    ) -> None:
        super().__init__()
        check("WaveDiscriminator", channels=channels, width=width)
        within("WaveDiscriminator.classes", classes, least=0, most=2**20)
        within("WaveDiscriminator.shuffle", shuffle, least=0, most=FIRST)
        self.samples, self.classes = samples, classes
        steps = strides(samples)
        maps = [width << step for step in range(len(steps))]
        layers: list[nn.Module] = []
        for (inputs, outputs), stride in zip(pairwise([channels, *maps]), steps, strict=True):
            layers += [PhaseShuffle(shuffle)] if layers else []
            layers += [Shortening(inputs, outputs, stride), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.logit = nn.Linear(FIRST * maps[-1], 1)
        self.embedding = nn.Embedding(classes, FIRST * maps[-1]) if classes else None
        self.apply(initialise)

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        """Sound [B, C, samples] and labels [B] to logits [B].

        Raises:
            UserError: it has another length.
        """
        if item.shape[-1] != self.samples:
            raise UserError(
                f"WaveDiscriminator.samples is {self.samples}, but it is shown sounds of {item.shape[-1]}: set it and "
                "data.init_args.segment alike."
            )
        features = self.layers(item)
        logit = self.logit(features)[:, 0]
        if self.embedding is not None:  # Miyato and Koyama, arXiv 1802.05637, equation 3
            logit = logit + (features * self.embedding(label)).sum(dim=1) / math.sqrt(features.shape[1])
        return wide(logit)
