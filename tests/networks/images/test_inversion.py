"""The encoder before a generator: what it leaves alone, what it hands out, and that it learns."""

from __future__ import annotations

import pytest
import torch

from ganlit.errors import UserError
from ganlit.networks.images.inversion import StyleEncoder
from ganlit.networks.images.stylegan import StyleGenerator

SIZES = {
    "resolution": 16,
    "channels": 1,
    "classes": 3,
    "z_dim": 4,
    "w_dim": 4,
    "mapping_depth": 2,
    "channel_base": 64,
    "channel_max": 4,
}
LABEL = torch.tensor([0, 1])


def encoder(**changed: int) -> StyleEncoder:
    torch.manual_seed(0)
    return StyleEncoder(**SIZES, encoder_base=64, **({"encoder_max": 4} | changed))


def test_the_parts_of_the_generator_are_called_as_there() -> None:
    there = StyleGenerator(**SIZES).state_dict()
    here = encoder().state_dict()
    assert {name: value.shape for name, value in here.items() if not name.startswith("encoder.")} == {
        name: value.shape for name, value in there.items()
    }


def test_it_begins_with_one_style_for_all_layers() -> None:
    network, source = encoder().eval(), torch.rand(2, 1, 16, 16)
    styles, side = network.encode(source, LABEL)
    assert styles.shape == (2, len(network.layers) + 1, 4)
    assert torch.equal(styles, styles[:, :1].expand_as(styles))
    assert not torch.equal(styles[0], styles[1])
    assert torch.equal(side["offsets"], torch.zeros_like(styles))
    made = network(source, LABEL)
    torch.testing.assert_close(made.output, network.synthesise(styles))  # noise has no strength yet
    assert set(made.side) == {"offsets"}
    network.encoder.offsets.bias.data.copy_(torch.arange(styles[0].numel()))
    torch.testing.assert_close(
        network.encode(source, LABEL).output - styles, side["offsets"] + network.encoder(source)[1]
    )


def test_in_training_it_is_asked_for_styles_of_images_of_its_own() -> None:
    network = encoder().train()
    network.w_mean.fill_(7)
    made = network(torch.rand(2, 1, 16, 16), LABEL)
    asked, found = made.side["asked"], made.side["found"]
    assert torch.equal(asked, asked[:, :1].expand_as(asked))  # without mixing
    torch.testing.assert_close(found, network.encode(network.synthesise(asked), LABEL).output)
    assert torch.equal(network.w_mean, torch.full_like(network.w_mean, 7))
    assert network.training
    assert not asked.requires_grad
    found.sum().backward()
    learning = {name for name, each in network.named_parameters() if each.grad is not None}
    assert learning == {f"encoder.{name}" for name, _ in network.encoder.named_parameters()}


def test_it_learns_to_find_the_styles_of_a_generator() -> None:
    network = encoder(encoder_max=16).train()
    network.mapping.layers[0].weight.data.mul_(20)  # styles that are told apart
    adam = torch.optim.Adam(network.encoder.parameters(), 0.01)
    missed = []
    for _ in range(40):
        side = network.again(torch.zeros(32, dtype=torch.int64))
        loss = (side["found"] - side["asked"]).square().mean() / side["asked"].var()
        adam.zero_grad()
        loss.backward()
        adam.step()
        missed.append(loss.item())
    assert sum(missed[-10:]) < 0.5 * sum(missed[:10])


@pytest.mark.parametrize(
    ("changed", "word"), [({"encoder_max": 0}, "encoder_max is 0"), ({"encoder_max": 2**21}, "encoder_max")]
)
def test_sizes_of_which_nothing_can_be_made_are_refused(changed: dict[str, int], word: str) -> None:
    with pytest.raises(UserError, match=f"StyleEncoder.{word}"):
        encoder(**changed)
