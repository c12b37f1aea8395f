"""ADA: its transform as a whole, and how its strength follows the discriminator."""

from __future__ import annotations

import pytest
import torch
from jsonargparse import ArgumentParser
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from ganlit.augment.adaptive import ADA
from ganlit.augment.base import Augment
from ganlit.contracts import Verdict
from ganlit.errors import UserError


def seen(*logits: float) -> Verdict:
    """A verdict with these logits for its real images."""
    images = torch.tensor(logits)
    return Verdict(lambda x: x, images, images)


def augmented(augment: ADA, images: Tensor, seed: int = 0) -> Tensor:
    torch.manual_seed(seed)
    return augment(images)


def strengths(augment: ADA, verdicts: list[Verdict], images: int = 100) -> list[float]:
    """p after each observation."""
    result = []
    for verdict in verdicts:
        augment.observe(verdict, images)
        result.append(augment.p.item())
    return result


def test_without_strength_the_images_come_back_as_they_are() -> None:
    images = torch.randn(4, 3, 8, 8)
    assert ADA()(images) is images


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_every_image_meets_its_own_transform_and_the_gradient_comes_back(channels: int) -> None:
    torch.manual_seed(0)
    images = torch.randn(1, channels, 16, 16).repeat(32, 1, 1, 1).requires_grad_()
    changed = ADA(p=1.0)(images)
    assert changed.shape == images.shape
    assert len(changed.detach().flatten(1).unique(dim=0)) == 32
    changed.sum().backward()
    assert (images.grad.abs().sum(dim=(1, 2, 3)) > 0).all()


def test_a_group_that_is_off_changes_nothing() -> None:
    torch.manual_seed(0)
    images = torch.randn(64, 1, 8, 8)
    assert torch.equal(ADA(p=1.0, blit=False, geometry=False, color=False)(images), images)
    values = images.flatten(1).sort(dim=1).values
    turned = ADA(p=1.0, geometry=False, color=False)(images)
    assert not torch.equal(turned, images)
    assert torch.isin(turned, images).all()  # whole pixels: no new values
    coloured = ADA(p=1.0, blit=False, geometry=False)(images).flatten(1).sort(dim=1).values
    assert not torch.equal(coloured, values)
    line = (coloured - coloured.mean(dim=1, keepdim=True)) / coloured.std(dim=1, keepdim=True)
    torch.testing.assert_close(line, (values - values.mean(1, True)) / values.std(1, keepdim=True), rtol=0, atol=1e-4)
    moved = ADA(p=1.0, blit=False, color=False)(images)
    assert torch.isin(moved, images).float().mean() < 0.05  # but for the outer quarter of a corner pixel


@pytest.mark.parametrize("channels", [1, 3])
def test_it_can_be_differentiated_twice(channels: int) -> None:
    augment = ADA(p=0.8)
    images = torch.randn(2, channels, 4, 4, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: augmented(augment, x), images)
    assert gradgradcheck(lambda x: augmented(augment, x) ** 2, images)


def test_under_autocast_it_works_in_float32_and_keeps_the_dtype() -> None:
    augment, images = ADA(p=1.0), torch.randn(8, 3, 16, 16).bfloat16()
    exact = augmented(augment, images.float())
    with torch.autocast("cpu", torch.bfloat16):
        mixed, rounded = augmented(augment, images.float()), augmented(augment, images)
    assert torch.equal(mixed, exact)
    assert rounded.dtype == torch.bfloat16
    assert torch.equal(rounded, exact.bfloat16())


def test_strength_rises_while_the_discriminator_is_sure_and_falls_while_it_is_not() -> None:
    augment = ADA(p=0.5, target=0.6, speed=10.0, interval=1)
    up = strengths(augment, [seen(3.0, 1.0, 0.1, 2.0)] * 5)
    assert up == pytest.approx([0.5, 0.51, 0.52, 0.53, 0.54])  # a step behind: each moves by what came before
    down = strengths(augment, [seen(3.0, 1.0, 0.1, -2.0)] * 4)  # a mean sign of 0.5
    assert down == pytest.approx([0.55, 0.54, 0.53, 0.52])


