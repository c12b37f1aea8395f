"""Images to latents in one pass, by an encoder that was trained for the generator."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.networks.images.inversion import StyleEncoder
from ganlit.studies.evaluation.trained import loaded
from ganlit.studies.latent.subject import Subject


@torch.no_grad()
def encoded(subject: Subject, encoder: str, images: Tensor) -> Tensor:
    """Latents [N, L, d] that a run's encoder finds of images [N, ...], in the subject's space.

    In w they are the styles from which those of layers are offsets.

    Raises:
        UserError: it holds no encoder of styles, or one for other weights, or others than styles are asked for.
    """
    network = loaded(encoder, "last").ema.module.to(subject.device)
    if not isinstance(network, StyleEncoder):
        who = type(network).__name__
        raise UserError(f"--encoder {encoder} holds a {who}: name a run that finds styles, of configs/inversion.yaml.")
    if (space := subject.space) not in ("w", "w+"):
        raise UserError(f"--encoder {encoder} finds styles, and --space {space} asks for others: take w or w+.")
    there, own = network.state_dict(), subject.generator.state_dict()
    if not all(name in there and torch.equal(there[name], value) for name, value in own.items()):
        raise UserError(
            f"--encoder {encoder} finds the styles of other weights than those of {subject.run}: train one for these "
            f"by python -m ganlit fit --config configs/inversion.yaml --from {subject.run}."
        )
    found = []
    for part in images.split(subject.together):
        style, offsets = network.encoder(part)
        found.append(style[:, None] if subject.space == "w" else style[:, None] + offsets)
    return torch.cat(found)
