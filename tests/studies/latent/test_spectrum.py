from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ganlit.errors import UserError
from ganlit.studies.latent.spectrum import Spectrum, spectrum, spectrum_of


def test_a_dimension_counts_what_is_alike() -> None:
    assert Spectrum(torch.tensor([2.0, 2.0, 2.0, 0.0])).dimension == pytest.approx(3)
    assert Spectrum(torch.tensor([5.0, 0.0])).dimension == pytest.approx(1)
    assert Spectrum(torch.tensor([8.0, 1.0, 0.5, 0.5])).most == 2


def test_eigenvalues_are_variances_along_the_axes() -> None:
    axes = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)))[0]
    draws = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(1)) * torch.tensor([3.0, 2.0, 1.0])
    found = spectrum_of(draws @ axes.T + 5).values
    torch.testing.assert_close(found, torch.tensor([9.0, 4.0, 1.0]).double(), rtol=0.05, atol=0)
    torch.testing.assert_close(found, torch.linalg.eigvalsh((draws @ axes.T).double().T.cov()).flip(0))


def test_within_classes_their_means_do_not_count() -> None:
    label = torch.tensor([0, 0, 1, 1])
    latents = torch.tensor([[0.0, 0.0], [0.0, 2.0], [9.0, 0.0], [9.0, 2.0]])
    assert spectrum_of(latents, label).values.tolist() == pytest.approx([4 / 3, 0])
    assert spectrum_of(latents).dimension < 1.2


def test_it_is_drawn_and_told(tmp_path: Path) -> None:
    spectrum("styled", count=200, out=str(tmp_path / "new"))
    told = json.loads((tmp_path / "new" / "numbers.json").read_text())
    assert {*told["spectra"]} == {"all", "within classes"}
    assert 1 <= told["spectra"]["all"]["effective_dimension"] <= 4
    assert (tmp_path / "new" / "spectrum.png").is_file()
    assert len((tmp_path / "new" / "eigenvalues.csv").read_text().splitlines()) == 5


def test_without_styles_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="A spectrum needs a generator with styles"):
        spectrum("plain", out=str(tmp_path / "new"))
