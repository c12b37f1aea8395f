"""Squares of a shade each, the smallest configuration that trains on them, and a folder where commands find both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from extractors import Tiny
from PIL import Image

from ganlit.metrics.features import FeatureExtractor


def paint(folder: Path) -> None:
    """A hundred squares in two classes, of which no two are alike."""
    for index in range(100):
        path = folder / ("dark", "light")[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (16, 16), 50 + index // 2 + 100 * (index % 2)).save(path)


def part(name: str, **options: Any) -> dict[str, Any]:
    return {"class_path": name, "init_args": options}


SIZE = {"resolution": "${data.init_args.resolution}", "channels": 1}

MODEL = {
    "generator": part("DCGenerator", **SIZE, z_dim=4, width=2),
    "discriminator": part("DCDiscriminator", **SIZE, width=2),
    "loss": "NonSaturating",
    "generator_optimizer": part("torch.optim.Adam", lr=0.002, betas=[0.0, 0.99]),
    "discriminator_optimizer": part("torch.optim.Adam", lr=0.002),
}

STYLES = {
    "generator": part(
        "StyleGenerator", **SIZE, classes=2, z_dim=4, w_dim=4, mapping_depth=1, channel_base=64, channel_max=4
    ),
    "regularizers": [part("R1", weight=0.1, every=2)],
    "ema": part("EMA", half_life=0.1),
}
"""A model that knows styles and classes, with more of what has a state."""

DATA = {
    "source": "squares",
    "channels": 1,
    "resolution": 16,
    "batch": 20,
    "tick": 0.1,
    "val_images": 20,
    "test_images": 40,
}


def tiny(task: str = "Synthesis", model: Mapping[str, Any] = {}, data: Mapping[str, Any] = {}, **others: Any) -> str:
    """A configuration in YAML; `model` and `data` take the place of some arguments of those, `others` of the rest."""
    trainer = {"accelerator": "cpu", "log_every_n_steps": 1, "callbacks": None}
    parts = {"model": part(task, **(MODEL | model)), "data": part("Images", **(DATA | data))}
    return yaml.safe_dump({"seed": 3, "kimg": 0.1, "trainer": trainer} | parts | others, sort_keys=False)


@contextmanager
def within(folder: Path, configuration: str, inception: type[FeatureExtractor] = Tiny) -> Iterator[pytest.MonkeyPatch]:
    """Commands run in this folder, which gets a tiny.yaml: without W&B, with a cache of their own and quick metrics."""
    (folder / "tiny.yaml").write_text(configuration)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("WANDB_MODE", "disabled")
        patch.setenv("GANLIT_CACHE", str(folder / "cache"))
        patch.setattr("ganlit.metrics.images.backbones.Inception", inception)
        yield patch


class Answer(NamedTuple):
    """How a command has ended, and what it has said."""

    code: int
    out: str
    err: str
