from __future__ import annotations

from typing import Any

import pytest
import torch

from ganlit.errors import UserError
from ganlit.networks.quantizers import ScalarQuantizer, VectorQuantizer
from ganlit.networks.video.tokenizer import ClipTokenizer, Level

LABEL = torch.zeros(2, dtype=torch.long)


def tokenizer(**options: Any) -> ClipTokenizer:
    torch.manual_seed(0)
    quantizer = options.pop("quantizer", None) or VectorQuantizer(8, 4, patience=None)
    return ClipTokenizer(quantizer, **({"channels": 1, "width": 4, "times": (False, True)} | options))


@pytest.mark.parametrize("times", [(False, True), (True, True), (False,)])
def test_codes_stand_for_frames_rows_and_columns(times: tuple[bool, ...]) -> None:
    network, clip = tokenizer(times=times).eval(), torch.randn(2, 1, 8, 8, 16)
    output, side = network(clip, LABEL)
    span, side_of = 2 ** sum(times), 2 ** len(times)
    assert output.shape == clip.shape
    assert side["codes"].shape == (2, 8 // span, 8 // side_of, 16 // side_of)
    assert (network.span, network.multiple, network.codes, network.classes) == (span, side_of, 8, 0)
    latent = network.embedded(side["codes"])
    assert torch.equal(network.decode(latent, LABEL), network.decode(network.encode(clip, LABEL).output, LABEL))


def test_every_weight_is_trained() -> None:
    network = tokenizer(bounded=True)
    output, side = network(torch.randn(2, 1, 4, 8, 8), LABEL)
    (output.square().mean() + (side["quantized"] - side["latent"].detach()).square().mean()).backward()
    assert [name for name, each in network.named_parameters() if each.grad is None or not each.grad.any()] == []
    assert any(each is network.last_layer for each in network.parameters())
    assert output.abs().max() <= 1


def test_other_quantizers_fit() -> None:
    network = tokenizer(quantizer=ScalarQuantizer([3, 3])).eval()
    assert network(torch.randn(2, 1, 4, 8, 8), LABEL).side["codes"].max() < network.codes == 9


def test_a_border_is_no_place_of_its_own() -> None:
    """What repeats what stands at the border gives of a constant clip a constant one, of any length."""
    torch.manual_seed(0)
    found = Level(2, 3)(torch.ones(1, 2, 5, 6, 7))
    torch.testing.assert_close(found, found[:, :, :1, :1, :1].expand_as(found))


@pytest.mark.parametrize("shape", [(2, 1, 3, 8, 8), (2, 1, 4, 10, 8), (2, 1, 4, 8, 10)])
def test_clips_that_cannot_be_halved_are_refused(shape: tuple[int, ...]) -> None:
    frames, height, width = shape[2:]
    message = (
        f"multiples of 2 and whose sides are multiples of 4, but is shown some of {frames} frames of {height}x{width}"
    )
    with pytest.raises(UserError, match=message):
        tokenizer()(torch.zeros(shape), LABEL)
    with pytest.raises(UserError, match=r"ClipTokenizer\.times is 0"):
        tokenizer(times=())
