"""Content and motion apart: clips of any length and rate, and discriminators of frames and of their changes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.networks.several import Several
from ganlit.networks.video.stylegan import FrameDiscriminator, MotionDiscriminator, MotionGenerator, looked_at, moved

SMALL = {"resolution": 16, "channels": 1, "channel_base": 256, "channel_max": 8}
LABEL = torch.tensor([0, 1, 0, 1])


def generator(**options: Any) -> MotionGenerator:
    torch.manual_seed(0)
    sizes = {"content_dim": 6, "motion_dim": 4, "motion_z": 2, "distance": 4, "w_dim": 8, "mapping_depth": 2}
    return MotionGenerator(6, **(SMALL | sizes | options))


@pytest.mark.parametrize("moves", [False, True])
def test_a_clip_follows_from_its_latent_alone(moves: bool) -> None:
    network = generator(moves=moves, classes=2).eval()
    z = torch.randn(4, network.z_dim)
    clip = network(z, LABEL)
    assert clip.shape == (4, 1, 6, 16, 16)
    assert network.z_dim == 6 + network.places * 2 + 1
    assert torch.equal(network(z, LABEL), clip)
    torch.testing.assert_close(network(z[2:3], LABEL[2:3]), clip[2:3])


@pytest.mark.parametrize("moves", [False, True])
def test_longer_clips_begin_alike_and_frames_may_stand_closer(moves: bool) -> None:
    network = generator(moves=moves).eval()
    z = torch.randn(4, network.z_dim)
    clip = network(z, LABEL)
    torch.testing.assert_close(network(z, LABEL, frames=40)[:, :, :6], clip)
    torch.testing.assert_close(network(z, LABEL, frames=11, step=0.5)[:, :, ::2], clip)
    assert network(z, LABEL, frames=1).shape[2] == 1


def test_all_frames_share_one_style_and_motion_moves_them() -> None:
    network = generator().eval()
    z = torch.randn(4, network.z_dim)
    styles = network.styles(z, LABEL)
    assert torch.equal(network.synthesise(styles, z[:, 6:]), network(z, LABEL))
    frames = network(z, LABEL)
    assert (frames.diff(dim=2).flatten(2).norm(dim=2) > 0).all()
    still = torch.zeros_like(network.codes(z[:, 6:], 6))
    network.codes = lambda *_: still
    assert not network(z, LABEL).diff(dim=2).abs().max() > 1e-6  # a code that stays is a frame that stays


def test_without_latents_motion_is_drawn_anew() -> None:
    network = generator()
    styles = network.styles(torch.randn(2, network.z_dim), LABEL[:2])
    assert not torch.equal(network.synthesise(styles), network.synthesise(styles))


@pytest.mark.parametrize("moves", [False, True])
def test_every_weight_is_trained(moves: bool) -> None:
    network = generator(classes=2, moves=moves)
    network(torch.randn(4, network.z_dim), LABEL).square().sum().backward()
    assert [name for name, each in network.named_parameters() if each.grad is None or not each.grad.any()] == []


def test_a_shift_moves_images_as_they_are() -> None:
    images = torch.rand(2, 3, 8, 8)
    clips = moved(images, torch.tensor([[[0, 0], [1 / 8, -2 / 8]], [[0.5, 0.5], [0, 1 / 16]]]))
    assert clips.shape == (2, 3, 2, 8, 8)
    torch.testing.assert_close(clips[0, :, 0], images[0])
    torch.testing.assert_close(clips[0, :, 1, 1:, :6], images[0, :, :-1, 2:])  # one down, two to the left
    torch.testing.assert_close(clips[0, :, 1, 0], clips[0, :, 1, 1])  # goes on as it ends
    torch.testing.assert_close(clips[1, :, 0, 4:, 4:], images[1, :, :4, :4])
    torch.testing.assert_close(clips[1, :, 1, :, 1:], (images[1, :, :, 1:] + images[1, :, :, :-1]) / 2)


def test_a_thing_that_goes_about_keeps_its_form() -> None:
    network = generator(moves=True).eval()
    z = torch.randn(4, network.z_dim)
    network.shift.weight.data.zero_()
    network.shift.bias.data.zero_()
    clip = network(z, LABEL)
    assert torch.equal(clip, clip[:, :, :1].expand_as(clip))
    network.shift.bias.data.copy_(torch.tensor([0.25, 0]))
    torch.testing.assert_close(network(z, LABEL)[:, :, :, 4:], clip[:, :, :, :-4])


def test_fewer_frames_at_a_time_have_the_same_gradients() -> None:
    whole, parts = generator(), generator(together=2)
    parts.load_state_dict(whole.state_dict())
    z = torch.randn(3, whole.z_dim)
    gradients = []
    for network in (whole, parts):
        network(z, LABEL[:3]).pow(3).sum().backward()
        gradients.append([each.grad for each in network.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


def test_truncation_moves_content_and_leaves_motion() -> None:
    network = generator().eval()
    z = torch.randn(2, network.z_dim)
    z[1, :6] = -z[0, :6]
    mean = network(z, LABEL[:2], truncation=0.0)
    z[1] = z[0]
    z[1, :6] = torch.randn(6)
    torch.testing.assert_close(network(z, LABEL[:2], truncation=0.0)[0], mean[0])
    torch.testing.assert_close(*network(z, LABEL[:2], truncation=0.0))


def clips() -> Tensor:
    """Whose frames say which they are."""
    return (
        torch.arange(6.0)[None, None, :, None, None].expand(4, 1, 6, 16, 16)
        + 10 * torch.arange(4.0)[:, None, None, None, None]
    )


def test_frames_are_drawn_in_training_and_fixed_elsewhere() -> None:
    torch.manual_seed(0)
    frames, places = looked_at(clips(), 3, drawn=False)
    assert places.tolist() == [[0, 2, 5]] * 4
    assert frames[:, :, 0, 0, 0].tolist() == [[10 * item + place for place in (0, 2, 5)] for item in range(4)]
    seen = torch.cat([looked_at(clips(), 3, drawn=True)[1] for _ in range(300)])
    assert (seen.diff(dim=1) > 0).all()
    assert len(seen.unique(dim=0)) == 20  # all choices of three of six
    assert seen.flatten().bincount(minlength=6).float().div(len(seen) * 3).sub(1 / 6).abs().max() < 0.02
    frames, places = looked_at(clips(), 2, drawn=True)
    assert torch.equal(frames[:, :, 0, 0, 0], places + 10.0 * torch.arange(4)[:, None])
    with pytest.raises(UserError, match=r"looks at 7 frames of a clip, but is shown clips of 6: set its looks to less"):
        looked_at(clips(), 7, drawn=True)


def test_frames_are_judged_by_themselves() -> None:
    torch.manual_seed(0)
    network = FrameDiscriminator(looks=2, minibatch_group=1, **SMALL).eval()
    clip = torch.randn(4, 1, 6, 16, 16)
    logits = network(clip, LABEL)
    assert logits.shape == (4, 2)
    other = clip.clone()
    other[:, :, 1:5] = 0  # neither the first nor the last
    assert torch.equal(network(other, LABEL), logits)
    other[2, :, 5] = 0
    assert (network(other, LABEL) != logits).nonzero().tolist() == [[2, 1]]


def test_changes_are_judged_with_how_far_apart_frames_are() -> None:
    torch.manual_seed(0)
    network = MotionDiscriminator(looks=2, minibatch_group=1, **SMALL).eval()
    assert network.from_image.weight.shape[1] == 2 * 1 + 1
    clip = torch.randn(4, 1, 6, 16, 16)
    assert network(clip, LABEL).shape == (4,)
    assert not torch.equal(network(clip, LABEL), network(clip.flip(2), LABEL))
    seen: list[Tensor] = []
    network.from_image.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][:, -1, 0, 0]))
    network(clip, LABEL)
    network.train()(clip, LABEL)
    assert seen[0].tolist() == [1.0] * 4
    assert (seen[1] * 5).round().unique().tolist() != [5.0]


def test_both_are_one_player() -> None:
    torch.manual_seed(0)
    both = Several([FrameDiscriminator(classes=2, **SMALL), MotionDiscriminator(classes=2, **SMALL)])
    clip = torch.randn(4, 1, 6, 16, 16, requires_grad=True)
    judged = both(clip, LABEL)
    assert [each.shape for each in judged.logits] == [(4, 1), (4,)]
    sum(each.square().sum() for each in judged.logits).backward()
    assert clip.grad.any()
    assert [name for name, each in both.named_parameters() if each.grad is None] == []
    assert both.classes == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"content_dim": 0}, r"MotionGenerator\.content_dim is 0"),
        ({"motion_z": 0}, r"MotionCodes\.z_dim is 0"),
        ({"together": 0}, r"MotionGenerator\.together is 0"),
        ({"resolution": 24}, "resolution 24 is not supported"),
        ({"channels": 0}, r"MotionGenerator\.channels is 0"),
    ],
)
def test_what_means_nothing_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        generator(**options)


def test_refusals_name_what_was_asked() -> None:
    with pytest.raises(UserError, match=r"MotionDiscriminator\.looks is 1: it must be at least 2"):
        MotionDiscriminator(looks=1, **SMALL)
    with pytest.raises(UserError, match=r"frames is 0"):
        generator().eval()(torch.randn(1, generator().z_dim), LABEL[:1], frames=0)
    with pytest.raises(UserError, match=r"step is 0"):
        generator().eval()(torch.randn(1, generator().z_dim), LABEL[:1], step=0)
