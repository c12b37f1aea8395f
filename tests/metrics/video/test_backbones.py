"""What sees clips: which frames, by whom, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from clips import KIND, frozen, paths, squares
from extractors import Quarters, Tiny
from torch import Tensor, nn

from ganlit.errors import UserError
from ganlit.metrics.extractors import extractor
from ganlit.metrics.groups import grouped
from ganlit.metrics.paired import Comparison
from ganlit.metrics.video import i3d
from ganlit.metrics.video.clips import chosen, drawn
from ganlit.metrics.video.frames import Frame, Transition
from ganlit.metrics.video.trajectory import Trajectory
from ganlit.metrics.video.votes import Votes
from ganlit.records.downloads import checkpoints


def clips(count: int = 100, frames: int = 7) -> Tensor:
    return squares(paths(count, frames, seed=1))


def test_frames_are_drawn_by_their_clip_alone() -> None:
    items = torch.randint(256, (700, 3, 7, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    places = drawn(items, 7)
    assert torch.equal(places[30:50], drawn(items[30:50], 7))
    assert places.bincount(minlength=7).min() > 60
    assert torch.equal(chosen(items, places)[5], items[5, :, places[5]])


def test_features_are_those_of_the_frames() -> None:
    items, images = clips(), Quarters()
    found = Frame(images)(items)["pool"]
    assert torch.equal(found, images(chosen(items, drawn(items, 7)))["pool"])
    assert (Frame(images).protocol, Frame(images).dim) == ("tiny@0a1b2c3d/none-frame", 12)

    found, first = Transition(images)(items)["pool"], drawn(items, 3)
    seen = torch.stack(
        [images(items[40, :, first[40] + place][None].expand(-1, 3, -1, -1))["pool"][0] for place in range(5)]
    )
    torch.testing.assert_close(found[40], torch.cat([seen.mean(0), (seen[1:] - seen[:-1]).abs().mean(0)]))
    assert not Transition(images)(frozen(items))["pool"][:, 12:].any()
    assert Transition(images).protocol == "tiny@0a1b2c3d/none-transition"
    assert Transition(images)(items[:, :, :2])["pool"].shape == (100, 24)


@pytest.mark.parametrize(
    ("build", "frames", "message"),
    [
        (lambda: Transition(Tiny()), 1, "transition needs clips of 2 frames at least, these have 1 frame: take longer"),
        (Trajectory, 2, "trajectory needs clips of 3 frames at least, these have 2 frames"),
    ],
)
def test_clips_that_are_too_short_are_refused(build: type[nn.Module], frames: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        build()(clips(2, frames))


def test_what_is_no_clip_is_refused() -> None:
    for items in (clips(2)[:, :, 0], clips(2).float(), clips(2).expand(-1, 2, -1, -1, -1)):
        with pytest.raises(UserError, match=r"frame takes uint8 clips \[B, 1 or 3, T, H, W\], not"):
            Frame(Tiny())(items)


def test_names_that_mean_nothing_are_refused() -> None:
    with pytest.raises(
        UserError, match=r"extractor frame:inceptoin: there is no extractor inceptoin of images; did you"
    ):
        extractor("frame:inceptoin")
    with pytest.raises(UserError, match=r"extractor i3d:many: write the frames that it shall see, as in i3d:16"):
        extractor("i3d:many")
    with pytest.raises(UserError, match=r"i3d:9: the number of frames is 9: it must be at least 10"):
        extractor("i3d:9")
    with pytest.raises(UserError, match=r"fvd is seen by i3d alone: write fvd, or fvd@i3d"):
        grouped(["fvd@inception"], "metrics", KIND)
    assert grouped(["fvd@i3d:128"], "metrics", KIND)[0].extractor == "i3d:128"


@pytest.mark.usefixtures("offline")
def test_without_its_file_fvd_is_a_sentence() -> None:
    with pytest.raises(
        UserError, match=r"extractor i3d: https://\S+ cannot be downloaded \(no route to host\): put that"
    ):
        extractor("i3d")
    path = checkpoints() / i3d.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no TorchScript")
    with pytest.raises(UserError, match=r"extractor i3d: \S+i3d_torchscript.pt cannot be used"):
        extractor("i3d")


class Published(nn.Module):
    """Takes what the published file takes, and gives the mean of each frame."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False) -> Tensor:
        if rescale:
            x = 2 * x / 255 - 1
        means = self.weight * x.mean(dim=[1, 3, 4])
        return torch.nn.functional.pad(means, [0, 400 - means.shape[1]])


@pytest.mark.usefixtures("offline")
@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_the_published_file_sees_the_first_frames(tmp_path: Path) -> None:
    path = checkpoints() / i3d.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.jit.save(torch.jit.script(Published()), path)
    found = extractor("i3d:12")
    items = clips(3, 14)
    expected = 2 * items[:, 0, :12].double().mean((2, 3)) / 255 - 1
    torch.testing.assert_close(found(items)["pool"][:, :12].double(), expected, rtol=0, atol=1e-5)
    assert not found(items)["pool"][:, 12:].any()
    assert found.protocol.endswith("/224-12frames")
    with pytest.raises(UserError, match="i3d needs clips of 12 frames at least, these have 11"):
        found(items[:, :, :11])


def test_without_classes_there_are_no_votes() -> None:
    assert not Votes()(clips(3))["pool"].any()


def test_predictions_are_compared_frame_by_frame() -> None:
    one, other = clips(4), clips(8)[4:]
    name, found = Comparison("psnr", KIND).seen(one, other)
    error = (one.double() - other.double()).square().mean(dim=(1, 3, 4))
    expected = (10 * (255**2 / error).log10()).clamp(max=100).mean(dim=1)
    torch.testing.assert_close(found, expected)
    assert name == "psnr"
    assert Comparison("ssim", KIND).seen(one, one)[1].tolist() == pytest.approx([1] * 4)
    with pytest.raises(UserError, match="psnr compares clips"):
        Comparison("psnr", KIND).seen(one, other[:, :, :3])
