from __future__ import annotations

import pytest
import torch

from ganlit.metrics.probe import L2, fit_probe


def clusters(count: int, apart: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Three classes in ten dimensions, one of which never moves."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, (count,), generator=generator)
    centres = torch.randn(3, 10, generator=generator)
    features = apart * centres[labels] + torch.randn(count, 10, generator=generator)
    features[:, 4] = 7.0
    return features, labels


def test_classes_that_lie_apart_are_told_apart() -> None:
    features, labels = clusters(500, apart=4.0)
    probe = fit_probe(features, labels, classes=3)
    assert probe.held_out == 100
    assert probe.accuracy == 1.0
    assert (probe.probabilities(features).argmax(1) == labels).double().mean() == 1.0


def test_the_accuracy_is_that_of_images_not_fitted() -> None:
    generator = torch.Generator().manual_seed(1)
    features, labels = torch.randn(100, 300, generator=generator), torch.randint(0, 2, (100,), generator=generator)
    probe = fit_probe(features, labels, classes=2)
    everywhere = (probe.probabilities(features).argmax(1) == labels).double().mean()
    assert probe.accuracy < 0.8  # noise is learnt by heart, not understood
    assert float(everywhere) == pytest.approx(0.8 + 0.2 * probe.accuracy)


def test_the_fit_is_where_the_gradient_vanishes() -> None:
    features, labels = clusters(500, apart=1.0)
    probe = fit_probe(features, labels, classes=3)
    order = torch.randperm(500, generator=torch.Generator().manual_seed(0))[100:]
    x, y = ((features - probe.mean) / probe.scale)[order].double(), labels[order]
    errors = probe.probabilities(features[order]) - torch.nn.functional.one_hot(y, 3)
    torch.testing.assert_close(errors.T @ x / len(x), -L2 * probe.weight.double(), atol=1e-4, rtol=0)
    torch.testing.assert_close(errors.mean(0), torch.zeros(3, dtype=torch.float64), atol=1e-4, rtol=0)


def test_probabilities_are_those_of_the_true_model() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(4000) % 2
    features = torch.randn(4000, 1, generator=generator) + labels[:, None]
    got = fit_probe(features, labels, classes=2).probabilities(torch.tensor([[0.5], [1.5]]))[:, 1]
    # Unit normals at 0 and 1 with equal shares: the log odds are x - 1/2; the penalty makes them smaller.
    assert float(got[0]) == pytest.approx(0.5, abs=0.03)
    assert float(got[1]) == pytest.approx(1 / (1 + torch.e**-1), abs=0.05)


def test_it_is_fitted_where_metrics_run_and_leaves_the_random_stream_alone() -> None:
    features, labels = clusters(200, apart=4.0)
    expected = fit_probe(features, labels, classes=3)
    before = torch.get_rng_state()
    with torch.inference_mode():
        probe = fit_probe(features.clone(), labels.clone(), classes=3)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(probe.weight, expected.weight)
    assert not probe.weight.requires_grad
