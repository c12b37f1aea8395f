from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating
from ganlit.networks.images.dcgan import DCDiscriminator, DCGenerator
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator
from ganlit.studies.evaluation.generate import generate
from ganlit.tasks.synthesis import Synthesis

SIZES = {"resolution": 16, "channels": 1, "classes": 3, "channel_base": 64, "channel_max": 4}


def trained(generator: torch.nn.Module, discriminator: torch.nn.Module) -> Synthesis:
    adam = partial(torch.optim.Adam, lr=0.001)
    return Synthesis(generator, discriminator, NonSaturating(), adam, adam).eval()


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> Synthesis:
    """A conditional run with noise in its layers, in place of one on the disk."""
    torch.manual_seed(1)
    generator = StyleGenerator(**SIZES, z_dim=4, w_dim=4, mapping_depth=1)
    generator.w_mean.normal_()
    for layer in generator.layers:
        layer.noise.strength.data.fill_(0.5)
    module = trained(generator, StyleDiscriminator(**SIZES))
    monkeypatch.setattr("ganlit.studies.evaluation.generate.load", lambda run, checkpoint: module)
    data = SimpleNamespace(modality=ImageModality())
    monkeypatch.setattr("ganlit.studies.evaluation.generate.setting", lambda run: SimpleNamespace(data=data))
    return module


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("L"))


def test_images_and_a_grid_are_written(tmp_path: Path) -> None:
    generate("run", count=6, out=str(tmp_path / "new"))
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        *(f"{n:06}.png" for n in range(6)),
        "grid.png",
    ]
    assert pixels(tmp_path / "new" / "000000.png").shape == (16, 16)
    assert pixels(tmp_path / "new" / "grid.png").shape == (2 * 18 + 2, 3 * 18 + 2)  # a column for each class


def test_an_image_depends_on_the_seed_and_its_number_alone(tmp_path: Path) -> None:
    for name, options in {"few": {"count": 4}, "many": {"count": 7}, "other": {"count": 4, "seed": 1}}.items():
        torch.manual_seed(len(name))
        generate("run", out=str(tmp_path / name), **options)
    few, many, other = (
        [pixels(tmp_path / name / f"{n:06}.png") for n in range(4)] for name in ("few", "many", "other")
    )
    assert all(map(np.array_equal, few, many))
    assert not any(map(np.array_equal, few, other))
    assert not np.array_equal(few[0], few[3])  # of one class


def test_classes_take_turns(tmp_path: Path) -> None:
    generate("run", count=6, out=str(tmp_path / "all"))
    generate("run", count=6, out=str(tmp_path / "one"), classes=[1])
    equal = [np.array_equal(*(pixels(tmp_path / name / f"{n:06}.png") for name in ("all", "one"))) for n in range(6)]
    assert equal == [False, True, False, False, True, False]


def test_truncation_draws_towards_the_mean_of_a_class(tmp_path: Path, module: Synthesis) -> None:
    for layer in module.ema.module.layers:
        layer.noise.strength.data.zero_()
    images = {}
    for psi in (1.0, 0.0):
        generate("run", count=6, truncation=psi, out=str(tmp_path / str(psi)))
        images[psi] = [pixels(tmp_path / str(psi) / f"{n:06}.png") for n in range(6)]
    assert [np.array_equal(*images[1.0][n : n + 4 : 3]) for n in range(3)] == [False] * 3
    assert [np.array_equal(*images[0.0][n : n + 4 : 3]) for n in range(3)] == [True] * 3


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for out in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(UserError, match="is not an empty folder: give another --out"):
            generate("run", out=str(out))


def test_what_the_generator_does_not_know_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = str(tmp_path / "new")
    with pytest.raises(UserError, match="there is no class 3; this run knows 0 to 2"):
        generate("run", out=out, classes=[1, 3])
    module = trained(DCGenerator(16, 1, 4, 2), DCDiscriminator(16, 1, 2))
    monkeypatch.setattr("ganlit.studies.evaluation.generate.load", lambda run, checkpoint: module)
    with pytest.raises(UserError, match="DCGenerator in run knows no truncation: leave the option out"):
        generate("run", truncation=0.7, out=out)
    generate("run", count=2, out=out)
