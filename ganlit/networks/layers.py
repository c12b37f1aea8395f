"""Layers of the StyleGAN family, written from StyleGAN2, arXiv 1912.04958, and Progressive GAN, arXiv 1710.10196."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.2
GAIN = math.sqrt(2)
"""Of a layer in front of the activation, which so keeps the variance.

Leaky ReLU lets a positive factor pass: in the weights in front of it, it costs no pass over the maps behind it.
"""


def activation(x: Tensor) -> Tensor:
    """Leaky ReLU."""
    return F.leaky_relu(x, SLOPE)


def normalize(z: Tensor) -> Tensor:
    """Scales each vector [B, d] to a mean square of one."""
    return z * (z.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


def wide(x: Tensor) -> Tensor:
    """At least float32: what is summed or squared must not be rounded to bfloat16 on the way."""
    return x if x.dtype == torch.float64 else x.float()


def last(images: Tensor) -> Tensor:
    """Images [B, C, H, W] whose channels lie last also where there is one: torch cannot tell, and takes it for first.

    What follows then has its channels first as far as nothing turns them round, which is slower.
    """
    return images.squeeze(1).unsqueeze(-1).movedim(-1, 1) if images.shape[1] == 1 else images


class EqualLinear(nn.Module):
    """Linear layer with equalised learning rate: weights are stored at unit variance and scaled when used.

    Args:
        lr_multiplier: slows the layer's learning, weights and bias, without changing its output at the start.
        bias: initial value of the bias.
        gain: factor of the output.
    """

    def __init__(
        self, inputs: int, outputs: int, bias: float = 0.0, lr_multiplier: float = 1.0, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((outputs,), bias / lr_multiplier))
        self.weight_gain = gain * lr_multiplier / math.sqrt(inputs)
        self.bias_gain = gain * lr_multiplier

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.weight_gain, self.bias * self.bias_gain)


class EqualConv2d(nn.Module):
    """Convolution of odd kernel with equalised learning rate; the size is kept, or halved after a low-pass filter.

    Args:
        gain: factor of the output.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, down: bool = False, bias: bool = True, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.weight_gain = gain / math.sqrt(inputs * kernel**2)
        self.bias_gain = gain
        self.filter = Filter() if down else None

    def forward(self, x: Tensor) -> Tensor:
        weight, padding = self.weight * self.weight_gain, self.weight.shape[-1] // 2
        bias = None if self.bias is None else self.bias * self.bias_gain
        if self.filter is None:
            return F.conv2d(x, weight, bias, padding=padding)
        return F.conv2d(self.filter.blur(x, padding + 1), weight, bias, stride=2)


class Filter(nn.Module):
    """Low-pass filtering with the separable FIR kernel [1, 3, 3, 1], around every change of resolution: appendix B.

    Strided and transposed depthwise convolutions are avoided: under bf16 they are 30 times slower on a CPU.
    """

    def __init__(self) -> None:
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.register_buffer("kernel", torch.outer(taps, taps)[None, None] / taps.sum() ** 2, persistent=False)

    def blur(self, x: Tensor, padding: int, gain: float = 1.0) -> Tensor:
        """[B, C, H, W] to [B, C, H + 2 padding - 3, W + 2 padding - 3]."""
        kernel = (self.kernel * gain).to(x.dtype).expand(x.shape[1], 1, 4, 4)
        return F.conv2d(x, kernel, padding=padding, groups=x.shape[1])

    @staticmethod
    def up(x: Tensor) -> Tensor:
        """[B, C, H, W] to [B, C, 2H, 2W]: bilinear interpolation by two is this filter, with its edges repeated."""
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class ModulatedConv2d(nn.Module):
    """Convolution whose input channels are scaled by a style: equations 1 and 3.

    Instead of one kernel per image, the input is scaled, a shared kernel applied, and the output divided by the norm
    that the scaled kernel would have had: the same result, several times faster than grouped convolutions on a CPU.

    Args:
        demodulate: normalise the output; off where the output is an image.
        up: double the resolution, with a low-pass filter behind the transposed convolution.
        gain: factor of an output that is normalised.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        style_dim: int,
        demodulate: bool = True,
        up: bool = False,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.style = EqualLinear(style_dim, inputs, bias=1.0)
        self.weight_gain = 1 / math.sqrt(inputs * kernel**2)
        self.gain = gain
        self.demodulate = demodulate
        self.filter = Filter() if up else None

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style = self.style(w)
        weight = self.weight * self.weight_gain
        x = x * style[:, :, None, None].to(x.dtype)
        if self.filter is not None:
            x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
            x = self.filter.blur(x, padding=1, gain=4.0)
        else:
            x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        if self.demodulate:
            energy = wide(style).square() @ weight.square().sum(dim=(2, 3)).T
            x = x * (self.gain * (energy + 1e-8).rsqrt())[:, :, None, None].to(x.dtype)
        return x


class Noise(nn.Module):
    """Adds white noise, one value a pixel for all channels, at a learned strength: arXiv 1812.04948, section 2.

    Args:
        gain: factor of the noise.
    """

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(()))
        self.gain = gain

    def forward(self, x: Tensor) -> Tensor:
        noise = torch.randn(len(x), 1, *x.shape[2:], device=x.device, dtype=x.dtype)
        return x + noise * (self.strength * self.gain).to(x.dtype)


class MinibatchStd(nn.Module):
    """Appends one channel that tells how much the images of a group vary: arXiv 1710.10196, section 3.

    Among images of several classes, which differ anyway, a generator that knows one picture of each goes unnoticed;
    with classes, a group is therefore what the batch holds of a class. Real and generated images must come with the
    same labels: an only child varies by nothing. The batch is what this network sees at once: a rank's micro-batch.

    Args:
        classes: 0 for groups along the batch.
        group: their size; a batch that it does not divide is one group.
    """

    def __init__(self, classes: int = 0, group: int = 4) -> None:
        super().__init__()
        self.classes = classes
        self.group = group

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """[B, C, H, W] to [B, C + 1, H, W]."""
        batch, _, height, width = x.shape
        with torch.autocast(x.device.type, enabled=False):
            flat = wide(x).flatten(1)
            member = self._membership(label).to(flat)
            share = member / member.sum(dim=0).clamp(min=1)
            variance = share.T @ (flat - member @ (share.T @ flat)).square()
            channel = member @ (variance + 1e-8).sqrt().mean(dim=1)
        return torch.cat([x, channel[:, None, None, None].expand(batch, 1, height, width).to(x.dtype)], dim=1)

    def _membership(self, label: Tensor) -> Tensor:
        """Which group [B, groups] each image is in, as zeros and ones."""
        if self.classes:
            return label[:, None] == torch.arange(self.classes, device=label.device)
        batch = len(label)
        size = self.group if batch % self.group == 0 else batch
        place = torch.arange(batch, device=label.device)
        return (place // size)[:, None] == place[: batch // size]
