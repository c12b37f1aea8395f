from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from noises import Noises
from PIL import Image
from points import PointModality
from torch import Tensor, nn
from torch.utils.data import Dataset

from ganlit.callbacks.loggers.board import Board
from ganlit.callbacks.samples import Samples
from ganlit.contracts import Modality, Pair
from ganlit.data.images.label_maps import painted
from ganlit.data.images.label_modality import LabelMaps
from ganlit.data.images.modality import ImageModality, grid
from ganlit.data.images.pixels import to_uint8
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.reconstruction import L1
from ganlit.records.samples import latest
from ganlit.tasks.translation import Translation

Made = Callable[[Tensor], Tensor]


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("L"))


def test_a_grid_is_written_at_the_start_and_ahead_of_every_validation(fit: Any, tmp_path: Path) -> None:
    fit(0.6, Samples(rows=3, columns=4))
    names = ["kimg000000.0.png", "kimg000000.4.png", "kimg000000.6.png", "real.png"]
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == names
    assert all(pixels(tmp_path / "samples" / name).shape == (32, 42) for name in names)


def test_a_film_of_all_grids_is_made_when_it_is_asked_for(fit: Any, tmp_path: Path) -> None:
    fit(0.6, Samples(rows=3, columns=4, film=True))
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 3
        film.seek(2)
        shown = np.asarray(film.convert("L"), dtype=int)
    assert np.abs(shown - pixels(tmp_path / "samples" / "kimg000000.6.png")).mean() < 8


def test_the_real_grid_shows_the_data_with_a_class_in_each_column(fit: Any, tmp_path: Path) -> None:
    run = fit(0.1, Samples(rows=2, columns=4))
    batch = run.data.grid(2, 4)
    expected = np.asarray(grid([to_uint8(batch.item)], 4).convert("L"))
    assert np.array_equal(pixels(tmp_path / "samples" / "real.png"), expected)
    assert batch.label.view(2, 4).tolist() == [[0, 1, 0, 1]] * 2


def test_latents_are_the_same_every_time_and_training_does_not_notice(fit: Any, tmp_path: Path) -> None:
    samples = Samples(rows=2, columns=2)
    run = fit(0.4, samples)
    path = tmp_path / "samples" / "kimg000000.4.png"
    before, state = path.read_bytes(), torch.get_rng_state()
    run.trainer.state.fn = "fit"
    samples.on_validation_start(run.trainer, run.module)
    assert path.read_bytes() == before
    assert torch.equal(torch.get_rng_state(), state)


class Wall(Board):
    """Keeps what it is shown."""

    name = version = "wall"

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[str, str, float]] = []

    def log_hyperparams(self, *_: Any, **__: Any) -> None: ...

    def log_metrics(self, *_: Any, **__: Any) -> None: ...

    def log_histograms(self, *_: Any) -> None: ...

    def log_outcome(self, *_: Any) -> None: ...

    def log_media(self, name: str, files: Sequence[Path], kimg: float) -> None:
        self.shown += [(name, file.name, kimg) for file in files]


def test_boards_are_shown_every_grid_with_its_clock(fit: Any) -> None:
    wall = Wall()
    fit(0.4, Samples(rows=1, columns=2), logger=wall, log_every_n_steps=100)
    assert wall.shown == [("samples", "kimg000000.0.png", 0.0), ("samples", "kimg000000.4.png", 0.4)]


class Halved(nn.Module):
    """Images at half their brightness, which a prior makes white."""

    def __init__(self, prior: bool = False) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.full((), 0.5))
        if prior:
            self.prior = lambda label: torch.full((len(label), 1, 8, 8), 2.0)

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        return self.decode(source, label)

    def decode(self, latent: Tensor, label: Tensor) -> Tensor:
        return latent * self.gain


class Painted(Halved):
    """Points [B, 2] as images of one grey."""

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        return source[:, :1, None, None].expand(-1, 1, 8, 8) * self.gain


class Twofold(Dataset[Pair]):
    """Noises, and sources that are made of them."""

    def __init__(self, made: Made, noises: Dataset) -> None:
        self.made, self.noises = made, noises

    def __getitem__(self, places: Tensor) -> Pair:
        found = self.noises[places]
        return Pair(self.made(found.item), found.item, found.label)


class Partnered(Noises):
    """Noises to be made of something else."""

    def __init__(self, made: Made, source: Modality) -> None:
        super().__init__(40, 8)
        self.made, self.source = made, source

    @property
    def dataset(self) -> Dataset[Pair]:
        return Twofold(self.made, super().dataset)

    def modality_of(self, field: str) -> Modality | None:
        return self.source if field == "source" else super().modality_of(field)


