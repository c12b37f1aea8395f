from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from filters import Blur, Filter, Mosaic, Normed, Twice
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.cbook import get_sample_data
from PIL import Image
from torch import Tensor, nn

from ganlit.data.audio.spectrogram import SpectrogramModality
from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError
from ganlit.networks.audio.hifigan import HiFiGenerator
from ganlit.networks.audio.spectrograms import MelSpectrogram
from ganlit.networks.audio.vocos import FourierGenerator
from ganlit.studies.evaluation.tiles import Tiling, answered, joined, tiling

LABEL = torch.zeros(1, dtype=torch.int64)
WHOLE = Tiling(None)


def seen(network: nn.Module) -> Callable[[Tensor], Tensor]:
    return lambda part: network(part, LABEL).detach()


def answer(network: nn.Module, source: Tensor, cut: Tiling, folder: Path) -> Tensor:
    return joined(answered(seen(network), source, cut), folder)


def noise(*shape: int) -> Tensor:
    return torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture(scope="module")
def photograph() -> Tensor:
    """[1, 3, 600, 512], of Grace Hopper."""
    with Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)) as image:
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 127.5 - 1


@settings(deadline=None)
@given(
    length=st.integers(1, 300),
    multiple=st.integers(1, 9),
    extra=st.integers(0, 40),
    overlap=st.integers(0, 20),
    scale=st.integers(1, 4),
)
def test_tiles_cover_an_axis_and_count_one_together(
    length: int, multiple: int, extra: int, overlap: int, scale: int
) -> None:
    most = (-(-3 * overlap // multiple) + 1 + extra) * multiple
    axis = Tiling(most, overlap, multiple, scale).axis(length)
    assert axis.side <= most
    assert axis.side % multiple == 0
    assert 0 <= axis.end - length < multiple
    assert all(start % multiple == 0 for start in axis.starts)
    total = torch.zeros(axis.end * scale)
    for tile, start in enumerate(axis.starts):
        weight = axis.weight(tile, scale)
        assert float(weight.min()) >= 0
        total[start * scale : (start + axis.side) * scale] += weight
        if tile:  # what is nearer to an inner border than the overlap counts for nothing
            assert not weight[: overlap * scale].any()
        if tile + 1 < len(axis.starts):
            assert not weight[axis.side * scale - overlap * scale :].any()
    torch.testing.assert_close(total, torch.ones_like(total))


@settings(deadline=None)
@given(length=st.integers(1, 12), multiple=st.integers(1, 30))
def test_what_is_missing_to_a_multiple_is_reflected(length: int, multiple: int) -> None:
    axis = Tiling(None, multiple=multiple).axis(length)
    expected = np.pad(np.arange(length), (0, axis.end - length), mode="reflect")  # which repeats a single one
    assert axis.seen(0).tolist() == expected.tolist()


@settings(deadline=None, max_examples=25)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    side=st.integers(1, 40),
    overlap=st.integers(0, 9),
    multiple=st.sampled_from([1, 2, 3, 8]),
    scale=st.sampled_from([1, 2]),
)
def test_nothing_changes_by_tiles_of_any_size(
    tmp_path_factory: pytest.TempPathFactory,
    height: int,
    width: int,
    side: int,
    overlap: int,
    multiple: int,
    scale: int,
) -> None:
    source = noise(height, width)
    network = (Filter, Twice)[scale - 1](multiple)
    cut = Tiling(side + 3 * overlap + 2 * multiple, overlap, multiple, scale)
    made = answer(network, source, cut, tmp_path_factory.getbasetemp())
    torch.testing.assert_close(made, source.repeat_interleave(scale, 2).repeat_interleave(scale, 3))


@pytest.mark.parametrize("network", [Blur(1), Blur(4), Blur(4, multiple=8), Mosaic(4)])
@pytest.mark.parametrize(("height", "width"), [(150, 203), (61, 400)])
def test_a_network_that_looks_no_farther_than_the_overlap_gives_what_it_gives_of_the_whole(
    network: Filter, height: int, width: int, tmp_path: Path
) -> None:
    source, calls = noise(height, width), []

    def counted(part: Tensor) -> Tensor:
        calls.append(part.shape[2:])
        return seen(network)(part)

    cut = Tiling(48, 4, network.multiple)
    tiled = joined(answered(counted, source, cut), tmp_path)
    assert len(calls) == cut.count(source) > 10
    assert max(max(call) for call in calls) <= 48
    whole = answer(network, source, Tiling(None, multiple=network.multiple), tmp_path)
    assert tiled.shape == whole.shape == source.shape
    assert float((tiled - whole).abs().max()) < 1e-5  # also at the border


def test_a_network_that_looks_farther_gives_something_else(tmp_path: Path) -> None:
    source = noise(150, 203)
    tiled, whole = (answer(Blur(16), source, cut, tmp_path) for cut in (Tiling(48, 4), WHOLE))
    assert float((tiled - whole).abs().max()) > 1e-3


def seam(made: Tensor, cut: Tiling) -> float:
    """The mean difference of neighbours where tiles meet, over that elsewhere."""
    there, elsewhere = [], []
    for dim in (2, 3):
        found = made.diff(dim=dim).abs().mean(dim=[each for each in range(4) if each != dim])
        axis, fading = cut.axis(made.shape[dim] // cut.scale), torch.zeros(len(found), dtype=torch.bool)
        for before, start in zip(axis.starts, axis.starts[1:], strict=False):
            middle, around = (before + axis.side + start) * cut.scale // 2, max(cut.overlap * cut.scale // 2, 1)
            fading[middle - around : middle + around] = True
        there.append(found[fading])
        elsewhere.append(found[~fading])
    return float(torch.cat(there).mean() / torch.cat(elsewhere).mean())


@pytest.mark.parametrize("network", [Filter(), Blur(3), Twice(), Normed(), Mosaic(2)])
def test_no_seam_is_to_be_seen_in_a_photograph(network: Filter, photograph: Tensor, tmp_path: Path) -> None:
    """Tiles are small, so that there are enough seams to lie where a photograph has no more edges than elsewhere."""
    cut = Tiling(64, 8, network.multiple, network.scale)
    made = answer(network, photograph, cut, tmp_path)
    assert made.shape[2:] == (600 * network.scale, 512 * network.scale)
    assert seam(made, cut) <= 1.1


@pytest.mark.parametrize("network", [Blur(3), Normed()])
def test_without_an_overlap_there_are_seams(network: Filter, photograph: Tensor, tmp_path: Path) -> None:
    cut = Tiling(64, 0)
    assert seam(answer(network, photograph, cut, tmp_path), cut) > 1.5


def cut_by(usual: int | None, step: int = 1) -> ImageModality:
    kind = ImageModality()
    kind.tile, kind.step = usual, step
    return kind


def test_a_network_says_what_it_needs() -> None:
    assert tiling(nn.Identity(), cut_by(512), None, None) == Tiling(None)  # which says nothing
    assert tiling(Filter(8), cut_by(512), None, None) == Tiling(512, 32, 8, 1)
    assert tiling(Filter(1024), cut_by(512), None, None) == Tiling(2048, 128, 1024, 1)
    assert tiling(Filter(8), cut_by(None), None, None) == Tiling(None, 0, 8, 1)  # of items that are never cut
    assert tiling(Twice(), cut_by(512), "whole", None) == Tiling(None, 0, 1, 2)
    assert tiling(Twice(8), cut_by(512), 103, 4) == Tiling(96, 4, 8, 2)
    assert tiling(nn.Identity(), cut_by(512), 64, None) == Tiling(64, 4)
    learned = nn.Linear(1, 1)
    learned.scale = nn.Parameter(torch.ones(()))  # another's word for something else
    assert tiling(learned, cut_by(512), 64, 0) == Tiling(64)


def test_the_overlap_is_as_far_as_a_network_says_that_it_looks() -> None:
    looking, kind = Filter(8), cut_by(512)
    looking.reach = 50
    assert tiling(looking, kind, None, None) == Tiling(512, 50, 8)
    assert tiling(looking, kind, 160, None) == Tiling(160, 50, 8)
    assert tiling(looking, kind, 64, 3) == Tiling(64, 3, 8)
    assert tiling(looking, cut_by(64), None, None) == Tiling(296, 50, 8)  # half of it counts
    with pytest.raises(
        UserError, match=r"--tile is 152, but Filter looks 50 steps around each, .* raise it to 160, or"
    ):
        tiling(looking, kind, 159, None)
    kind.step, kind.reach, looking.scale = (
        2,
        7,
        2,
    )  # of a kind of which two places are one, and whose network sees 7 around them
    assert tiling(looking, kind, None, None) == Tiling(640, 107, 16)


def vocoder(name: str) -> nn.Module:
    torch.manual_seed(0)
    if name == "vocos":
        return FourierGenerator(10, width=12, blocks=2, inner=16, size=64, hop=16)
    return HiFiGenerator(10, width=8, strides=[4, 4], kernels=[3], dilations=[[1, 3]])


@pytest.mark.parametrize("name", ["vocos", "hifigan"])
def test_a_vocoder_is_heard_in_tiles_as_it_is_of_the_whole(name: str, tmp_path: Path) -> None:
    """Spectra look around, and so does the network: by less overlap than both together, it is something else."""
    kind, network = SpectrogramModality(MelSpectrogram(8000, 64, 16, bands=10), 1), vocoder(name)
    waves = torch.randint(-9000, 9000, (1, 1, 8003), generator=torch.Generator().manual_seed(1)).to(torch.int16)

    def heard(cut: Tiling) -> Tensor:
        made = answered(lambda part: network(kind.to_network(part), LABEL).detach(), waves, cut)
        return joined(made, tmp_path)

    kind.tile = 64
    usual = tiling(network, kind, None, None)
    assert usual.count(waves) > 5
    assert usual.overlap == network.reach * 16 + 40
    cuts = tiling(network, kind, "whole", None), usual, usual._replace(overlap=8)
    whole, tiled, less = map(heard, cuts)
    assert tiled.shape == less.shape == whole.shape == waves.shape
    assert float(whole.std()) > 1e-3
    torch.testing.assert_close(tiled, whole, atol=1e-4 * float(whole.std()), rtol=0)
    assert float((less - whole).abs().max()) > 1e-2 * float(whole.std())


@settings(deadline=None)
@given(length=st.integers(1, 300), multiple=st.integers(1, 9), extra=st.integers(1, 20), overlap=st.integers(0, 9))
def test_codes_of_tiles_are_never_mixed(length: int, multiple: int, extra: int, overlap: int) -> None:
    cut = Tiling(3 * overlap + extra * multiple, overlap, multiple, Fraction(1, multiple), fading=False)
    source = torch.arange(length).view(1, 1, -1)
    made = torch.cat([*answered(lambda part: part[..., ::multiple].double(), source, cut)], 2)
    assert torch.equal(made, source[..., ::multiple].double())


def test_tiles_are_counted_in_places_of_what_is_stored() -> None:
    """Of which a network may see every fourth alone, as of a spectrogram, and give back all."""
    enlarging = Twice(8)
    enlarging.scale = 4
    assert tiling(enlarging, cut_by(512, step=4), None, None) == Tiling(512, 32, 32, 1)


@pytest.mark.parametrize(
    ("side", "overlap", "usual", "said"),
    [
        (7, None, 512, "--tile is 7: it must be at least 8 and at most 1,048,576."),
        (64, -1, 512, "--overlap is -1: it must be at least 0"),
        (64, 19, 512, "--overlap is 19, of which a tile of 64 holds three beside 8 of its own: lower it to 18, or"),
        ("whole", 4, 512, "--overlap is 4, but items go through whole: add --tile, or leave it out."),
        (64, None, None, "--tile is 64, but items of this kind go through whole: leave it out."),
    ],
)
def test_tiles_that_cannot_be_are_told_in_a_sentence(
    side: int | str, overlap: int | None, usual: int | None, said: str
) -> None:
    with pytest.raises(UserError) as refusal:
        tiling(Filter(8), cut_by(usual), side, overlap)
    assert said in str(refusal.value)
    if "lower it to 18" in said:
        assert tiling(Filter(8), cut_by(usual), side, 18).overlap == 18


def test_a_network_that_is_not_as_it_says_is_told_of(tmp_path: Path) -> None:
    source = noise(100, 100)
    said = r"The network makes \[3, 84, 84\] of a tile \[3, 42, 42\], while `scale` of it is 1: let that say how"
    with pytest.raises(UserError, match=said):
        answer(Twice(), source, Tiling(48, 4), tmp_path)
    assert answer(Twice(), source, WHOLE, tmp_path).shape[2:] == (200, 200)  # where nothing is to be put together


def test_any_number_of_sides_is_cut(tmp_path: Path) -> None:
    for shape in ((1, 2, 1000), (1, 2, 30, 41, 25)):
        source = torch.rand(shape)
        assert torch.allclose(joined(answered(torch.neg, source, Tiling(16, 2, 2)), tmp_path), -source, atol=1e-6)
    assert torch.equal(joined(answered(torch.neg, torch.ones(3, 2), Tiling(16)), tmp_path), -torch.ones(3, 2))


def test_memory_holds_a_band_at_a_time(tmp_path: Path) -> None:
    """The source is mapped from a file of 4 GB that is full of holes, and the answer goes into none."""
    source = torch.from_numpy(np.memmap(tmp_path / "large", np.uint8, "w+", shape=(1, 1, 2**17, 2**15)))
    bands = answered(lambda part: part.float(), source, Tiling(2**7, 8))
    first, second = next(bands), next(bands)
    assert first.shape[3] == 2**15
    assert not first.any()
    assert not second.any()
    assert list(tmp_path.iterdir()) == [tmp_path / "large"]


def test_what_is_joined_leaves_no_file(tmp_path: Path) -> None:
    bands = [torch.full((1, 3, n, 5), n, dtype=torch.uint8) for n in (2, 3, 1)]
    made = joined(iter(bands), tmp_path)
    assert torch.equal(made, torch.cat(bands, 2))
    assert not list(tmp_path.iterdir())
