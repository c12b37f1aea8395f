from __future__ import annotations

import pytest
import torch

from ganlit.errors import UserError
from ganlit.networks.video.predictor import FramePredictor

LABEL = torch.zeros(2, dtype=torch.long)


def predictor() -> FramePredictor:
    torch.manual_seed(0)
    return FramePredictor(past=3, following=2, channels=3, depth=2, width=4)


def test_it_begins_by_saying_that_nothing_changes() -> None:
    clip = torch.rand(2, 3, 3, 8, 8) * 2 - 1
    assert torch.equal(predictor()(clip, LABEL), clip[:, :, -1:].expand(-1, -1, 2, -1, -1))


def test_every_frame_of_the_past_counts_and_every_weight_is_trained() -> None:
    network, clip = predictor(), torch.randn(2, 3, 3, 8, 8, requires_grad=True)
    torch.nn.init.normal_(network.last_layer)
    found = network(clip, LABEL)
    assert found.shape == (2, 3, 2, 8, 8)
    assert not torch.equal(found[:, :, 0], found[:, :, 1])
    found.square().sum().backward()
    assert clip.grad.flatten(3).any(dim=3).all()
    assert [name for name, each in network.named_parameters() if each.grad is None or not each.grad.any()] == []
    assert any(each is network.last_layer for each in network.parameters())
    assert (network.multiple, network.scale, network.classes) == (1, 1, 0)


def test_frames_may_have_any_size() -> None:
    """They go on as they end, where they cannot be halved as often."""
    network = predictor().eval()
    torch.nn.init.normal_(network.last_layer)
    clip = torch.rand(2, 3, 3, 6, 9) * 2 - 1
    whole = torch.nn.functional.pad(clip, (0, 3, 0, 2, 0, 0), mode="replicate")
    assert torch.equal(network(clip, LABEL), network(whole, LABEL)[..., :6, :9])


@pytest.mark.parametrize("shape", [(2, 3, 4, 8, 8), (2, 1, 3, 8, 8)])
def test_other_clips_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(
        UserError, match=f"3 frames and 3 channels, but is shown some of {shape[2]} and {shape[1]}: set"
    ):
        predictor()(torch.zeros(shape), LABEL)


def test_it_learns_what_moves() -> None:
    """A bright column that goes to the right by one."""
    network = predictor()
    start = torch.randint(8, (16,), generator=torch.Generator().manual_seed(1))
    columns = (start[:, None] + torch.arange(5)) % 8
    clip = torch.nn.functional.one_hot(columns, 8).float()[:, None, :, None].expand(-1, 3, -1, 8, -1) * 2 - 1
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    errors = []
    for _ in range(40):
        optimizer.zero_grad()
        error = (network(clip[:, :, :3], LABEL) - clip[:, :, 3:]).square().mean()
        errors.append(error.item())
        error.backward()
        optimizer.step()
    assert errors[0] == 1.0  # of a copy: of a fourth of the places by 2
    assert errors[-1] < 0.4
