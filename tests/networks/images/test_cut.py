"""The generator of CUT: where its encoder is looked into, what is seen there, and that all of it is trained."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from torch import Tensor
from torch.utils.data import DataLoader

from ganlit.contracts import Made, Pair
from ganlit.errors import UserError
from ganlit.losses.adversarial import LeastSquares
from ganlit.losses.contrastive import PatchNCE
from ganlit.networks.images.cut import CUTGenerator
from ganlit.networks.images.patchgan import PatchDiscriminator
from ganlit.networks.images.resnet import ResNetGenerator
from ganlit.tasks.translation import Translation

LABEL = torch.zeros(2, dtype=torch.long)


def small(**options: Any) -> CUTGenerator:
    torch.manual_seed(0)
    return CUTGenerator(**({"blocks": 2, "width": 4, "features": 32} | options))


def test_it_is_cyclegan_s_generator_and_five_small_networks() -> None:
    with torch.device("meta"):
        network = CUTGenerator()
    heads = [sum(each.numel() for each in head.parameters()) for head in network.heads]
    assert heads == [256 * (maps + 1) + 256 * 257 for maps in (3, 128, 256, 256, 256)]
    assert sum(each.numel() for each in network.parameters()) == 11_378_179 + sum(heads)


def test_patches_have_the_sizes_that_the_paper_names() -> None:
    net = CUTGenerator(1, blocks=9, width=1, norm="none", features=1).double()
    for parameter in net.parameters():
        parameter.data.abs_().add_(0.01)  # so that nothing cancels
    image = torch.rand(1, 1, 256, 256, dtype=torch.float64, requires_grad=True)
    fields = []
    for found in net.inside(image):
        middle = found.shape[-1] // 2
        (seen,) = torch.autograd.grad(found[0, 0, middle, middle], image, retain_graph=True)
        fields.append((int((seen[0, 0] != 0).any(dim=0).sum()), int((seen[0, 0] != 0).any(dim=1).sum())))
    assert fields == [(field, field) for field in (1, 9, 15, 35, 99)]


@pytest.mark.parametrize("blocks", [1, 2, 6, 9])
def test_what_is_inside_is_what_the_output_is_made_of(blocks: int) -> None:
    net, image = small(blocks=blocks), torch.randn(2, 3, 16, 24)
    found = net.inside(image)
    assert [tuple(each.shape[1:]) for each in found][:4] == [(3, 16, 24), (8, 16, 24), (16, 8, 12), (16, 4, 6)]
    assert len(found) == (4 if blocks == 1 else 5) == len(net.heads)
    rest = net.encoder[net.depths[-1] + 1 :]
    torch.testing.assert_close(net.decoder(rest(found[-1])).tanh(), net(image, LABEL).output)


def test_vectors_have_length_one_and_places_are_drawn_once() -> None:
    net, image = small(), torch.randn(2, 3, 16, 24)
    torch.manual_seed(3)
    vectors, places = net.patches(image, 60)
    assert [tuple(each.shape) for each in vectors] == [(2, 60, 32)] * 3 + [(2, 24, 32)] * 2
    for each in vectors:
        torch.testing.assert_close(each.norm(dim=2), torch.ones(each.shape[:2]))
    assert all(len(each.unique()) == len(each) for each in places)
    again, _ = net.patches(image, places)
    assert all(torch.equal(*pair) for pair in zip(vectors, again, strict=True))
    torch.manual_seed(3)
    assert all(torch.equal(*pair) for pair in zip(places, net.patches(image, 60)[1], strict=True))
    assert not torch.equal(places[0], net.patches(image, 60)[1][0])


def test_a_vector_is_that_of_its_place() -> None:
    net, image = small(), torch.randn(2, 3, 8, 12)
    vectors, _ = net.patches(image, [torch.tensor([25, 0])] * 2 + [torch.tensor([5, 0])] + [torch.tensor([4, 0])] * 2)
    at = [(2, 1), (2, 1), (0, 5), (1, 1), (1, 1)]  # rows of 12, 6 and 3 places
    for found, maps, head, (row, column) in zip(vectors, net.inside(image), net.heads, at, strict=True):
        alone = head(maps[:, :, row, column])
        torch.testing.assert_close(found[:, 0], alone / alone.norm(dim=1, keepdim=True))


def test_where_nothing_is_to_be_seen_the_slope_is_bounded() -> None:
    net = small()
    vectors, _ = net.patches(torch.zeros(2, 3, 8, 8, requires_grad=True), 16)
    assert vectors[0].abs().max() == 0
    vectors[0].mean().backward()
    assert 0 < net.heads[0][-1].bias.grad.norm() < 1e4


def test_it_hands_out_what_the_criterion_asks_for() -> None:
    net, image, other = small(), torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 12)
    output, side = net(image, LABEL)
    assert isinstance(net(image, LABEL), Made)
    torch.testing.assert_close(output, ResNetGenerator.forward(net, image, LABEL))
    torch.testing.assert_close(side["translate"](other), net(other, LABEL).output)
    assert torch.equal(side["patches"](image, 5)[0][0].norm(dim=2).round(), torch.ones(2, 5))


def trained(generator: CUTGenerator, criteria: list[PatchNCE], precision: str = "32-true") -> dict[str, Tensor]:
    """Three steps of the engine, and what has moved in them."""
    torch.manual_seed(1)
    sgd = partial(torch.optim.SGD, lr=1.0)
    module = Translation(
        criteria=criteria,
        generator=generator,
        discriminator=PatchDiscriminator(3, 16, width=4),
        loss=LeastSquares(),
        generator_optimizer=sgd,
        discriminator_optimizer=sgd,
    )
    before = {name: each.detach().clone() for name, each in generator.named_parameters()}
    off = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = Trainer(accelerator="cpu", max_epochs=1, precision=precision, **off)
    pairs = [Pair(*torch.rand(2, 4, 3, 16, 16)) for _ in range(3)]
    trainer.fit(module, DataLoader(pairs, batch_size=None))
    assert {"generator/patchnce", "generator/adversarial"} <= trainer.callback_metrics.keys()
    assert not module.skipped
    return {name: each.detach() - before[name] for name, each in generator.named_parameters()}


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("criteria", [[PatchNCE(10.0)], [PatchNCE(), PatchNCE(identity=True)]], ids=["FastCUT", "CUT"])
def test_all_of_it_is_trained_by_the_task_as_any_other(criteria: list[PatchNCE], precision: str) -> None:
    moved = trained(small(), criteria, precision)
    assert [name for name, by in moved.items() if not by.any()] == []


def test_what_is_no_image_of_its_kind_is_refused() -> None:
    with pytest.raises(UserError, match=r"CUTGenerator\.features is 0"):
        small(features=0)
    with pytest.raises(UserError, match="CUTGenerator takes images whose channels are 3, but is shown some of 1"):
        small()(torch.zeros(2, 1, 8, 8), LABEL)
