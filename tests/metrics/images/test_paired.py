from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor
from torch.nn.functional import interpolate, unfold
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure
from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError
from ganlit.metrics.images.paired import LPIPS, PAIRED, coarse, matched, psnr, ssim
from ganlit.metrics.paired import Comparison, estimate
from ganlit.records import downloads


def pairs(count: int = 3, channels: int = 3, height: int = 40, width: int = 33) -> tuple[Tensor, Tensor]:
    """Smooth images and noisy ones."""
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(count, channels, 6, 5, generator=generator)
    target = interpolate(target, (height, width), mode="bicubic").mul(255).clamp(0, 255)
    noise = torch.randn(target.shape, generator=generator) * torch.linspace(2, 30, count).view(-1, 1, 1, 1)
    return (target + noise).round().clamp(0, 255).to(torch.uint8), target.round().to(torch.uint8)


@pytest.fixture
def alexnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights for AlexNet where torch.hub keeps its own."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(downloads, "digest_of", lambda path: path.stem.rpartition("-")[2])
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        network = torchvision.models.alexnet()
    generator = torch.Generator().manual_seed(1)
    state = {
        # The classifier, which LPIPS does not use, is one number repeated: 4 bytes instead of 200 MB.
        name: torch.zeros(()).expand(value.shape)
        if name.startswith("classifier")
        else torch.randn(value.shape, generator=generator) / max(1, value[0].numel()) ** 0.5
        for name, value in network.state_dict().items()
    }
    downloads.checkpoints().mkdir(parents=True)
    torch.save(state, downloads.checkpoints() / Path(torchvision.models.AlexNet_Weights.DEFAULT.url).name)


@pytest.mark.parametrize("offset", [1, 10, 100])
def test_psnr_of_a_constant_offset(offset: int) -> None:
    target = torch.full((2, 3, 8, 8), 100, dtype=torch.uint8)
    assert psnr(target + offset, target).tolist() == pytest.approx([20 * math.log10(255 / offset)] * 2, rel=1e-12)


def test_psnr_equals_torchmetrics_image_by_image() -> None:
    output, target = pairs()
    each = [
        peak_signal_noise_ratio(a.double(), b.double(), data_range=255.0) for a, b in zip(output, target, strict=True)
    ]
    assert psnr(output, target).tolist() == pytest.approx([float(value) for value in each], rel=1e-6)


def test_identical_images_have_100_db_and_leave_the_mean_finite() -> None:
    _, target = pairs()
    assert psnr(target, target).tolist() == [100, 100, 100]
    assert ssim(target, target).tolist() == pytest.approx([1, 1, 1], abs=1e-12)


def test_ssim_is_that_of_the_paper_window_by_window() -> None:
    """Eq. 13 to 17 of Wang et al. 2004, written as they stand."""
    output, target = pairs(channels=1, height=14, width=13)
    gauss = torch.exp(-((torch.arange(11) - 5).double() ** 2) / (2 * 1.5**2))
    window = torch.outer(gauss, gauss).flatten() / gauss.sum() ** 2
    x, y = (unfold(images.double(), 11).transpose(1, 2) for images in (output, target))  # [B, places, 121]
    mean_x, mean_y = x @ window, y @ window
    dx, dy = x - mean_x[..., None], y - mean_y[..., None]
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * (dx * dy) @ window + c2) / (dx**2 @ window + dy**2 @ window + c2)
    assert ssim(output, target).tolist() == pytest.approx((luminance * structure).mean(1).tolist(), rel=1e-9)


def test_ssim_is_that_of_torchmetrics_where_the_window_fits() -> None:
    output, target = pairs()
    images = output.double(), target.double()
    _, places = structural_similarity_index_measure(
        *images, sigma=1.5, data_range=255.0, reduction="none", return_full_image=True
    )
    expected = places[..., 5:-5, 5:-5].mean((1, 2, 3))
    assert ssim(output, target).tolist() == pytest.approx(expected.tolist(), rel=1e-9)


def test_ssim_of_colours_is_the_mean_over_channels() -> None:
    output, target = pairs()
    each = torch.stack([ssim(output[:, [channel]], target[:, [channel]]) for channel in range(3)])
    assert ssim(output, target).tolist() == pytest.approx(each.mean(0).tolist(), rel=1e-12)


