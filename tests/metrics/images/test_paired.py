from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor
from torch.nn.functional import interpolate, unfold
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure
from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

from ganlit.errors import UserError
from ganlit.metrics.images.paired import LPIPS, psnr, ssim
from ganlit.metrics.paired import PAIRED, Comparison, estimate
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


def test_ssim_of_large_images_needs_little_memory() -> None:
    """Some float64 images, not a window of 121 float64 for every pixel of five."""
    script = """
import resource, torch
from ganlit.metrics.images.paired import ssim
images = torch.zeros(1, 1, 1024, 1024, dtype=torch.uint8)
ssim(images[..., :11, :11], images[..., :11, :11])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ssim(images, images)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / images.numel())
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(told.stdout) < 200


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
def test_images_in_batches_are_those_in_one() -> None:
    output, target = pairs(5)
    whole, parts = Comparison(), Comparison()
    whole.add(output, target)
    for part in ([0, 1], [2], [3, 4]):
        parts.add(output[part], target[part])
    one, other = whole.finish(), parts.finish()
    assert [protocol.partition("@")[0] for protocol in one] == ["psnr", "ssim-gauss11", "lpips-alex"]
    for protocol, scores in one.items():
        assert scores.dtype == torch.float64
        assert other[protocol].tolist() == pytest.approx(scores.tolist(), rel=1e-5)


def test_sizes_may_differ_from_pair_to_pair() -> None:
    comparison = Comparison(["psnr", "ssim"])
    for size in (16, 32):
        comparison.add(*pairs(2, height=size))
    assert [len(scores) for scores in comparison.finish().values()] == [4, 4]


def test_mean_and_standard_error() -> None:
    value, error, count = estimate(torch.tensor([1.0, 2.0, 3.0, 6.0], dtype=torch.float64))
    assert (value, error, count) == (3.0, pytest.approx(math.sqrt(14 / 3 / 4)), 4)
    assert math.isnan(estimate(torch.tensor([1.0])).error)
    with pytest.raises(UserError, match="no pairs"):
        estimate(Comparison(["psnr"]).finish()["psnr"])


@pytest.mark.usefixtures("alexnet")
@pytest.mark.parametrize("metric", PAIRED["images"])
def test_what_cannot_be_compared_is_refused(metric: str) -> None:
    comparison = Comparison([metric])
    output, target = pairs()
    for other in (target[:, :, 1:], target[:2], target[:, :1]):
        with pytest.raises(UserError, match=r"one to one.*bring them to one number, size and colour"):
            comparison.add(output, other)
    for wrong in (target.float(), target[0], torch.cat([target, target[:, :1]], 1)):
        with pytest.raises(UserError, match="takes uint8 images"):
            comparison.add(wrong, wrong)


@pytest.mark.usefixtures("alexnet")
@pytest.mark.parametrize(("metric", "smallest"), [("ssim", 11), ("lpips", 31)])
def test_images_smaller_than_what_looks_at_them_are_refused(metric: str, smallest: int) -> None:
    comparison = Comparison([metric])
    comparison.add(*pairs(height=smallest, width=smallest))
    (scores,) = comparison.finish().values()
    assert scores.isfinite().all()
    with pytest.raises(UserError, match=f"{smallest} pixels a side at least, these have {smallest} x {smallest - 1}"):
        comparison.add(*pairs(height=smallest, width=smallest - 1))


def test_without_alexnet_the_sentence_says_where_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    place = downloads.checkpoints() / "alexnet-owt-7be5be79.pth"
    with pytest.raises(UserError, match=rf"lpips: https://\S+ cannot be downloaded \(no route to host\).*{place}"):
        Comparison()
    Comparison(["psnr", "ssim"])


def test_an_unknown_metric_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match="unknown paired metric lpip; did you mean lpips"):
        Comparison(["lpip"])
    with pytest.raises(UserError, match="known here: psnr, ssim, lpips"):
        Comparison(["fid"])