def test_strength_moves_once_in_an_interval_by_the_mean_sign_of_all_its_logits() -> None:
    augment = ADA(p=0.5, target=0.0, speed=10.0, interval=3)
    verdicts = [seen(-1.0), seen(1.0, 2.0, 3.0), seen(-9.0), seen(-1.0, -1.0)] + [seen(-1.0)] * 3
    assert strengths(augment, verdicts) == pytest.approx([0.5] * 3 + [0.53] * 3 + [0.5])


def test_strength_stays_within_zero_and_one_and_takes_its_time() -> None:
    augment = ADA(target=0.6, speed=1.0, interval=2)
    path = strengths(augment, [seen(-1.0)] * 9 + [seen(1.0)] * 30)
    assert path[:9] == [0.0] * 9
    assert path == sorted(path)
    assert path[10 + 10] == pytest.approx(1.0)  # 1,000 images after the first sign of overfitting was used
    assert path[10 + 8] < 0.9
    assert path[-1] == 1.0


def test_without_a_target_strength_is_for_others_to_set() -> None:
    augment = ADA(p=0.25, target=None, interval=1)
    assert strengths(augment, [seen(1.0)] * 3) == [0.25] * 3
    augment.p.fill_(0.0)
    images = torch.randn(2, 1, 4, 4)
    assert augment(images) is images


def test_a_restored_state_goes_on_where_it_was() -> None:
    torch.manual_seed(0)
    verdicts = [seen(*torch.randn(5).tolist()) for _ in range(43)]
    whole = ADA(p=0.4, target=0.2, speed=5.0)
    expected = strengths(whole, verdicts)
    first, second = ADA(p=0.4, target=0.2, speed=5.0), ADA(target=0.2, speed=5.0)
    path = strengths(first, verdicts[:18])
    second.load_state_dict(first.state_dict())
    assert path + strengths(second, verdicts[18:]) == expected
    assert first.state_dict().keys() == {"p", "signs", "logits", "images"}
    assert len(set(expected)) > 3


def test_ranks_whose_buffers_are_averaged_move_as_one_that_sees_everything() -> None:
    torch.manual_seed(0)
    options = {"p": 0.5, "target": 0.1, "speed": 5.0, "interval": 2}
    one, ranks = ADA(**options), [ADA(**options) for _ in range(4)]
    path = []
    for _ in range(40):
        logits = torch.randn(4, 3)
        one.observe(seen(*logits.flatten().tolist()), 12)
        for rank, own in zip(ranks, logits, strict=True):
            rank.observe(seen(*own.tolist()), 12)
        assert len({rank.p.item() for rank in ranks}) == 1
        for buffers in zip(*(rank.buffers() for rank in ranks), strict=True):
            mean = torch.stack(buffers).mean(dim=0)
            for buffer in buffers:
                buffer.copy_(mean)
        assert ranks[0].p.item() == pytest.approx(one.p.item(), rel=1e-6)
        path.append(one.p.item())
    assert len(set(path)) > 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"p": 1.5}, r"ADA\.p is 1\.5: it must be at least 0 and at most 1"),
        ({"target": 2.0}, r"ADA\.target is 2\.0: it must be above -1 and below 1"),
        ({"speed": 0.0}, r"ADA\.speed is 0\.0: it must be above 0"),
        ({"interval": 0}, r"ADA\.interval is 0: it must be at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        ADA(**options)


def test_it_is_named_and_set_in_yaml() -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--augment", type=Augment)
    options = {"p": 0.2, "target": None, "speed": 100, "interval": 8, "color": False}
    augment = parser.instantiate(parser.parse_object({"augment": {"class_path": "ADA", "init_args": options}})).augment
    assert augment.p.item() == pytest.approx(0.2)
    assert (augment.target, augment.speed, augment.interval, augment.color) == (None, 100.0, 8, False)