def test_ssim_of_two_flat_images_is_the_luminance_term() -> None:
    """Eq. 6 and 7 of Wang et al.: without variance the other terms are 1."""
    output, target = (torch.full((1, 1, 11, 16), value, dtype=torch.uint8) for value in (50, 200))
    c1 = (0.01 * 255) ** 2
    assert float(ssim(output, target)) == pytest.approx((2 * 50 * 200 + c1) / (50**2 + 200**2 + c1), rel=1e-9)


@pytest.mark.usefixtures("alexnet")
@pytest.mark.parametrize("channels", [1, 3])
def test_lpips_equals_torchmetrics(channels: int) -> None:
    output, target = pairs(channels=channels, height=64)
    reference = LearnedPerceptualImagePatchSimilarity("alex", reduction="mean", normalize=True)
    rgb = [images.expand(-1, 3, -1, -1).float() / 255 for images in (output, target)]
    scores = LPIPS()(output, target)
    assert scores.shape == (3,)
    assert float(scores.mean()) == pytest.approx(float(reference(*rgb)), rel=1e-4)
    assert scores.tolist() == sorted(scores.tolist())  # the noisier, the further


@pytest.mark.usefixtures("alexnet")
def test_lpips_can_be_differentiated() -> None:
    stored = pairs(channels=1)
    output, target = (images / 127.5 - 1 for images in stored)
    found = LPIPS().distance(output.requires_grad_(), target)
    found.sum().backward()
    assert output.grad.isfinite().all()
    assert output.grad.abs().sum() > 0
    torch.testing.assert_close(LPIPS()(*stored).float(), found.detach(), rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("alexnet")
def test_lpips_draws_nothing_from_the_runs_random_stream_and_learns_nothing() -> None:
    before = torch.get_rng_state()
    lpips = LPIPS()
    assert torch.equal(before, torch.get_rng_state())
    assert not any(parameter.requires_grad for parameter in lpips.parameters())
    assert not lpips.train().network.training


@pytest.mark.usefixtures("alexnet")
def test_lpips_sees_grey_and_rgb_of_any_depth() -> None:
    eight, lpips = pairs(height=64), LPIPS()
    sixteen = [(images.double() * 257).to(torch.uint16) for images in eight]
    real = [images.float() / 255 for images in eight]
    for sides in (sixteen, real):
        assert lpips(*sides).tolist() == pytest.approx(lpips(*eight).tolist(), rel=1e-4)
    with pytest.raises(UserError, match="LPIPS sees grey images and RGB, these have 5 channels: leave it out"):
        lpips(*pairs(channels=5))


@pytest.mark.parametrize("kind", [torch.uint8, torch.uint16])
def test_any_number_of_channels_is_compared(kind: torch.dtype) -> None:
    output, target = (images.to(kind) for images in pairs(2, channels=7))
    each = torch.stack([ssim(output[:, [place]], target[:, [place]]) for place in range(7)])
    assert ssim(output, target).tolist() == pytest.approx(each.mean(0).tolist(), rel=1e-12)
    peak = 255.0 if kind == torch.uint8 else 65535.0
    wanted = [
        float(peak_signal_noise_ratio(a.double(), b.double(), data_range=peak))
        for a, b in zip(output, target, strict=True)
    ]
    assert psnr(output, target).tolist() == pytest.approx(wanted, rel=1e-6)


def noises(count: int, side: int = 9) -> Tensor:
    return torch.randint(256, (count, 3, side, side), generator=torch.Generator().manual_seed(2), dtype=torch.uint8)


def test_outputs_are_told_from_which_target_they_come() -> None:
    """Of a map that is right, of one that mixes two up, and of one that makes one output of all."""
    target = noises(12)
    far = torch.randint(-40, 40, target.shape, generator=torch.Generator().manual_seed(3))
    good = (target + far).clamp(0, 255).to(torch.uint8)
    for output, told in ((good, 12), (good[[1, 0, *range(2, 12)]], 10), (target[:1].expand(12, -1, -1, -1), 1)):
        distances = (output[:, None].double() - target.double()).square().flatten(2).sum(2)
        right = distances.argmin(1) == torch.arange(12)
        assert int(right.sum()) == told
        assert matched(coarse(output, target)).tolist() == (100.0 * right).tolist()


def test_targets_that_are_alike_are_one() -> None:
    twice = torch.cat([noises(6), noises(6)])
    assert matched(coarse(twice, twice)).tolist() == [100.0] * 12


def test_large_images_are_told_by_what_is_left_of_them_in_few_pixels() -> None:
    _, target = pairs(4, height=100, width=130)
    kept = coarse(target.flip(0), target)
    expected = interpolate(target.double() / 255, (32, 32), mode="area").flatten(1)
    torch.testing.assert_close(kept[:, 1].double(), expected, rtol=0, atol=1e-6)
    assert matched(kept).tolist() == [0.0] * 4
    small = noises(4)
    assert torch.equal(coarse(small, small)[:, 0], small.flatten(1) / 255)  # as they are


@pytest.mark.usefixtures("alexnet")
@pytest.mark.parametrize("metric", PAIRED)
def test_images_in_batches_are_those_in_one(metric: str) -> None:
    output, target = pairs(5)
    comparison = Comparison(metric, ImageModality())
    whole = comparison.scores(comparison.seen(output, target)[1])
    parts = [comparison.seen(output[part], target[part])[1] for part in ([0, 1], [2], [3, 4])]
    assert whole.dtype == torch.float64
    assert comparison.scores(torch.cat(parts)).tolist() == pytest.approx(whole.tolist(), rel=1e-5)


def test_mean_and_standard_error() -> None:
    value, error, count = estimate(torch.tensor([1.0, 2.0, 3.0, 6.0], dtype=torch.float64))
    assert (value, error, count) == (3.0, pytest.approx(math.sqrt(14 / 3 / 4)), 4)
    assert math.isnan(estimate(torch.tensor([1.0])).error)
    with pytest.raises(UserError, match="no pairs"):
        estimate(torch.empty(0))


@pytest.mark.usefixtures("alexnet")
@pytest.mark.parametrize("metric", PAIRED)
def test_what_cannot_be_compared_is_refused(metric: str) -> None:
    comparison = Comparison(metric, ImageModality())
    output, target = pairs()
    for other in (target[:, :, 1:], target[:2], target[:, :1], target.to(torch.uint16)):
        with pytest.raises(UserError, match=r"one to one.*bring them to one number, size, colour and depth"):
            comparison.seen(output, other)
    for wrong in (target.double(), target[0], target.bool()):
        with pytest.raises(UserError, match=r"takes images \[B, C, H, W\] of uint8, uint16 or float32, not"):
            comparison.seen(wrong, wrong)


@pytest.mark.usefixtures("alexnet")
@pytest.mark.parametrize(
    ("metric", "least"), [("psnr-crop4", 1), ("ssim", 11), ("ssim-y-crop4", 11), ("lpips", 31), ("matched-crop2", 1)]
)
def test_images_smaller_than_what_looks_at_them_are_refused(metric: str, least: int) -> None:
    comparison, border = Comparison(metric, ImageModality()), int(metric.partition("crop")[2] or 0)
    side = least + 2 * border
    assert comparison.seen(*pairs(height=side, width=side))[1].isfinite().all()
    without, advice = (f" without a border of {border}", ": crop less") if border else ("", "")
    said = rf"{least} pixels? a side at least{without}, these have {side} x {side - 1}{advice}\."
    with pytest.raises(UserError, match=said):
        comparison.seen(*pairs(height=side, width=side - 1))


def test_without_alexnet_the_sentence_says_where_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    place = downloads.checkpoints() / "alexnet-owt-7be5be79.pth"
    with pytest.raises(UserError, match=rf"lpips: https://\S+ cannot be downloaded \(no route to host\).*{place}"):
        Comparison("lpips", ImageModality())


def test_an_unknown_metric_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match="unknown paired metric lpip; did you mean lpips"):
        Comparison("lpip", ImageModality())
    with pytest.raises(UserError, match="known here: psnr, ssim, lpips, matched"):
        Comparison("fid", ImageModality())
