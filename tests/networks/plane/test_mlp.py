from __future__ import annotations

import pytest
import torch
from torch import nn

from ganlit.networks.plane.mlp import DEVIATION, PlaneDiscriminator, PlaneGenerator

LABEL = torch.tensor([0, 2, 1, 2])


def test_they_are_as_large_as_the_papers() -> None:
    generator, discriminator = PlaneGenerator(), PlaneDiscriminator()
    norms = 4 * 2 * 400
    assert sum(each.numel() for each in generator.parameters()) == 2 * 400 + 3 * 400**2 + norms + 802
    assert sum(each.numel() for each in discriminator.parameters()) == 1000 * (2 + 1 + 2 * 201) + 201
    weights = torch.cat([each.weight.flatten() for each in generator.modules() if isinstance(each, nn.Linear)])
    assert weights.std().item() == pytest.approx(DEVIATION, rel=0.01)


def test_a_unit_gives_the_largest_of_its_pieces() -> None:
    network = PlaneDiscriminator(width=1, depth=1, pieces=3)
    with torch.no_grad():
        network.layers[0].weight.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0]]))
        network.last.weight.fill_(1.0)
    points = torch.tensor([[3.0, 1.0], [-4.0, 0.0], [0.5, 5.0]])
    assert network(points, LABEL[:3]).tolist() == [3.0, 4.0, 10.0]


def test_classes_count_where_they_are_known() -> None:
    torch.manual_seed(0)
    z, points = torch.randn(4, 2), torch.randn(4, 2)
    for generator, counts in (
        (PlaneGenerator(width=8, norm=False), False),
        (PlaneGenerator(classes=3, width=8, norm=False), True),
    ):
        made = generator(z, LABEL)
        assert made.shape == (4, 2)
        assert torch.equal(made, generator(z, 0 * LABEL)) is not counts
    for judge, counts in ((PlaneDiscriminator(width=4), False), (PlaneDiscriminator(width=4, classes=3), True)):
        assert judge(points, LABEL).shape == (4,)
        assert torch.equal(judge(points, LABEL), judge(points, 0 * LABEL)) is not counts