def shown(folder: Path, generator: nn.Module, data: Noises, rows: int = 4) -> Wall:
    """Writes the samples of a translation that has not begun, in rows of three."""
    adam, wall = partial(torch.optim.Adam, lr=1e-3), Wall()
    module = Translation(
        [L1()],
        generator=generator,
        discriminator=nn.Flatten(),
        loss=NonSaturating(),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
    )
    places = {"datamodule": data, "default_root_dir": folder, "loggers": [wall]}
    Samples(rows, 3).on_train_start(SimpleNamespace(is_global_zero=True, **places), module)
    return wall


def cells(path: Path) -> np.ndarray:
    """The images of a grid of three columns, [row, column, y, x]."""
    inner = pixels(path)[2:, 2:]
    side = inner.shape[1] // 3
    return inner.reshape(-1, side, 3, side).swapaxes(1, 2)[:, :, :-2, :-2]


def stored(data: Noises, rows: int) -> np.ndarray:
    return to_uint8(data.grid(rows, 3)[0])[:, 0].numpy().reshape(rows, 3, 8, 8)


def halved(images: np.ndarray) -> np.ndarray:
    return to_uint8(torch.from_numpy(images).float().div(127.5).sub(1) / 2).numpy()


def test_an_autoencoder_stands_below_its_source(tmp_path: Path) -> None:
    data = Noises(40, 8)
    shown(tmp_path, Halved(), data)
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == ["kimg000000.0.png", "real.png"]
    real, rows = cells(tmp_path / "samples" / "real.png"), cells(tmp_path / "samples" / "kimg000000.0.png")
    assert np.array_equal(real, stored(data, 4))
    assert np.array_equal(rows[0::2], real[:2])
    assert np.array_equal(rows[1::2], halved(real[:2]))


def test_what_a_prior_makes_is_a_second_picture(tmp_path: Path) -> None:
    wall = shown(tmp_path, Halved(prior=True), Noises(40, 8))
    assert wall.shown == [("samples", "kimg000000.0.png", 0.0), ("prior", "kimg000000.0-prior.png", 0.0)]
    assert (cells(tmp_path / "samples" / "kimg000000.0-prior.png") == 255).all()
    assert [file.name for file in latest(tmp_path).files] == ["kimg000000.0.png", "kimg000000.0-prior.png"]


@pytest.mark.parametrize("rows", [1, 3, 5, 7])
def test_a_translation_stands_between_source_and_target(tmp_path: Path, rows: int) -> None:
    data = Partnered(lambda items: 255 - items, ImageModality())
    shown(tmp_path, Halved(), data, rows)
    sources, outputs, targets = (cells(tmp_path / "samples" / "kimg000000.0.png")[part::3] for part in range(3))
    assert len(sources) == len(outputs) == len(targets) == max(1, rows // 3)
    assert np.array_equal(sources, 255 - targets)
    assert np.array_equal(outputs, halved(sources))
    assert np.array_equal(targets, cells(tmp_path / "samples" / "real.png")[: len(targets)])


def test_sources_in_maps_of_labels_are_shown_in_their_colours(tmp_path: Path) -> None:
    class Chosen(Halved):
        def forward(self, source: Tensor, label: Tensor) -> Tensor:
            return source[:, :1] * self.gain

    data = Partnered(lambda items: items % 4, LabelMaps(4))
    shown(tmp_path, Chosen(), data)
    colours = np.asarray(Image.open(tmp_path / "samples" / "kimg000000.0.png").convert("RGB"))[2:10, 2:10]
    first = to_uint8(data.grid(4, 3).target[:1]) % 4
    assert np.array_equal(colours, painted(first)[0].movedim(0, -1))


def test_small_sources_are_shown_as_large_as_what_is_made_of_them(tmp_path: Path) -> None:
    class Doubled(Halved):
        def forward(self, source: Tensor, label: Tensor) -> Tensor:
            return source.repeat_interleave(2, 2).repeat_interleave(2, 3) * self.gain

    shown(tmp_path, Doubled(), Partnered(lambda items: items[:, :, ::2, ::2], ImageModality()))
    assert cells(tmp_path / "samples" / "kimg000000.0.png").shape == (3, 3, 8, 8)


def test_sources_of_another_kind_are_shown_as_theirs_are(tmp_path: Path) -> None:
    data = Partnered(lambda items: items.flatten(1)[:, :2].float() / 64, PointModality())
    shown(tmp_path, Painted(), data)
    names = ["kimg000000.0.png", "real.png", "source.csv", "source.png"]
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == names
    rows = cells(tmp_path / "samples" / "kimg000000.0.png")
    assert np.array_equal(rows[1::2], cells(tmp_path / "samples" / "real.png")[:2])
    assert all(len(np.unique(cell)) == 1 for row in rows[0::2] for cell in row)
