"""Path length against generators whose Jacobian is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganlit.contracts import Verdict
from ganlit.errors import UserError
from ganlit.losses.regularizers.generator import PathLength, path_lengths


def verdict(fake: Tensor, latent: Tensor) -> Verdict:
    return Verdict(torch.sum, fake, fake, latent)


def test_of_a_linear_generator_it_is_the_norm_of_the_transposed_product() -> None:
    weight = torch.randn(5, 3 * 4 * 4, dtype=torch.float64)
    z = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    fake = (z @ weight).unflatten(1, (3, 4, 4))
    torch.manual_seed(1)
    lengths = path_lengths(fake, z)
    torch.manual_seed(1)
    y = torch.randn(7, 48, dtype=torch.float64) / 4
    torch.testing.assert_close(lengths, (y @ weight.T).norm(dim=1))


def test_squared_lengths_of_styles_are_averaged_over_the_layers() -> None:
    weight = torch.randn(6, 5, 3 * 4 * 4, dtype=torch.float64)
    styles = torch.randn(7, 6, 5, dtype=torch.float64, requires_grad=True)
    fake = torch.einsum("blw,lwp->bp", styles, weight).unflatten(1, (3, 4, 4))
    torch.manual_seed(1)
    lengths = path_lengths(fake, styles)
    torch.manual_seed(1)
    y = torch.randn(7, 48, dtype=torch.float64) / 4
    squared = torch.einsum("bp,lwp->blw", y, weight).square().sum(dim=2)
    torch.testing.assert_close(lengths, squared.mean(dim=1).sqrt())


@pytest.mark.parametrize("size", [4, 32])
def test_of_the_identity_it_is_the_root_of_the_channels_at_any_size(size: int) -> None:
    torch.manual_seed(0)
    z = torch.randn(64, 3 * size * size, requires_grad=True)
    squared = path_lengths(z.unflatten(1, (3, size, size)), z).square()
    assert squared.mean().item() == pytest.approx(3, rel=0.1)


def test_the_penalty_is_the_squared_distance_from_a_mean_that_follows() -> None:
    regularizer = PathLength(decay=0.25).double()
    z = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    mean = 0.0
    for seed in range(3):
        fake = (z @ torch.randn(3, 16, dtype=torch.float64)).unflatten(1, (1, 4, 4))
        torch.manual_seed(seed)
        value = regularizer(verdict(fake, z))
        torch.manual_seed(seed)
        lengths = path_lengths(fake, z)
        assert value.item() == pytest.approx((lengths - mean).square().mean().item())
        mean += 0.25 * (lengths.mean().item() - mean)
        assert regularizer.mean.item() == pytest.approx(mean)
    assert regularizer.state_dict().keys() == {"mean"}


def test_two_halves_averaged_are_the_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "randn_like", torch.ones_like)  # else halves and whole meet other directions
    torch.manual_seed(0)
    latents = torch.randn(8, 3, dtype=torch.float64)
    outcomes = []
    for shards in (1, 2):
        net = nn.Sequential(nn.Linear(3, 8), nn.Softplus(), nn.Linear(8, 4), nn.Unflatten(1, (1, 2, 2))).double()
        net.load_state_dict({name: torch.ones_like(x).cumsum(0).sin() for name, x in net.state_dict().items()})
        regularizers = [PathLength(decay=0.1).double() for _ in range(shards)]
        for regularizer, z in zip(regularizers, latents.clone().chunk(shards), strict=True):
            regularizer.mean.fill_(0.7)
            z.requires_grad_()
            (regularizer(verdict(net(z), z)) / shards).backward()
        gradient = torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None])
        outcomes.append((gradient, torch.stack([r.mean for r in regularizers]).mean()))
    for one, two in zip(*outcomes, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-14)
    assert outcomes[0][0].abs().max() > 1e-3


def test_its_gradient_is_finite_where_the_generator_is_flat() -> None:
    weight = torch.zeros(3, 16, requires_grad=True)
    z = torch.randn(4, 3, requires_grad=True)
    PathLength()(verdict((z @ weight).unflatten(1, (1, 4, 4)), z)).backward()
    assert weight.grad.isfinite().all()


def test_it_evens_out_how_a_generator_answers() -> None:
    """A map that stretches one direction eight times as much as the others becomes nearly a similarity."""
    torch.manual_seed(0)
    weight = nn.Parameter(torch.diag(torch.tensor([8.0, 1.0, 1.0, 1.0])))
    regularizer, optimizer = PathLength(weight=1.0, every=1), torch.optim.Adam([weight], lr=0.02)
    for _ in range(400):
        z = torch.randn(64, 4, requires_grad=True)
        optimizer.zero_grad()
        regularizer.term(verdict((z @ weight).unflatten(1, (1, 2, 2)), z)).backward()
        optimizer.step()
    spread = torch.linalg.svdvals(weight.detach())
    assert spread[0] / spread[-1] < 3


@pytest.mark.parametrize("traced", [3, 4, 6], ids=["those", "more", "all"])
def test_of_a_share_the_first_items_are_measured_and_all_shares_together_are_the_batch(
    traced: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "randn_like", torch.ones_like)
    torch.manual_seed(0)
    weight = torch.randn(3, 16, dtype=torch.float64)
    latents = torch.randn(6, 3, dtype=torch.float64)

    def penalty(z: Tensor, share: float, count: int) -> tuple[Tensor, Tensor]:
        regularizer, latent = PathLength(share=share).double(), z[:count].requires_grad_()
        fake = torch.cat([(latent.square() @ weight), z[count:].square() @ weight]).unflatten(1, (1, 4, 4))
        return regularizer(verdict(fake, latent)), regularizer.mean

    shares = [penalty(z, 0.5, traced) for z in (latents, latents.flip(0))]
    halves = [penalty(z, 1.0, 3) for z in latents.chunk(2)]
    torch.testing.assert_close(shares, halves, rtol=1e-12, atol=1e-14)
    whole, mean = penalty(latents, 1.0, 6)
    torch.testing.assert_close(torch.stack([value for value, _ in shares]).mean(), whole, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(torch.stack([each for _, each in shares]).mean(), mean, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("share", "batch", "items"), [(0.5, 32, 16), (0.5, 1, 1), (0.1, 30, 3), (1.0, 7, 7)])
def test_a_share_is_a_number_of_items(share: float, batch: int, items: int) -> None:
    assert PathLength(share=share).part(batch) == items


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(UserError, match=r"PathLength\.share"):
        PathLength(share=share)
