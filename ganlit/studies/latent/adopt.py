"""Generators of others, brought into the form in which runs keep theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml
from torch import Tensor, nn

from ganlit.compute.console import say
from ganlit.configuration.rebuild import build, fill
from ganlit.contracts import Made, Styled
from ganlit.errors import UserError, reason
from ganlit.records import published
from ganlit.records.durable import write_weights
from ganlit.studies.evaluation.outputs import empty, make_room, writing

LOOKED_AT = 16  # items, which tell what a generator makes
FILE = "ema.safetensors"
ASKED = "give it z_dim and classes (0 without any), and forward(z [B, z_dim], label [B]) to images [B, C, H, W]"


class Seen(NamedTuple):
    """What a generator makes."""

    resolution: int
    channels: int
    least: float
    most: float


def adopt(weights: str, generator: str, part: str | None = None, source: str = "", out: str | None = None) -> None:
    """Take in a generator that others have published: its weights, and an adapter of a few lines that names its layers.

    The adapter is a class in a module of yours, which --trust lets files name: a torch.nn.Module that is built without
    arguments, with z_dim, classes, and forward(z, label), of standard normal z, to images in [-1, 1]; styles(z, label)
    and synthesise(styles) beside that, where it has such. Of the weights nothing is run. There is no discriminator.

    Args:
        weights: a file as torch.save or safetensors write it
        generator: the adapter, such as faces.Faces
        part: what the generator's weights are called in a file that holds several networks
        source: real images that scores are by, a folder or a zip, which are cropped to the form of the generator's;
            without them nothing can be scored or evaluated
        out: an empty or new folder; by default runs/ and the name of the adapter in small letters

    Raises:
        UserError: weights and adapter do not fit, it makes no square images, or the folder is not empty.
    """
    name = generator.rpartition(".")[2]
    folder = Path("runs", name.lower()) if out is None else Path(out)
    empty(folder, "--out")
    path = Path(weights)
    if not path.is_file():
        raise UserError(f"{weights} is no file: name one of weights.")
    state = published.read(path, part)
    settings: dict[str, Any] = {"from": str(path), "model": player(generator)}
    module = build(yaml.safe_dump(settings), Path(generator)).eval()
    network = module.ema.module
    fill(network, published.renamed(state, network.state_dict().keys()), path, f"the adapter {generator}")
    seen = look(network, generator)
    form = {"resolution": seen.resolution, "channels": seen.channels, "fit": "crop", "convert": True}
    settings["data"] = {"class_path": "ganlit.data.images.images.Images", "init_args": {"source": source, **form}}
    make_room(folder, folder, "--out")
    with writing("--out", folder):
        write_weights(network, yaml.safe_dump(settings, sort_keys=False), 0, folder / FILE)
    size, classes = sum(each.numel() for each in network.parameters()), network.classes
    say(
        f"{size:,} parameters of {name}: {seen.channels}x{seen.resolution}x{seen.resolution} from z of {network.z_dim}"
        f"{f' and {classes} classes' if classes else ''}{', by styles' if isinstance(network, Styled) else ''}, "
        f"from {seen.least:.2f} to {seen.most:.2f}, in {folder / FILE}"
    )


def player(generator: str) -> dict[str, Any]:
    """The configuration of a game in which only the generator counts."""
    adam = {"class_path": "torch.optim.Adam"}
    return {
        "class_path": "ganlit.tasks.synthesis.Synthesis",
        "init_args": {
            "generator": {"class_path": generator},
            "discriminator": {"class_path": "torch.nn.Identity"},
            "loss": "ganlit.losses.adversarial.NonSaturating",
            "generator_optimizer": adam,
            "discriminator_optimizer": adam,
        },
    }


@torch.no_grad()
def look(network: nn.Module, generator: str) -> Seen:
    """Has a generator make a few images, as the latent tools will.

    Raises:
        UserError: it fails, or these are none.
    """
    for name, least in (("z_dim", 1), ("classes", 0)):
        if not isinstance(value := getattr(network, name, None), int) or value < least:
            raise UserError(f"{generator}.{name} is {value}: {ASKED}.")
    stream = torch.Generator().manual_seed(0)
    z = torch.randn(LOOKED_AT, network.z_dim, generator=stream)
    label = torch.arange(LOOKED_AT) % max(network.classes, 1)
    try:
        made = Made.of(network(z, label)).output
        if isinstance(network, Styled):
            again = network.synthesise(network.styles(z, label))
            if again.shape != made.shape:
                raise UserError(f"synthesise makes {shape(again)} of what forward makes {shape(made)} of")
    except Exception as error:
        raise UserError(f"{generator} cannot be sampled ({reason(error)}): {ASKED}.") from error
    if made.ndim != 4 or len(made) != LOOKED_AT or made.shape[2] != made.shape[3]:
        raise UserError(f"{generator} makes {shape(made)} of {LOOKED_AT} latents, and no square images: {ASKED}.")
    if not bool(made.isfinite().all()):
        raise UserError(f"{generator} makes images that are not finite by these weights: get them anew.")
    return Seen(made.shape[3], made.shape[1], float(made.min()), float(made.max()))


def shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape))
