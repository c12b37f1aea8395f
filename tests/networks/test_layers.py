"""Layers against the formulas of the papers, written out slowly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ganlit.networks.layers import (
    GAIN,
    EqualConv2d,
    EqualLinear,
    Filter,
    MinibatchStd,
    ModulatedConv2d,
    Noise,
    activation,
    normalize,
)


def reference_fir(image: np.ndarray, up: int = 1, pad: tuple[int, int] = (0, 0), gain: float = 1.0) -> np.ndarray:
    """Zeros between pixels, zeros around, then correlation with [1, 3, 3, 1] both ways."""
    height, width = image.shape
    spread = np.zeros((height * up, width * up))
    spread[::up, ::up] = image
    spread = np.pad(spread, pad)
    taps = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64 * gain
    rows, columns = spread.shape[0] - 3, spread.shape[1] - 3
    return np.array([[(spread[y : y + 4, x : x + 4] * taps).sum() for x in range(columns)] for y in range(rows)])


def test_blur_is_the_fir_filter() -> None:
    image = torch.randn(2, 3, 6, 5)
    blurred = Filter().blur(image, padding=2, gain=4.0)
    for item in range(2):
        for channel in range(3):
            expected = reference_fir(image[item, channel].numpy(), pad=(2, 2), gain=4.0)
            np.testing.assert_allclose(blurred[item, channel].numpy(), expected, rtol=1e-4, atol=1e-5)


def test_up_is_the_fir_filter_inside_and_keeps_constants_to_the_edge() -> None:
    image = torch.randn(1, 1, 6, 6)
    expected = reference_fir(image[0, 0].numpy(), up=2, pad=(2, 1), gain=4.0)
    np.testing.assert_allclose(Filter.up(image)[0, 0, 1:-1, 1:-1].numpy(), expected[1:-1, 1:-1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(Filter.up(torch.ones(1, 2, 4, 4)), torch.ones(1, 2, 8, 8))


@pytest.mark.parametrize("kernel", [1, 3])
def test_a_halving_convolution_filters_first(kernel: int) -> None:
    layer = EqualConv2d(3, 4, kernel, down=True)
    x = torch.randn(2, 3, 8, 8)
    blurred = Filter().blur(x, padding=kernel // 2 + 1)
    expected = F.conv2d(blurred, layer.weight / np.sqrt(3 * kernel**2), layer.bias, stride=2)
    assert layer(x).shape == (2, 4, 4, 4)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("demodulate", [False, True])
def test_scaled_modulation_equals_one_kernel_per_image(up: bool, demodulate: bool) -> None:
    torch.manual_seed(0)
    layer = ModulatedConv2d(5, 4, 3, style_dim=6, demodulate=demodulate, up=up)
    x, w = torch.randn(3, 5, 7, 7), torch.randn(3, 6)
    style = layer.style(w)
    for item in range(3):
        kernel = layer.weight / np.sqrt(5 * 9) * style[item][None, :, None, None]  # equation 1
        if demodulate:
            kernel = kernel / (kernel.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()  # equation 3
        if up:
            expected = F.conv_transpose2d(x[item : item + 1], kernel.transpose(0, 1), stride=2)
            expected = Filter().blur(expected, padding=1, gain=4.0)
        else:
            expected = F.conv2d(x[item : item + 1], kernel, padding=1)
        torch.testing.assert_close(layer(x, w)[item : item + 1], expected, rtol=1e-4, atol=1e-5)


def test_demodulated_output_has_unit_variance_whatever_the_style() -> None:
    torch.manual_seed(0)
    layer = ModulatedConv2d(64, 64, 3, style_dim=8)
    output = layer(torch.randn(4, 64, 32, 32), 10 * torch.randn(4, 8))
    assert output[:, :, 1:-1, 1:-1].std().item() == pytest.approx(1.0, abs=0.05)


def test_equalised_layers_start_alike_and_learn_at_their_own_pace() -> None:
    torch.manual_seed(0)
    x = torch.randn(4096, 256)
    for multiplier in (1.0, 0.01):
        layer = EqualLinear(256, 64, bias=0.5, lr_multiplier=multiplier)
        output = layer(x)
        assert output.std().item() == pytest.approx(1.0, abs=0.05)
        assert output.mean().item() == pytest.approx(0.5, abs=0.05)
        before = layer.weight_gain * layer.weight.detach().clone()
        optimizer = torch.optim.SGD(layer.parameters(), lr=1.0)
        layer(x[:8]).sum().backward()
        optimizer.step()
        moved = (layer.weight_gain * layer.weight.detach() - before).abs().mean().item()
        gradient = x[:8].sum(dim=0).abs().mean().item() / 256
        assert moved == pytest.approx(gradient * multiplier**2, rel=1e-3)


def test_minibatch_std_equals_a_loop_over_groups() -> None:
    x, label = torch.randn(8, 3, 4, 4), torch.zeros(8, dtype=torch.long)
    extended = MinibatchStd(group=4)(x, label)
    assert torch.equal(extended[:, :3], x)
    for start in (0, 4):
        expected = (x[start : start + 4].var(dim=0, unbiased=False) + 1e-8).sqrt().mean()
        torch.testing.assert_close(extended[start : start + 4, 3], expected.expand(4, 4, 4))


def test_minibatch_std_of_a_batch_that_does_not_divide_is_one_group() -> None:
    extended = MinibatchStd(group=4)(torch.randn(6, 2, 4, 4), torch.zeros(6, dtype=torch.long))
    assert len(extended[:, 2].unique()) == 1


def test_minibatch_std_with_classes_equals_a_loop_over_them() -> None:
    x, label = torch.randn(9, 3, 4, 4), torch.tensor([2, 0, 2, 1, 0, 2, 0, 0, 2])
    extended = MinibatchStd(classes=4)(x, label)
    assert torch.equal(extended[:, :3], x)
    for of_class in (0, 1, 2):
        expected = (x[label == of_class].var(dim=0, unbiased=False) + 1e-8).sqrt().mean()
        for channel in extended[label == of_class, 3]:
            torch.testing.assert_close(channel, expected.expand(4, 4))


def test_one_picture_per_class_is_noticed_within_classes_alone() -> None:
    label = torch.arange(8) % 2
    x = torch.randn(2, 8, 4, 4)[label]
    assert MinibatchStd(classes=2)(x, label)[:, 8].max() < 2e-4
    assert MinibatchStd()(x, label)[:, 8].min() > 0.1


@pytest.mark.parametrize("gain", [GAIN, 1 / GAIN])
def test_a_gain_in_the_weights_is_one_of_the_output(gain: float) -> None:
    torch.manual_seed(0)
    x, w, options = torch.randn(2, 3, 4, 4, dtype=torch.float64), torch.randn(2, 6, dtype=torch.float64), {"gain": gain}
    for made in (
        lambda **more: (EqualLinear(4, 5, bias=0.5, lr_multiplier=0.1, **more), (x,)),
        lambda **more: (EqualConv2d(3, 5, 3, down=True, **more), (x,)),
        lambda **more: (ModulatedConv2d(3, 5, 3, 6, up=True, **more), (x, w)),
        lambda **more: (Noise(**more), (torch.zeros_like(x),)),
    ):
        (folded, given), (plain, _) = made(**options), made()
        folded, plain = (layer.double().requires_grad_(False) for layer in (folded, plain))
        for parameter in plain.parameters():
            parameter.add_(0.1)
        folded.load_state_dict(plain.state_dict())
        torch.manual_seed(1)
        expected = gain * plain(*given)
        torch.manual_seed(1)
        torch.testing.assert_close(folded(*given), expected, rtol=1e-12, atol=1e-12)


def test_normalize_and_activation_keep_the_scale() -> None:
    z = normalize(7 * torch.randn(16, 64))
    torch.testing.assert_close(z.square().mean(dim=1), torch.ones(16), rtol=1e-4, atol=1e-4)
    x = torch.randn(100_000)
    assert (GAIN * activation(x)).square().mean().item() == pytest.approx(x.square().mean().item(), rel=0.06)
