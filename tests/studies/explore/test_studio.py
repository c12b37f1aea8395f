"""From a state to a picture: the very items of the other commands."""

from __future__ import annotations

import pytest
import torch

from ganlit.studies.explore.studio import Controls, Studio
from ganlit.studies.latent.find import Direction
from ganlit.studies.latent.subject import Subject


def studio(run: str = "styled") -> Studio:
    return Studio(Subject(run))


@pytest.mark.parametrize(
    ("run", "controls"),
    [
        ("styled", Controls((0, 1, 2), True, 6)),
        ("bare", Controls((), True, 6)),
        ("plain", Controls((), False, 0)),
        ("flat", Controls((0, 1, 2), False, 0)),
    ],
)
def test_only_what_applies_is_offered(run: str, controls: Controls) -> None:
    assert studio(run).controls == controls
    assert studio(run).draw(studio(run).start._replace(seed=3, other=4)).stored.dtype == torch.uint8


def test_a_seed_is_the_item_that_generate_makes_of_it() -> None:
    here = studio()
    subject, label = here.subject, torch.tensor([2])
    z = subject.z([7])
    for psi in (1.0, 0.5):
        expected = subject.made(subject.generator.styles(z, label, psi)[:, :1], label)
        assert torch.equal(here.draw(here.start._replace(seed=7, label=2, truncation=psi)).stored, expected)


def test_late_layers_are_those_of_the_second_seed() -> None:
    here = studio()
    latents = [here.latent(here.start._replace(seed=seed)) for seed in (1, 2)]
    mixed = here.latent(here.start._replace(seed=1, other=2, layer=4))
    assert torch.equal(mixed[:, :4], latents[0].expand(-1, 4, -1))
    assert torch.equal(mixed[:, 4:], latents[1].expand(-1, 2, -1))


def test_directions_are_gone_along_in_units() -> None:
    here = studio()
    here.know([Direction("up", torch.tensor([0.0, 1.0, 0, 0], dtype=torch.float64))])
    moved = here.latent(here.start.moved("up", -2.0).moved("nowhere", 1.0)) - here.latent(here.start)
    torch.testing.assert_close(moved[0, 0], torch.tensor([0, -2.0 * here.unit, 0, 0]))


def test_a_found_latent_takes_the_place_of_the_seeds() -> None:
    here, found = studio(), torch.randn(1, 6, 4)
    assert torch.equal(here.latent(here.start._replace(found=1), [torch.zeros(1, 6, 4), found]), found)
